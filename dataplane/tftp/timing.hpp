#pragma once
// How long a transfer waits for what.

#include "dataplane/tftp/timer_wheel.hpp"

#include <algorithm>
#include <cstdint>

namespace rouse::tftp {

// Before the first acknowledgement we may be answering a forged address: few packets, whatever timeout was
// asked for (1, 2, 4, 8 s between them, then 16 s of patience).
inline constexpr std::uint64_t kOfferIntervalMs = 1000;
inline constexpr std::uint8_t kOfferRetries = 4;

// A rack's round trip is below a millisecond; clients repeat themselves after 100 ms (busybox) to 4 s (EDK2).
inline constexpr std::uint64_t kBlockIntervalMs = 250;
inline constexpr std::uint64_t kMaxIntervalMs = 8000;
// GRUB stops acknowledging while it is busy with what it has, so patience is long ...
inline constexpr std::uint64_t kPatienceMs = 60'000;
inline constexpr std::uint8_t kMinBlockRetries = 3;
// ... but when everything was sent, many clients never acknowledge the end: they are already running it.
// Longer than the most patient client repeats itself (EDK2: every 4 s, 6 times).
inline constexpr std::uint64_t kLastBlocksPatienceMs = 25'000;

// A repeated ACK sooner than this after the block was sent is an echo in the network, not the client's timer:
// answering it would double every packet from there on (RFC 1123 4.2.3.1). Below the quickest client's 100
// ms.
inline constexpr std::uint64_t kEchoMs = 50;
// A request that is repeated within this time of a sign of life is a late duplicate of the first; from a
// client that started over it comes seconds later.
inline constexpr std::uint64_t kLateRequestMs = 500;

inline constexpr std::uint64_t kFinishedMs = 3000;  // how long late duplicates are recognised
inline constexpr std::uint64_t kPendingPollMs = 3;
inline constexpr std::uint64_t kPendingPatienceMs = 30'000;

// The wait before the retransmission that follows `tries` others: doubling, at most kMaxIntervalMs or the
// client's own timeout if that is longer (RFC 2349; `timeout_s` 0: none agreed).
[[nodiscard]] constexpr std::uint64_t block_interval_ms(std::uint8_t timeout_s, unsigned tries) noexcept {
    const std::uint64_t first = timeout_s == 0 ? kBlockIntervalMs : std::uint64_t{timeout_s} * 1000;
    return std::min(first << std::min(tries, 16U), std::max(first, kMaxIntervalMs));
}
[[nodiscard]] constexpr std::uint64_t offer_interval_ms(unsigned tries) noexcept {
    return kOfferIntervalMs << std::min(tries, unsigned{kOfferRetries});
}

// How long a client has been silent when the interval after `tries` retransmissions is over.
[[nodiscard]] constexpr std::uint64_t silence_ms(std::uint8_t timeout_s, unsigned tries) noexcept {
    std::uint64_t total = 0;
    for (unsigned i = 0; i <= tries; ++i) total += block_interval_ms(timeout_s, i);
    return total;
}

}  // namespace rouse::tftp
