#pragma once
// One ring per worker: the worker produces, rouse-mgmt consumes. It lives in shared memory and survives
// either process; what the consumer has not yet released is read again after its restart. Full means drop and
// count.

#include "shared/event.hpp"
#include "shared/shared_memory.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>

namespace rouse {

struct EventRingLayout {
    static constexpr std::uint64_t kCapacity = 1 << 16;  // 16 MiB: 5 000 machines' whole boot with mgmt away
    // Chosen at random by the first consumer: sequences of a ring that was lost with its tmpfs start over,
    // and this tells the new ones from those already seen.
    std::atomic<std::uint64_t> identity{};
    alignas(64) std::atomic<std::uint64_t> head{};  // next to write; only the producer stores
    alignas(64) std::atomic<std::uint64_t> tail{};  // next to read; only the consumer stores
    alignas(64) std::array<Event, kCapacity> slots{};
};

[[nodiscard]] inline std::string event_ring_path(const std::string& run_dir, std::size_t worker) {
    return run_dir + "/events-" + std::to_string(worker);
}
[[nodiscard]] inline Result<SharedMemory<EventRingLayout>> open_event_ring(const std::string& run_dir,
                                                                           unsigned worker) {
    return SharedMemory<EventRingLayout>::open(event_ring_path(run_dir, worker));
}

// Owned by one worker thread. No system call, no lock, no wait.
class EventProducer {
  public:
    explicit EventProducer(EventRingLayout& ring) noexcept
        : ring_(&ring),
          head_(ring.head.load(std::memory_order_relaxed)),
          tail_(ring.tail.load(std::memory_order_acquire)) {}

    // False when the ring is full: the event is lost and the caller counts it. TIME_NS replaces the event's
    // own.
    bool push(const Event& event) noexcept { return push(event, event.time_ns); }
    bool push(const Event& event, std::uint64_t time_ns) noexcept {
        if (head_ - tail_ >= EventRingLayout::kCapacity) {
            tail_ = ring_->tail.load(std::memory_order_acquire);
            if (head_ - tail_ >= EventRingLayout::kCapacity) return false;
        }
        Event& slot = ring_->slots[head_ % EventRingLayout::kCapacity];
        slot = event;
        slot.sequence = head_ + 1;
        slot.time_ns = time_ns;
        ring_->head.store(++head_, std::memory_order_release);
        // The ring is larger than the caches: the line of the event after next is on its way before it is
        // due.
        __builtin_prefetch(&ring_->slots[(head_ + 1) % EventRingLayout::kCapacity], 1);
        return true;
    }

  private:
    EventRingLayout* ring_;
    std::uint64_t head_;
    std::uint64_t tail_;  // cached: the consumer's line is touched only when the ring looks full
};

// Owned by one thread of the management plane. Peek, act durably, then release: at least once delivery; with
// Event::sequence stored in the same transaction as the effect, exactly once.
class EventConsumer {
  public:
    // `fresh_identity`: a random non-zero number, kept if the ring has none yet.
    EventConsumer(EventRingLayout& ring, std::uint64_t fresh_identity) noexcept : ring_(&ring) {
        std::uint64_t none = 0;
        ring.identity.compare_exchange_strong(none, fresh_identity);
    }

    [[nodiscard]] std::uint64_t identity() const noexcept { return ring_->identity.load(); }

    [[nodiscard]] std::uint64_t waiting() const noexcept {
        const std::uint64_t tail = ring_->tail.load(std::memory_order_relaxed);
        const std::uint64_t head = ring_->head.load(std::memory_order_acquire);
        return std::min<std::uint64_t>(head - tail, EventRingLayout::kCapacity);
    }
    // Copies up to out.size() events that wait, oldest first; returns how many.
    [[nodiscard]] std::size_t peek(std::span<Event> out) const noexcept {
        const std::size_t n = std::min<std::size_t>(out.size(), waiting());
        const std::uint64_t tail = ring_->tail.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < n; ++i) out[i] = ring_->slots[(tail + i) % EventRingLayout::kCapacity];
        return n;
    }
    void release(std::size_t n) noexcept {
        ring_->tail.store(ring_->tail.load(std::memory_order_relaxed) + n, std::memory_order_release);
    }

  private:
    EventRingLayout* ring_;
};

}  // namespace rouse
