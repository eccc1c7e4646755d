#pragma once
// Frames from one thread to one other, copied; and the bell that wakes whoever waits for them.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

namespace rouse::port {

// Single producer, single consumer; full means refused.
class FrameRing {
  public:
    static constexpr std::uint32_t kSlots = 1024;  // outlasts a thread that has to wait for its core
    static constexpr std::size_t kMaxFrameBytes = 2044;

    // Producer. False: full, or FRAME is too long.
    [[nodiscard]] bool push(std::span<const std::byte> frame) noexcept {
        const std::uint64_t head = head_.load(std::memory_order_relaxed);
        if (frame.size() > kMaxFrameBytes || head - tail_.load(std::memory_order_acquire) == kSlots)
            return false;
        Slot& slot = slots_[head % kSlots];
        slot.length = static_cast<std::uint32_t>(frame.size());
        std::memcpy(slot.bytes.data(), frame.data(), frame.size());
        head_.store(head + 1, std::memory_order_seq_cst);  // see Bell
        return true;
    }
    [[nodiscard]] bool is_full() const noexcept {
        return head_.load(std::memory_order_relaxed) - tail_.load(std::memory_order_acquire) == kSlots;
    }

    // Consumer. The oldest frame, in place until pop(); empty: there is none.
    [[nodiscard]] std::span<const std::byte> front() const noexcept {
        const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        if (head_.load(std::memory_order_seq_cst) == tail) return {};
        const Slot& slot = slots_[tail % kSlots];
        return std::span(slot.bytes).first(slot.length);
    }
    void pop() noexcept { tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  private:
    struct Slot {
        std::uint32_t length = 0;
        std::array<std::byte, kMaxFrameBytes> bytes;
    };
    alignas(64) std::atomic<std::uint64_t> head_{0};
    alignas(64) std::atomic<std::uint64_t> tail_{0};
    alignas(64) std::vector<Slot> slots_{kSlots};
};

// One thread rests by it, others ring; that costs a system call only if it does rest. Whoever rings has
// published what there is to do by a sequentially consistent store; the other looks for it after prepare()
// and before it rests: so one of them sees the other.
class Bell {
  public:
    Bell() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
    ~Bell() {
        if (fd_ >= 0) ::close(fd_);
    }
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;

    [[nodiscard]] int fd() const noexcept {
        return fd_;
    }  // readable once it was rung; below 0: there is none

    void prepare() noexcept { rests_.store(true, std::memory_order_seq_cst); }
    void done() noexcept {
        rests_.store(false, std::memory_order_relaxed);
        eventfd_t rings = 0;
        ::eventfd_read(fd_, &rings);  // EAGAIN: nobody rang
    }
    void ring() noexcept {
        if (rests_.load(std::memory_order_seq_cst) && rests_.exchange(false, std::memory_order_relaxed))
            ::eventfd_write(fd_, 1);
    }

  private:
    int fd_;
    alignas(64) std::atomic<bool> rests_{false};
};

}  // namespace rouse::port
