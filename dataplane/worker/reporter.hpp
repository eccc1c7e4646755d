#pragma once
// Stamps events and puts them into the ring; what does not fit is counted.

#include "dataplane/tftp/token_bucket.hpp"
#include "shared/counters.hpp"
#include "shared/event_ring.hpp"

#include <cstring>
#include <vector>

namespace rouse::worker {

class Reporter {
  public:
    Reporter(EventProducer ring, WorkerCounters& counters) noexcept : ring_(ring), counters_(&counters) {}

    // Once per turn: the wall clock that events of this turn carry, and the tokens for strangers.
    void set_time(std::uint64_t realtime_ns) noexcept {
        const std::uint64_t second = realtime_ns / 1'000'000'000;
        if (second != stranger_second_) {
            stranger_second_ = second;
            stranger_tokens_ = kStrangersPerSecond;
        }
        now_ns_ = realtime_ns;
    }
    // A machine's events: a burst, which is more than a boot has, then so many a second, so that one that
    // asks without end cannot push the events of others out of the ring. Those without a machine are all
    // told.
    void report(const Event& event) noexcept {
        if (!event.mac.is_zero() && !may_tell(event.mac))
            counters_->add(Counter::events_withheld);
        else
            push(event);
    }
    // About a machine that is not registered: so many a second at most, so that a flood of made-up addresses
    // cannot push the events of real boots out of the ring. Counters still see every one.
    void report_stranger(const Event& event) noexcept {
        if (stranger_tokens_ == 0) return;
        --stranger_tokens_;
        push(event);
    }

  private:
    static constexpr unsigned kStrangersPerSecond = 100;
    static constexpr std::uint32_t kPerSecond = 64;
    static constexpr std::uint32_t kBurst = 512;
    static constexpr std::uint64_t kFillNs = kBurst / kPerSecond * kNanosPerSecond;
    static constexpr std::size_t kPlaces = 4096;
    struct Place {
        MacAddress mac{};
        tftp::TokenBucket bucket{kPerSecond, kBurst};
    };

    void push(const Event& event) noexcept {
        if (!ring_.push(event, now_ns_)) counters_->add(Counter::events_dropped);
    }
    // Two machines in one place take turns with it, and each begins anew.
    [[nodiscard]] bool may_tell(const MacAddress& mac) noexcept {
        std::uint64_t bits = 0;
        std::memcpy(&bits, mac.octets.data(), mac.octets.size());
        Place& place = places_[(bits * 0x9e3779b97f4a7c15ULL) >> 52];
        if (place.mac != mac) place = {.mac = mac};
        return place.bucket.take(now_ns_ + kFillNs);  // a clock that starts at nought has a burst as well
    }

    std::vector<Place> places_ = std::vector<Place>(kPlaces);
    EventProducer ring_;
    WorkerCounters* counters_;
    std::uint64_t now_ns_ = 0;
    std::uint64_t stranger_second_ = 0;
    unsigned stranger_tokens_ = kStrangersPerSecond;
};

}  // namespace rouse::worker
