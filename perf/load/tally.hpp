#pragma once
// What a run of the simulated rack came to.

#include "perf/load/histogram.hpp"

#include <cstdint>

namespace rouse::load {

struct Tally {
    std::uint64_t begun = 0;      // exchanges
    std::uint64_t completed = 0;  // ACK received
    std::uint64_t failed = 0;     // given up after the last try, or refused
    std::uint64_t discovers = 0;  // sent, resent ones included
    std::uint64_t requests = 0;
    std::uint64_t resends = 0;  // messages whose answer did not come in time
    std::uint64_t naks = 0;
    std::uint64_t stray = 0;           // answers that nobody waits for: late, doubled, for others
    std::uint64_t unreadable = 0;      // frames that are no well-formed answers
    std::uint64_t not_sent = 0;        // frames that the port refused
    std::uint64_t lost_by_device = 0;  // frames that the interface had no room for on their way to us
    std::uint64_t none_free = 0;       // times that nobody could begin, as all machines were under way
    std::uint64_t latest_ns = 0;       // how far the rack itself fell behind the rate asked of it, at worst
    std::uint64_t first_ns = 0;        // when the first exchange began
    std::uint64_t last_ns = 0;         // when the last one was completed
    Histogram offer;                   // a DISCOVER to its OFFER, ns; of messages that were not resent
    Histogram ack;                     // a REQUEST to its ACK, likewise
    Histogram exchange;                // first DISCOVER to ACK, all of them

    [[nodiscard]] std::uint64_t under_way() const noexcept { return begun - completed - failed; }
    // Messages that had no answer in time: 0 is what a good server gives.
    [[nodiscard]] std::uint64_t lost() const noexcept { return resends + under_way(); }
    [[nodiscard]] double seconds() const noexcept {
        return last_ns > first_ns ? static_cast<double>(last_ns - first_ns) / 1e9 : 0;
    }
    [[nodiscard]] double exchanges_per_second() const noexcept {
        return seconds() > 0 ? static_cast<double>(completed) / seconds() : 0;
    }
};

}  // namespace rouse::load
