#pragma once
// Stamps events and puts them into the ring; what does not fit is counted.

#include "shared/counters.hpp"
#include "shared/event_ring.hpp"

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
    void report(const Event& event) noexcept {
        if (!ring_.push(event, now_ns_)) counters_->add(Counter::events_dropped);
    }
    // About a machine that is not registered: so many a second at most, so that a flood of made-up addresses
    // cannot push the events of real boots out of the ring. Counters still see every one.
    void report_stranger(const Event& event) noexcept {
        if (stranger_tokens_ == 0) return;
        --stranger_tokens_;
        report(event);
    }

  private:
    static constexpr unsigned kStrangersPerSecond = 100;
    EventProducer ring_;
    WorkerCounters* counters_;
    std::uint64_t now_ns_ = 0;
    std::uint64_t stranger_second_ = 0;
    unsigned stranger_tokens_ = kStrangersPerSecond;
};

}  // namespace rouse::worker
