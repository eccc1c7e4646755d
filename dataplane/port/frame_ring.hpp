#pragma once
// Frames from one thread to one other, copied.

#include "dataplane/port/port.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace rouse::port {

// Single producer, single consumer; full means refused. SLOTS frames of MAX_BYTES at most.
template <std::uint32_t Slots, std::size_t MaxBytes>
class FrameRing {
  public:
    static constexpr std::uint32_t kSlots = Slots;
    static constexpr std::size_t kMaxFrameBytes = MaxBytes;

    // Producer. False: full, or FRAME is too long. Nothing is seen before publish().
    [[nodiscard]] bool give(std::span<const std::byte> frame) noexcept {
        if (frame.size() > kMaxFrameBytes || is_full()) return false;
        Slot& slot = slots_[head_++ % kSlots];
        slot.length = static_cast<std::uint32_t>(frame.size());
        std::memcpy(slot.bytes.data(), frame.data(), frame.size());
        return true;
    }
    // True when there was something new: then ring for the consumer.
    bool publish() noexcept {
        if (published_.load(std::memory_order_relaxed) == head_) return false;
        published_.store(head_, std::memory_order_seq_cst);  // see Bell
        return true;
    }
    [[nodiscard]] bool is_full() noexcept {
        if (head_ - seen_tail_ == kSlots) seen_tail_ = tail_.load(std::memory_order_acquire);
        return head_ - seen_tail_ == kSlots;
    }

    // Consumer. Frames stay where they are until release().
    [[nodiscard]] bool is_empty() const noexcept {
        return published_.load(std::memory_order_seq_cst) == tail_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t take(std::span<Frame> out) noexcept {
        const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        const std::uint64_t waiting = published_.load(std::memory_order_acquire) - tail;
        const auto n = std::min<std::uint64_t>(out.size(), waiting);
        for (std::uint64_t i = 0; i < n; ++i) {
            Slot& slot = slots_[(tail + i) % kSlots];
            out[i] = {slot.bytes.data(), slot.length, kMaxFrameBytes, 0};
        }
        return n;
    }
    void release(std::size_t n) noexcept {
        tail_.store(tail_.load(std::memory_order_relaxed) + n, std::memory_order_release);
    }

  private:
    struct alignas(64) Slot {
        std::uint32_t length = 0;
        std::array<std::byte, kMaxFrameBytes> bytes;
    };
    std::uint64_t head_ = 0;  // the producer's own: next to write
    std::uint64_t seen_tail_ = 0;
    alignas(64) std::atomic<std::uint64_t> published_{0};
    alignas(64) std::atomic<std::uint64_t> tail_{0};
    std::vector<Slot> slots_{kSlots};
};

}  // namespace rouse::port
