#pragma once
// Drives one worker until told to stop: turns, housekeeping, and rest when there is nothing to do.

#include "dataplane/worker/rest.hpp"
#include "dataplane/worker/worker.hpp"
#include "shared/clock.hpp"

#include <atomic>

#include <sys/resource.h>

namespace rouse::worker {

struct LoopOptions {
    bool never_rests = false;  // poll for ever; lowest latency, and a core at 100 %
};

// How often the kernel took the core away from this thread.
[[nodiscard]] inline std::uint64_t preemptions() noexcept {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return static_cast<std::uint64_t>(usage.ru_nivcsw);
}

template <port::Port P>
void run_loop(Worker<P>& worker, const std::atomic<bool>& stop, LoopOptions options) noexcept {
    constexpr std::uint64_t kHousekeepingNs = 10 * kNanosPerMilli;
    Rest rest;
    std::uint64_t housekeeping_at_ns = 0;
    while (!stop.load(std::memory_order_relaxed)) {
        const std::uint64_t now = monotonic_ns();
        const bool was_busy = worker.turn(now, realtime_ns());
        if (now >= housekeeping_at_ns) {
            worker.housekeeping(now);
            rest.look(now, preemptions());
            housekeeping_at_ns = now + kHousekeepingNs;
        }
        if (rest.is_due(now, was_busy) && !options.never_rests) {
            const std::uint64_t began = monotonic_ns();
            if (worker.rest()) rest.slept(began, monotonic_ns());
        }
    }
}

}  // namespace rouse::worker
