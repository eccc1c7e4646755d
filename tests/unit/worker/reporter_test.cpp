#include "dataplane/worker/reporter.hpp"

#include "shared/clock.hpp"

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

TEST(Reporter, StrangersGetSoManyEventsASecondAndMachinesAllOfThem) {
    const auto counters = std::make_unique<WorkerCounters>();
    const auto ring = std::make_unique<EventRingLayout>();
    Reporter reporter(EventProducer(*ring), *counters);
    reporter.set_time(5 * kNanosPerSecond);
    for (int i = 0; i < 1000; ++i) reporter.report_stranger({});
    EXPECT_EQ(ring->head.load(), 100U);
    reporter.report({});
    EXPECT_EQ(ring->head.load(), 101U);
    reporter.set_time(6 * kNanosPerSecond);
    reporter.report_stranger({});
    EXPECT_EQ(ring->head.load(), 102U);
    EXPECT_EQ(ring->slots[101].time_ns, 6 * kNanosPerSecond);
}

Event event_of(std::uint8_t machine) {
    Event event;
    event.mac = MacAddress{{2, 0, 0, 0, 0, machine}};
    return event;
}

TEST(Reporter, AMachineThatTellsWithoutEndIsCutShortAndOthersAreNot) {
    const auto counters = std::make_unique<WorkerCounters>();
    const auto ring = std::make_unique<EventRingLayout>();
    Reporter reporter(EventProducer(*ring), *counters);
    reporter.set_time(5 * kNanosPerSecond);
    for (int i = 0; i < 100'000; ++i) reporter.report(event_of(1));
    EXPECT_EQ(ring->head.load(), 512U);
    EXPECT_EQ(counters->get(Counter::events_withheld), 100'000U - 512U);
    EXPECT_EQ(counters->get(Counter::events_dropped), 0U);
    for (int i = 0; i < 500; ++i) reporter.report(event_of(2));
    EXPECT_EQ(ring->head.load(), 1012U) << "a whole boot of another";
    reporter.set_time(6 * kNanosPerSecond);
    for (int i = 0; i < 1000; ++i) reporter.report(event_of(1));
    EXPECT_EQ(ring->head.load(), 1076U) << "64 a second";
}

TEST(Reporter, AFullRingIsCounted) {
    const auto counters = std::make_unique<WorkerCounters>();
    const auto ring = std::make_unique<EventRingLayout>();
    Reporter reporter(EventProducer(*ring), *counters);
    for (std::uint64_t i = 0; i < EventRingLayout::kCapacity + 3; ++i) reporter.report({});
    EXPECT_EQ(counters->get(Counter::events_dropped), 3U);
}

}  // namespace
}  // namespace rouse::worker
