#include "dataplane/neighbour/advertisement_timer.hpp"

#include "shared/clock.hpp"

#include <algorithm>

namespace rouse::neighbour {
namespace {

constexpr std::uint64_t kLookNs = kNanosPerSecond;  // how soon a change of the record shows
// RFC 4861 6.2.1 and 10, seconds.
constexpr std::uint64_t kLongestInterval = 600;
constexpr std::uint64_t kShortestMaximum = 4;
constexpr std::uint64_t kShortestMinimum = 3;
constexpr std::uint64_t kInitialInterval = 16;
constexpr unsigned kInitialAdvertisements = 3;

}  // namespace

bool AdvertisementTimer::expire(std::uint64_t now_ns, const store::NetworkRecord* network) noexcept {
    look_at_ns_ = now_ns + kLookNs;
    const std::uint64_t lifetime =
        network != nullptr && network->has_ipv6() ? network->router_lifetime6 : std::uint64_t{0};
    if (lifetime == 0) {  // hosts must not route by us until the last lifetime ends
        const bool was_router = sent_ > 0;
        sent_ = 0;
        send_at_ns_ = 0;
        return was_router;
    }
    if (now_ns < send_at_ns_) return false;
    ++sent_;
    send_at_ns_ = now_ns + interval_ns(lifetime);
    return true;
}

// A third of the lifetime at most: hosts may miss two in a row.
std::uint64_t AdvertisementTimer::interval_ns(std::uint64_t lifetime_seconds) noexcept {
    const std::uint64_t longest = std::clamp(lifetime_seconds / 3, kShortestMaximum, kLongestInterval);
    const std::uint64_t shortest = std::max(longest / 3, kShortestMinimum);
    random_ ^= random_ << 13;  // xorshift64 (Marsaglia 2003)
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    const std::uint64_t interval =
        shortest * kNanosPerSecond + random_ % ((longest - shortest) * kNanosPerSecond);
    return sent_ <= kInitialAdvertisements ? std::min(interval, kInitialInterval * kNanosPerSecond)
                                           : interval;
}

}  // namespace rouse::neighbour
