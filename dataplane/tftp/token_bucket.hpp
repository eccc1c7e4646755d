#pragma once
// Lets through a burst, then a steady rate. Time is an argument.

#include "shared/clock.hpp"

#include <algorithm>
#include <cstdint>

namespace rouse::tftp {

class TokenBucket {
  public:
    constexpr TokenBucket(std::uint32_t per_second, std::uint32_t burst) noexcept
        : interval_ns_(kNanosPerSecond / per_second), capacity_ns_(interval_ns_ * burst) {}

    // Takes one token if there is one.
    [[nodiscard]] bool take(std::uint64_t now_ns) noexcept {
        if (!has_one(now_ns)) return false;
        empty_at_ns_ += interval_ns_;
        return true;
    }
    [[nodiscard]] bool has_one(std::uint64_t now_ns) noexcept {
        // The bucket is kept as the moment at which it was empty; a full one was empty a capacity ago.
        const std::uint64_t full = now_ns > capacity_ns_ ? now_ns - capacity_ns_ : 0;
        empty_at_ns_ = std::max(empty_at_ns_, full);
        return now_ns - empty_at_ns_ >= interval_ns_;
    }

  private:
    std::uint64_t interval_ns_;
    std::uint64_t capacity_ns_;
    std::uint64_t empty_at_ns_ = 0;
};

}  // namespace rouse::tftp
