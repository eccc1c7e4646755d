// Frames from one worker to another.

#include "dataplane/worker/handover.hpp"

#include "tests/support/scratch_store.hpp"

#include <map>
#include <thread>

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

using test::must;

std::vector<std::byte> frame_of(std::uint32_t number, std::size_t size) {
    std::vector<std::byte> frame(size, static_cast<std::byte>(number));
    std::memcpy(frame.data(), &number, sizeof number);
    return frame;
}
std::uint32_t number_of(const port::Frame& frame) {
    std::uint32_t number = 0;
    std::memcpy(&number, frame.data, sizeof number);
    return number;
}

TEST(HandoverRing, FramesComeWholeAndInOrderOncePublished) {
    HandoverRing ring;
    std::array<port::Frame, 4> taken;
    for (std::uint32_t i = 0; i < 6; ++i) ASSERT_TRUE(ring.give(frame_of(i, 60 + i)));
    EXPECT_TRUE(ring.is_empty());
    EXPECT_EQ(ring.take(taken), 0U);
    EXPECT_TRUE(ring.publish());
    EXPECT_FALSE(ring.publish());
    EXPECT_FALSE(ring.is_empty());
    std::uint32_t next = 0;
    while (const std::size_t n = ring.take(taken)) {
        for (std::size_t i = 0; i < n; ++i, ++next) {
            const auto bytes = taken[i].bytes();
            EXPECT_EQ(std::vector(bytes.begin(), bytes.end()), frame_of(next, 60 + next));
        }
        ring.release(n);
    }
    EXPECT_EQ(next, 6U);
    EXPECT_TRUE(ring.is_empty());
}

TEST(HandoverRing, RefusesWhatIsTooLongOrTooMuch) {
    HandoverRing ring;
    EXPECT_FALSE(ring.give(frame_of(0, HandoverRing::kMaxFrameBytes + 1)));
    for (std::uint32_t i = 0; i < HandoverRing::kSlots; ++i)
        ASSERT_TRUE(ring.give(frame_of(i, HandoverRing::kMaxFrameBytes)));
    EXPECT_FALSE(ring.give(frame_of(0, 60)));
    ring.publish();
    std::array<port::Frame, 1> taken;
    ASSERT_EQ(ring.take(taken), 1U);
    EXPECT_FALSE(ring.give(frame_of(0, 60)));
    ring.release(1);
    EXPECT_TRUE(ring.give(frame_of(0, 60)));
}

TEST(HandoverRing, BetweenTwoThreadsNothingIsLostOrTorn) {
    constexpr std::uint32_t kFrames = 50'000;
    HandoverRing ring;
    const std::jthread giver([&ring] {
        for (std::uint32_t i = 0; i < kFrames;) {
            const bool has_room = ring.give(frame_of(i, 60 + i % 500));
            if (has_room && ++i % 7 != 0 && i < kFrames) continue;
            ring.publish();
            if (!has_room) std::this_thread::yield();
        }
    });
    for (std::uint32_t next = 0; next < kFrames;) {
        std::array<port::Frame, 32> taken;
        const std::size_t n = ring.take(taken);
        for (std::size_t i = 0; i < n; ++i, ++next) {
            ASSERT_EQ(number_of(taken[i]), next);
            ASSERT_EQ(taken[i].length, 60 + next % 500);
            ASSERT_EQ(taken[i].bytes().back(), static_cast<std::byte>(next));
        }
        ring.release(n);
        if (n == 0) std::this_thread::yield();
    }
}

TEST(HandoverMesh, OneAddressHasOneOwnerAndAddressesAreSpread) {
    const auto mesh = must(HandoverMesh::make(3));
    std::map<unsigned, unsigned> owned;
    for (std::uint32_t i = 0; i < 3000; ++i) {
        const IpAddress client(Ipv4Address::from_host(0x0a4d0100 + i));
        const unsigned owner = mesh->owner_of(client);
        ++owned[owner];
        for (unsigned self = 0; self < 3; ++self)
            EXPECT_EQ(Handover(*mesh, self).is_mine(client), self == owner);
        const Ipv6Address six{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                               static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
        ++owned[3 + mesh->owner_of(six)];
    }
    ASSERT_EQ(owned.size(), 6U);
    for (const auto& [owner, count] : owned) EXPECT_NEAR(count, 1000, 150) << owner;
}

TEST(Handover, WithoutAMeshEverythingIsMine) {
    Handover alone;
    EXPECT_TRUE(alone.is_mine(Ipv4Address::from_host(0x0a000001)));
    std::array<port::Frame, 1> taken;
    EXPECT_EQ(alone.take(taken), 0U);
    EXPECT_TRUE(alone.prepare_rest());
    EXPECT_LT(alone.wake_fd(), 0);
}

TEST(Handover, TakesFromEachGiverInTurn) {
    const auto mesh = must(HandoverMesh::make(3));
    for (const unsigned giver : {0U, 2U})
        for (std::uint32_t i = 0; i < 4; ++i) ASSERT_TRUE(mesh->ring(giver, 1).give(frame_of(giver, 60)));
    for (const unsigned giver : {0U, 2U}) mesh->ring(giver, 1).publish();
    Handover self(*mesh, 1);
    EXPECT_FALSE(self.prepare_rest());
    std::vector<std::uint32_t> givers;
    std::array<port::Frame, 2> taken;
    while (const std::size_t n = self.take(taken)) {
        givers.push_back(number_of(taken[0]));
        self.release(n);
    }
    EXPECT_EQ(givers, (std::vector<std::uint32_t>{2, 0, 2, 0}));
    EXPECT_TRUE(self.prepare_rest());
    self.end_rest();
}

}  // namespace
}  // namespace rouse::worker
