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

TEST(Reporter, AFullRingIsCounted) {
    const auto counters = std::make_unique<WorkerCounters>();
    const auto ring = std::make_unique<EventRingLayout>();
    Reporter reporter(EventProducer(*ring), *counters);
    for (std::uint64_t i = 0; i < EventRingLayout::kCapacity + 3; ++i) reporter.report({});
    EXPECT_EQ(counters->get(Counter::events_dropped), 3U);
}

}  // namespace
}  // namespace rouse::worker
