// What a worker does besides frames: housekeeping, and rest.

#include "dataplane/worker/loop.hpp"

#include "tests/support/worker_fixture.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

class LoopTest : public ::testing::Test {
  protected:
    // Runs the loop, with nothing to do, until it has found that often enough.
    static void idle(test::WorkerFixture& fixture, const LoopOptions& options) {
        constexpr std::uint64_t kPolls = 2000;
        std::atomic<bool> stop{false};
        const std::jthread loop([&] { run_loop(fixture.worker, stop, options); });
        for (const std::uint64_t end = monotonic_ns() + 30 * kNanosPerSecond;
             fixture.counters->get(Counter::polls_empty) < kPolls && monotonic_ns() < end;)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        stop.store(true);
    }
    test::ScratchStore store_;
};

TEST_F(LoopTest, AWorkerWithoutWorkRestsUnlessItNeverDoes) {
    test::WorkerFixture adaptive(store_);
    idle(adaptive, {});
    EXPECT_GT(adaptive.counters->get(Counter::rests), 0U);
    test::WorkerFixture polling(store_);
    idle(polling, {.never_rests = true});
    EXPECT_GE(polling.counters->get(Counter::polls_empty), 2000U);
    EXPECT_EQ(polling.counters->get(Counter::rests), 0U);
    EXPECT_EQ(polling.counters->get(Counter::rest_nanoseconds), 0U);
}

// A device that tells what it lost.
struct LossyPort : port::MemoryPort {
    using port::MemoryPort::MemoryPort;
    [[nodiscard]] port::DeviceStatistics statistics() const noexcept { return lost; }
    port::DeviceStatistics lost{};
};

TEST_F(LoopTest, WhatTheDeviceLosesIsCountedByWhereItWasLost) {
    test::BasicWorkerFixture<LossyPort> fixture(store_);
    fixture.port.lost = {.receive_dropped = 5, .transmit_dropped = 3, .host_lost = 2};
    fixture.worker.housekeeping(1);
    fixture.port.lost.transmit_dropped = 4;
    fixture.worker.housekeeping(2);
    fixture.port.lost = {};  // it cannot tell for a moment
    fixture.worker.housekeeping(3);
    EXPECT_EQ(fixture.dropped(DropReason::receive_lost), 5U);
    EXPECT_EQ(fixture.dropped(DropReason::transmit_lost), 4U);
    EXPECT_EQ(fixture.dropped(DropReason::host_lost), 2U);
}

}  // namespace
}  // namespace rouse::worker
