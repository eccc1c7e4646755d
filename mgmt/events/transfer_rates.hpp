#pragma once
// How fast transfers are, by protocol: a histogram, for the metrics, of what the timelines say one by one.

#include "shared/event.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace rouse::events {

// Written by the consumer's thread, read by /metrics at any time.
class TransferRates {
  public:
    static constexpr auto kBounds = std::to_array<double>({1e5, 1e6, 1e7, 1e8, 1e9});  // bytes per second
    // Below this a transfer is over before its rate means anything.
    static constexpr std::uint64_t kLeastBytes = 64 * 1024;

    struct Histogram {
        std::array<std::atomic<std::uint64_t>, kBounds.size() + 1>
            counts{};                         // the last: faster than all bounds
        std::atomic<std::uint64_t> bytes{0};  // of these transfers
        std::atomic<std::uint64_t> nanos{0};  // that they took
    };

    // Counts the end of a transfer that went well; any other event is passed over.
    void count(const Event& event) noexcept {
        const bool tftp = event.kind == EventKind::tftp_complete;
        if (!tftp && event.kind != EventKind::http_complete) return;
        if (event.bytes < kLeastBytes || event.duration_ns == 0) return;
        const double rate = static_cast<double>(event.bytes) * 1e9 / static_cast<double>(event.duration_ns);
        std::size_t bucket = 0;
        while (bucket < kBounds.size() && rate > kBounds[bucket]) ++bucket;
        Histogram& to = tftp ? tftp_ : http_;
        ++to.counts[bucket];
        to.bytes += event.bytes;
        to.nanos += event.duration_ns;
    }
    [[nodiscard]] const Histogram& tftp() const noexcept { return tftp_; }
    [[nodiscard]] const Histogram& http() const noexcept { return http_; }

  private:
    Histogram tftp_, http_;
};

}  // namespace rouse::events
