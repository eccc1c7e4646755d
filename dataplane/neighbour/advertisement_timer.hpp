#pragma once
// When a router advertises itself without being asked (RFC 4861 6.2.4, 6.2.5). Pure: time and a record in.

#include "shared/store/records.hpp"

#include <cstdint>

namespace rouse::neighbour {

class AdvertisementTimer {
  public:
    // SEED, not 0: the intervals are random, so that routers do not speak in step.
    explicit AdvertisementTimer(std::uint64_t seed) noexcept : random_(seed) {}

    // expire() is worth calling.
    [[nodiscard]] bool is_due(std::uint64_t now_ns) const noexcept { return now_ns >= look_at_ns_; }

    // True: NETWORK's link is to be told of its router now: it has a lifetime, or had one until lately.
    // NETWORK is that of our own link; null: none.
    [[nodiscard]] bool expire(std::uint64_t now_ns, const store::NetworkRecord* network) noexcept;

  private:
    std::uint64_t interval_ns(std::uint64_t lifetime_seconds) noexcept;

    std::uint64_t random_;
    std::uint64_t look_at_ns_ = 0;
    std::uint64_t send_at_ns_ = 0;
    unsigned sent_ = 0;  // since we became a router; 0: we are none
};

}  // namespace rouse::neighbour
