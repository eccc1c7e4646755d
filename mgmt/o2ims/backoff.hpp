#pragma once
// How long to wait before what failed is tried again: twice as long with each failure in a row, give or take
// a quarter, so that not all come back at the same moment.

#include "shared/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace rouse::o2ims {

// Nanoseconds, from FIRST to LONGEST. FAILURES: those in a row before this one. Any thread.
[[nodiscard]] inline std::uint64_t backoff_ns(std::chrono::milliseconds first,
                                              std::chrono::milliseconds longest, unsigned failures) {
    thread_local std::minstd_rand random{std::random_device{}()};
    const auto pause = std::min(static_cast<std::uint64_t>(longest.count()),
                                static_cast<std::uint64_t>(first.count()) << std::min(failures, 20U));
    const std::uint64_t quarter = pause / 4;
    std::uniform_int_distribution<std::uint64_t> spread(0, 2 * quarter);
    return (pause - quarter + spread(random)) * kNanosPerMilli;
}

}  // namespace rouse::o2ims
