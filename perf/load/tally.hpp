#pragma once
// What a run of the simulated rack came to.

#include "perf/load/histogram.hpp"

#include <cstdint>

namespace rouse::load {

struct Tally {
    std::uint64_t begun = 0;      // machines that powered on, however often
    std::uint64_t completed = 0;  // up: lease and all files there and verified
    std::uint64_t failed = 0;     // given up after the last try, or refused
    std::uint64_t left = 0;       // vanished or broke off, as told to

    std::uint64_t leases = 0;     // ACK received
    std::uint64_t discovers = 0;  // sent, resent ones included
    std::uint64_t requests = 0;
    std::uint64_t naks = 0;

    std::uint64_t transfers = 0;     // files that came whole
    std::uint64_t bytes = 0;         // of files, each byte once
    std::uint64_t blocks = 0;        // likewise
    std::uint64_t out_of_order = 0;  // blocks that were not the next one: repeated, or after a lost one
    std::uint64_t probes = 0;        // transfers for a size alone
    std::uint64_t misses = 0;        // of names that are searched for: expected
    std::uint64_t refused = 0;       // ERRORs that were not expected
    std::uint64_t broken = 0;        // transfers that the server conducted against the RFCs
    std::uint64_t corrupt = 0;       // files that are not what they should be

    std::uint64_t resends = 0;         // messages whose answer did not come in time
    std::uint64_t stray = 0;           // answers that nobody waits for: late, doubled, for others
    std::uint64_t unreadable = 0;      // frames that are no well-formed answers
    std::uint64_t dropped = 0;         // frames lost on purpose
    std::uint64_t not_sent = 0;        // frames that the port refused
    std::uint64_t lost_by_device = 0;  // frames that the interface had no room for on their way to us
    std::uint64_t none_free = 0;       // times that nobody could begin, as all machines were under way
    std::uint64_t latest_ns = 0;       // how far the rack itself fell behind the rate asked of it, at worst
    std::uint64_t first_ns = 0;        // when the first machine began
    std::uint64_t last_ns = 0;         // when the last one was up
    std::uint64_t last_block_ns = 0;   // when the last block came

    // Times in ns. Of messages that were not resent:
    Histogram offer;       // a DISCOVER to its OFFER
    Histogram ack;         // a REQUEST to its ACK
    Histogram turnaround;  // an acknowledgement to the next block
    // Of all:
    Histogram exchange;    // first DISCOVER to ACK
    Histogram first_byte;  // a file's first request to its first block
    Histogram boot;        // power on to up

    [[nodiscard]] std::uint64_t under_way() const noexcept { return begun - completed - failed - left; }
    // Messages that had no answer in time: 0 is what a good server gives.
    [[nodiscard]] std::uint64_t lost() const noexcept { return resends + under_way(); }
    [[nodiscard]] double seconds() const noexcept {
        return last_ns > first_ns ? static_cast<double>(last_ns - first_ns) / 1e9 : 0;
    }
    [[nodiscard]] double per_second(std::uint64_t count) const noexcept {
        return seconds() > 0 ? static_cast<double>(count) / seconds() : 0;
    }
    // Bytes of files per second, those of unfinished ones included: from the first machine to the last block.
    [[nodiscard]] double goodput() const noexcept {
        return last_block_ns > first_ns
                   ? static_cast<double>(bytes) * 1e9 / static_cast<double>(last_block_ns - first_ns)
                   : 0;
    }
};

}  // namespace rouse::load
