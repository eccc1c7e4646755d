#pragma once
// How much one client may ask for: a token bucket each, by user or client and otherwise by address.

#include "mgmt/http/request.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace rouse::http {

struct RateLimits {
    double per_second = 2000;  // of each client, in the long run; 0: no limit
    double at_once = 10'000;   // that it may save up
    // Of administrators, and of who needs no token, over loopback: the appliance's own tools and monitoring.
    double local_per_second = 1'000'000;
};

// Thread safe; bounded memory.
class RateLimiter {
  public:
    static constexpr std::size_t kMostClients = 16'384;
    using Clock = std::chrono::steady_clock;

    explicit RateLimiter(RateLimits limits) noexcept : limits_(limits) {}

    // Counts REQUEST against its principal, or its address (of IPv6 the /64, which one client has whole); a
    // 429 with Retry-After when there is nothing left.
    [[nodiscard]] OrProblem<void> admit(const Request& request, Clock::time_point now = Clock::now());
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
    [[nodiscard]] std::size_t clients() const;

  private:
    struct Bucket {
        double left = 0;
        Clock::time_point filled;
    };
    void make_room(Clock::time_point now);

    RateLimits limits_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Bucket> buckets_;
    std::atomic<std::uint64_t> refused_{0};
};

}  // namespace rouse::http
