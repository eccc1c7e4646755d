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

// What the kernel counted of this thread, ever.
struct ThreadUsage {
    std::uint64_t preemptions = 0;  // it took the core away
    std::uint64_t minor_faults = 0;
    std::uint64_t major_faults = 0;
};

[[nodiscard]] inline ThreadUsage thread_usage() noexcept {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return {.preemptions = static_cast<std::uint64_t>(usage.ru_nivcsw),
            .minor_faults = static_cast<std::uint64_t>(usage.ru_minflt),
            .major_faults = static_cast<std::uint64_t>(usage.ru_majflt)};
}

template <port::Port P>
void run_loop(Worker<P>& worker, const std::atomic<bool>& stop, LoopOptions options) noexcept {
    constexpr std::uint64_t kHousekeepingNs = 10 * kNanosPerMilli;
    Rest rest;
    std::uint64_t housekeeping_at_ns = 0;
    ThreadUsage before = thread_usage();
    while (!stop.load(std::memory_order_relaxed)) {
        const std::uint64_t now = monotonic_ns();
        const bool was_busy = worker.turn(now, realtime_ns());
        if (now >= housekeeping_at_ns) {
            worker.housekeeping(now);
            const ThreadUsage usage = thread_usage();
            rest.look(now, usage.preemptions);
            worker.count_faults(usage.minor_faults - before.minor_faults,
                                usage.major_faults - before.major_faults);
            before = usage;
            housekeeping_at_ns = now + kHousekeepingNs;
        }
        if (rest.is_due(now, was_busy) && !options.never_rests) {
            const std::uint64_t began = monotonic_ns();
            if (worker.rest()) rest.slept(began, monotonic_ns());
        }
    }
}

}  // namespace rouse::worker
