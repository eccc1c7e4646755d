#pragma once
// Quiescent-state reclamation: workers look at shared objects without locks and say once per loop turn that
// they hold none; whoever took an object out of sight frees it when every worker has said so since.

#include "shared/counters.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>

namespace rouse::image {

class GracePeriod {
  public:
    static constexpr std::uint64_t kAbsent = std::numeric_limits<std::uint64_t>::max();

    // One per worker, used by its thread alone.
    struct alignas(64) Seat {
        std::atomic<std::uint64_t> seen{kAbsent};
    };

    // Not for the packet path: a worker takes its seat before it looks at anything. The caller serialises it
    // with begin() and is_over().
    [[nodiscard]] Seat* take_seat() noexcept {
        const auto seat = std::ranges::find_if(
            seats_, [](const Seat& s) { return s.seen.load(std::memory_order_relaxed) == kAbsent; });
        if (seat == seats_.end()) return nullptr;
        seat->seen.store(epoch_.load(), std::memory_order_seq_cst);
        return &*seat;
    }
    static void leave(Seat& seat) noexcept { seat.seen.store(kAbsent, std::memory_order_release); }

    // Worker, once per turn: what was looked up before is no longer used, unless it was retained.
    void quiescent(Seat& seat) const noexcept {
        seat.seen.store(epoch_.load(std::memory_order_acquire), std::memory_order_release);
    }

    // After something was taken out of sight: the moment that every worker must have passed.
    [[nodiscard]] std::uint64_t begin() noexcept { return epoch_.fetch_add(1) + 1; }
    [[nodiscard]] bool is_over(std::uint64_t epoch) const noexcept {
        return std::ranges::all_of(
            seats_, [&](const Seat& s) { return s.seen.load(std::memory_order_acquire) >= epoch; });
    }

  private:
    std::atomic<std::uint64_t> epoch_{1};
    std::array<Seat, kMaxWorkers> seats_{};
};

}  // namespace rouse::image
