#include "shared/event_ring.hpp"

#include <filesystem>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rouse {
namespace {

class EventRing : public ::testing::Test {
  protected:
    std::string dir_ = "/dev/shm/rouse-test-" + std::to_string(::getpid());
    void SetUp() override { std::filesystem::create_directories(dir_); }
    void TearDown() override { std::filesystem::remove_all(dir_); }
};

Event numbered(std::uint64_t n) {
    Event event;
    event.kind = EventKind::dhcp_discover;
    event.bytes = n;
    return event;
}

TEST_F(EventRing, KeepsUnreleasedEventsAcrossRestartOfEitherSide) {
    {
        auto segment = open_event_ring(dir_, 0);
        ASSERT_TRUE(segment);
        EventProducer producer(**segment);
        for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(producer.push(numbered(i)));
        EventConsumer consumer(**segment, 7);
        std::vector<Event> out(2);
        ASSERT_EQ(consumer.peek(out), 2U);
        consumer.release(1);
    }
    auto segment = open_event_ring(dir_, 0);
    ASSERT_TRUE(segment);
    EventProducer producer(**segment);
    ASSERT_TRUE(producer.push(numbered(3)));
    EventConsumer consumer(**segment, 8);
    EXPECT_EQ(consumer.identity(), 7U);
    std::vector<Event> out(8);
    ASSERT_EQ(consumer.peek(out), 3U);
    EXPECT_EQ(out[0].bytes, 1U);
    EXPECT_EQ(out[0].sequence, 2U);
    EXPECT_EQ(out[2].sequence, 4U);
}

TEST_F(EventRing, FullRingRefusesAndRecovers) {
    auto segment = open_event_ring(dir_, 0);
    ASSERT_TRUE(segment);
    EventProducer producer(**segment);
    for (std::uint64_t i = 0; i < EventRingLayout::kCapacity; ++i) ASSERT_TRUE(producer.push(numbered(i)));
    EXPECT_FALSE(producer.push(numbered(0)));
    EventConsumer consumer(**segment, 1);
    consumer.release(1);
    EXPECT_TRUE(producer.push(numbered(42)));
    EXPECT_FALSE(producer.push(numbered(43)));
}

TEST_F(EventRing, OneProducerOneConsumerLoseNothing) {
    auto segment = open_event_ring(dir_, 0);
    ASSERT_TRUE(segment);
    constexpr std::uint64_t kEvents = 300'000;
    std::thread consumer_thread([&] {
        EventConsumer consumer(**segment, 1);
        std::vector<Event> out(64);
        for (std::uint64_t seen = 0; seen < kEvents;) {
            const auto n = consumer.peek(out);
            for (std::size_t i = 0; i < n; ++i) {
                ASSERT_EQ(out[i].sequence, seen + i + 1);
                ASSERT_EQ(out[i].bytes, seen + i);
            }
            consumer.release(n);
            seen += n;
            if (n == 0) std::this_thread::yield();
        }
    });
    EventProducer producer(**segment);
    for (std::uint64_t i = 0; i < kEvents;) {
        if (producer.push(numbered(i)))
            ++i;
        else
            std::this_thread::yield();
    }
    consumer_thread.join();
}

TEST_F(EventRing, BothSidesHaveItOpenAtOnce) {
    auto producing = open_event_ring(dir_, 0);
    auto consuming = open_event_ring(dir_, 0);
    ASSERT_TRUE(producing && consuming);
    EventProducer producer(**producing);
    ASSERT_TRUE(producer.push(numbered(5)));
    EventConsumer consumer(**consuming, 1);
    std::vector<Event> out(2);
    ASSERT_EQ(consumer.peek(out), 1U);
    EXPECT_EQ(out[0].bytes, 5U);
}

TEST_F(EventRing, AFileOfAnotherLayoutIsReplaced) {
    {
        auto other = SharedMemory<std::uint64_t>::open(dir_ + "/events-0");
        ASSERT_TRUE(other);
        **other = 99;
    }
    auto segment = open_event_ring(dir_, 0);
    ASSERT_TRUE(segment) << segment.error().message;
    EXPECT_EQ((*segment)->identity.load(), 0U);
}

// Room that is missing when the producer needs it would end the dataplane by SIGBUS.
TEST_F(EventRing, HasItsRoomFromTheStart) {
    const auto segment = SharedMemory<EventRingLayout>::open(event_ring_path(dir_, 0), Residency::as_used);
    ASSERT_TRUE(segment) << segment.error().message;
    struct stat status {};
    ASSERT_EQ(::stat(event_ring_path(dir_, 0).c_str(), &status), 0);
    constexpr std::size_t kBlock = 512;  // what st_blocks counts in
    EXPECT_GE(static_cast<std::size_t>(status.st_blocks) * kBlock, sizeof(EventRingLayout));
}

TEST(Event, TextIsCutNotOverrun) {
    Event event;
    event.set_text(std::string(200, 'x'));
    EXPECT_EQ(event.get_text(), std::string(event.text.size() - 3, 'x') + "...") << "and it says so";
    event.set_text(std::string(127, 'n'));
    EXPECT_EQ(event.get_text(), std::string(127, 'n')) << "every name fits";
    event.set_text("ab");
    EXPECT_EQ(event.get_text(), "ab");
}

}  // namespace
}  // namespace rouse
