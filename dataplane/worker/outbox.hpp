#pragma once
// Frames on their way out: filled one by one during a turn, handed to the port in bursts, one kick per turn.

#include "dataplane/port/port.hpp"
#include "shared/counters.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace rouse::worker {

template <port::Port P>
class Outbox {
  public:
    Outbox(P& port, WorkerCounters& counters) noexcept : port_(&port), counters_(&counters) {
        if constexpr (requires { port.sums_udp(); }) device_sums_ = port.sums_udp();
    }
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;
    ~Outbox() {
        for (std::size_t i = next_; i < count_; ++i) frames_[i].length = 0;
        port_->send(std::span(frames_).first(count_));
    }

    // Room for one frame; empty when the port has none free. The same room until commit().
    [[nodiscard]] std::span<std::byte> room() noexcept {
        if (next_ == count_) {
            hand_over();
            count_ = port_->allocate(frames_);
        }
        return next_ == count_ ? std::span<std::byte>{} : frames_[next_].room();
    }
    // The device can complete UDP checksums.
    [[nodiscard]] bool device_sums() const noexcept { return device_sums_; }
    // The frame in room() is LENGTH bytes long and goes out with the turn. DEVICE_SUMS: see port::Frame.
    void commit(std::size_t length, bool device_sums = false) noexcept {
        port::Frame& frame = frames_[next_++];
        frame.length = static_cast<std::uint32_t>(length);
        frame.device_sums = device_sums;
    }
    // The end of a turn: everything committed goes to the device. Frames not used stay for the next turn.
    void flush() noexcept {
        hand_over();
        port_->flush();
    }

  private:
    void hand_over() noexcept {
        if (next_ == 0) return;
        std::uint64_t bytes = 0;
        for (std::size_t i = 0; i < next_; ++i) bytes += frames_[i].length;
        counters_->add(Counter::frames_sent, next_);
        counters_->add(Counter::bytes_sent, bytes);
        const std::size_t sent = port_->send(std::span(frames_).first(next_));
        if (sent < next_) counters_->drop(DropReason::transmit_ring_full, next_ - sent);
        std::copy(frames_.begin() + static_cast<std::ptrdiff_t>(next_),
                  frames_.begin() + static_cast<std::ptrdiff_t>(count_), frames_.begin());
        count_ -= next_;
        next_ = 0;
    }

    P* port_;
    WorkerCounters* counters_;
    bool device_sums_ = false;
    std::array<port::Frame, port::kBurst> frames_{};
    std::size_t next_ = 0;   // first not committed
    std::size_t count_ = 0;  // allocated
};

}  // namespace rouse::worker
