#pragma once
// Time as nanoseconds. Protocol code never reads a clock: it is handed one of these values.

#include <cstdint>
#include <ctime>

namespace rouse {

inline constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;
inline constexpr std::uint64_t kNanosPerMilli = 1'000'000;

[[nodiscard]] inline std::uint64_t clock_ns(clockid_t clock) noexcept {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * kNanosPerSecond + static_cast<std::uint64_t>(now.tv_nsec);
}
[[nodiscard]] inline std::uint64_t monotonic_ns() noexcept {
    return clock_ns(CLOCK_MONOTONIC);
}
[[nodiscard]] inline std::uint64_t realtime_ns() noexcept {
    return clock_ns(CLOCK_REALTIME);
}

}  // namespace rouse
