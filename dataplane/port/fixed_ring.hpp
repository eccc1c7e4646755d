#pragma once
// A first-in first-out queue whose memory is taken once.

#include <bit>
#include <cassert>
#include <cstddef>
#include <vector>

namespace rouse::port {

// Holds `capacity` values. One thread.
template <typename T>
class FixedRing {
  public:
    explicit FixedRing(std::size_t capacity)
        : capacity_(capacity), slots_(std::bit_ceil(capacity)), mask_(slots_.size() - 1) {}

    [[nodiscard]] std::size_t size() const noexcept { return head_ - tail_; }
    [[nodiscard]] bool empty() const noexcept { return head_ == tail_; }
    [[nodiscard]] bool full() const noexcept { return size() == capacity_; }

    void push(const T& value) noexcept {
        assert(!full());
        slots_[head_++ & mask_] = value;
    }
    T pop() noexcept {
        assert(!empty());
        return slots_[tail_++ & mask_];
    }
    // The value that is popped after POSITION others.
    [[nodiscard]] const T& at(std::size_t position) const noexcept {
        assert(position < size());
        return slots_[(tail_ + position) & mask_];
    }

  private:
    std::size_t capacity_;
    std::vector<T> slots_;
    std::size_t mask_;
    std::size_t head_ = 0;  // next to write; both run freely and are masked on use
    std::size_t tail_ = 0;  // next to read
};

}  // namespace rouse::port
