#pragma once
// Drives one worker until told to stop: turns, housekeeping, and rest when there is nothing to do.

#include "dataplane/worker/worker.hpp"
#include "shared/clock.hpp"

#include <atomic>

namespace rouse::worker {

struct LoopOptions {
    bool rest_when_idle = true;  // false: poll for ever; lowest latency, and a core at 100 %
};

template <port::Port P>
void run_loop(P& port, Worker<P>& worker, const std::atomic<bool>& stop, LoopOptions options) noexcept {
    constexpr unsigned kTurnsPerHousekeeping = 256;
    // Spinning this long after the last packet costs about 20 us and keeps a busy rack's latency free of
    // wake-ups.
    constexpr unsigned kIdleTurnsBeforeRest = 256;
    constexpr std::uint64_t kRestNs = kNanosPerMilli;           // with transfers open: the timers' resolution
    constexpr std::uint64_t kLongRestNs = 50 * kNanosPerMilli;  // with none: a packet ends it at once
    unsigned idle = 0;
    for (unsigned turn = 0; !stop.load(std::memory_order_relaxed); ++turn) {
        const std::uint64_t now = monotonic_ns();
        idle = worker.turn(now, realtime_ns()) ? 0 : idle + 1;
        if (turn % kTurnsPerHousekeeping == 0) worker.housekeeping(now);
        if (idle > kIdleTurnsBeforeRest && options.rest_when_idle) {
            worker.housekeeping(now);
            port.wait(worker.is_quiet() ? kLongRestNs : kRestNs, -1);
        }
    }
}

}  // namespace rouse::worker
