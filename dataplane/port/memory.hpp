#pragma once
// The `memory` port: a device without hardware. What a test or a benchmark injects is received, what the
// worker sends is taken out again. It keeps what makes a device a device: a bounded number of frames, bounded
// rings, and nothing leaves before the kick.
//
//   inject() ─► receive ring ─► receive() … release() ─► free receive frames
//   free transmit frames ─► allocate() … send() ─► transmit ring ─► flush() ─► drain() ─► free transmit
//   frames
//
// Every byte that is nobody's to touch (a free frame, what lies beyond a received frame's length, the gap
// before a frame) is poisoned under AddressSanitizer, so reading one byte too far ends the test.
//
// One thread; no allocation after construction, except take_sent().

#include "dataplane/port/capture.hpp"
#include "dataplane/port/fixed_ring.hpp"
#include "dataplane/port/port.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <poll.h>
#include <sanitizer/asan_interface.h>

namespace rouse::port {

struct MemoryOptions {
    std::uint32_t receive_frames = 1024;   // waiting in the ring and in the worker's hands, together
    std::uint32_t transmit_frames = 1024;  // in the worker's hands and in the ring, together
    std::uint32_t receive_ring = 1024;     // frames that can wait to be received
    std::uint32_t transmit_ring = 1024;    // frames that can wait to be drained
    MacAddress hardware_address{{0x02, 0x00, 0x00, 0x00, 0x00, 0x01}};
    std::uint32_t mtu = 1500;  // bytes of IP packet
    bool sums_udp = false;     // says that it completes UDP checksums; what it drains is as it was sent
};

class MemoryPort {
    static constexpr std::size_t kFrameStride = 2048;
    static constexpr std::size_t kGap = 64;  // before each frame: a cache line, and a guard under ASan
  public:
    static constexpr bool kOwnsInterface = true;
    static constexpr std::uint32_t kFrameCapacity = kFrameStride - kGap;  // bytes

    explicit MemoryPort(const MemoryOptions& options = {})
        : options_(options),
          memory_(options.receive_frames + options.transmit_frames),
          state_(memory_.size(), State::free),
          free_receive_(options.receive_frames),
          free_transmit_(options.transmit_frames),
          receive_ring_(options.receive_ring),
          transmit_ring_(options.transmit_ring) {
        for (std::uint32_t i = 0; i < memory_.size(); ++i) {
            (i < options.receive_frames ? free_receive_ : free_transmit_).push(i);
            ASAN_POISON_MEMORY_REGION(memory_[i].bytes.data(), kFrameStride);
        }
    }
    MemoryPort(const MemoryPort&) = delete;
    MemoryPort& operator=(const MemoryPort&) = delete;
    MemoryPort(MemoryPort&&) = default;
    MemoryPort& operator=(MemoryPort&&) = default;
    ~MemoryPort() {
        for (auto& frame : memory_) ASAN_UNPOISON_MEMORY_REGION(frame.bytes.data(), kFrameStride);
    }

    // ── the worker's side: see the concept Port ──────────────────────────────────────────────────────────

    std::size_t receive(std::span<Frame> frames) noexcept {
        const std::size_t n = std::min(frames.size(), receive_ring_.size());
        for (std::size_t i = 0; i < n; ++i) {
            frames[i] = receive_ring_.pop();
            move(frames[i].handle, State::queued, State::held);
        }
        held_ += n;
        return n;
    }

    void release(std::span<const Frame> frames) noexcept {
        assert(held_ >= frames.size() && "more frames given back than were taken");
        for (const Frame& frame : frames) {
            move(frame.handle, State::held, State::free);
            if (frame.handle != kForeign) recycle(free_receive_, frame.handle);
        }
        held_ -= frames.size();
    }

    std::size_t allocate(std::span<Frame> frames) noexcept {
        const std::size_t n = std::min(frames.size(), free_transmit_.size());
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint32_t index = free_transmit_.pop();
            move(index, State::free, State::held);
            std::byte* data = data_of(index);
            ASAN_UNPOISON_MEMORY_REGION(data, kFrameCapacity);
            frames[i] = {data, 0, kFrameCapacity, index};
        }
        held_ += n;
        return n;
    }

    std::size_t send(std::span<const Frame> frames) noexcept {
        assert(held_ >= frames.size() && "more frames sent than were allocated");
        std::size_t sent = 0;
        for (const Frame& frame : frames) {
            assert(frame.length <= kFrameCapacity);
            if (frame.length == 0 || transmit_ring_.full()) {
                move(frame.handle, State::held, State::free);
                recycle(free_transmit_, frame.handle);
                continue;
            }
            move(frame.handle, State::held, State::queued);
            transmit_ring_.push(frame);
            ++sent;
        }
        held_ -= frames.size();
        return sent;
    }

    void flush() noexcept {
        ++flushes_;
        if (capture_ == nullptr) {
            flushed_ = transmit_ring_.size();
            return;
        }
        for (; flushed_ < transmit_ring_.size(); ++flushed_)
            capture_->write(transmit_ring_.at(flushed_).bytes());
    }

    // The one thread cannot inject meanwhile, so only WAKE_FD is worth waiting for.
    void wait(std::uint64_t nanoseconds, int wake_fd) noexcept {
        pollfd event{.fd = wake_fd, .events = POLLIN, .revents = 0};
        if (wake_fd >= 0 && receive_ring_.empty())
            ::poll(&event, 1, static_cast<int>(nanoseconds / 1'000'000));
    }

    [[nodiscard]] MacAddress hardware_address() const noexcept { return options_.hardware_address; }
    [[nodiscard]] std::uint32_t mtu() const noexcept { return options_.mtu; }
    [[nodiscard]] bool sums_udp() const noexcept { return options_.sums_udp; }
    [[nodiscard]] DeviceStatistics statistics() const noexcept { return statistics_; }

    // ── the wire's side: tests and benchmarks ────────────────────────────────────────────────────────────

    // From here on every frame that is injected and every one that is flushed goes into CAPTURE too, which
    // must outlive the port; nullptr ends it.
    void capture_to(Capture* capture) noexcept { capture_ = capture; }

    // Copies BYTES into a receive frame. False, and counted as dropped by the device, when the ring is full,
    // no frame is free, or BYTES are more than a frame holds.
    bool inject(std::span<const std::byte> bytes) noexcept {
        if (receive_ring_.full() || free_receive_.empty() || bytes.size() > kFrameCapacity) {
            ++statistics_.receive_dropped;
            return false;
        }
        const std::uint32_t index = free_receive_.pop();
        move(index, State::free, State::queued);
        std::byte* data = data_of(index);
        ASAN_UNPOISON_MEMORY_REGION(data, bytes.size());
        if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
        const auto length = static_cast<std::uint32_t>(bytes.size());
        receive_ring_.push({data, length, length, index});
        if (capture_ != nullptr) capture_->write(bytes);
        return true;
    }

    // Without a copy, for benchmarks: the worker receives BYTES themselves, which stay the caller's and must
    // live until they are released. The same bytes may be injected many times over.
    bool inject_in_place(std::span<std::byte> bytes) noexcept {
        if (receive_ring_.full()) {
            ++statistics_.receive_dropped;
            return false;
        }
        const auto length = static_cast<std::uint32_t>(bytes.size());
        receive_ring_.push({bytes.data(), length, length, kForeign});
        if (capture_ != nullptr) capture_->write(bytes);
        return true;
    }

    // Takes every flushed frame, oldest first: VISIT(std::span<const std::byte>) sees its bytes in place,
    // then the frame is free again. Returns how many.
    template <typename Visit>
    std::size_t drain(Visit&& visit) {
        const std::size_t n = flushed_;
        for (; flushed_ > 0; --flushed_) {
            const Frame frame = transmit_ring_.pop();
            visit(frame.bytes());
            move(frame.handle, State::queued, State::free);
            recycle(free_transmit_, frame.handle);
        }
        return n;
    }
    std::size_t drain() noexcept {
        return drain([](std::span<const std::byte>) {});
    }
    // Copies of every flushed frame, oldest first.
    [[nodiscard]] std::vector<std::vector<std::byte>> take_sent() {
        std::vector<std::vector<std::byte>> sent;
        drain([&sent](std::span<const std::byte> bytes) { sent.emplace_back(bytes.begin(), bytes.end()); });
        return sent;
    }

    [[nodiscard]] std::size_t waiting() const noexcept { return receive_ring_.size(); }
    // Frames in the worker's hands: received and not released, or allocated and not sent. 0 when it is idle.
    [[nodiscard]] std::size_t held() const noexcept { return held_; }
    [[nodiscard]] std::size_t free_receive_frames() const noexcept { return free_receive_.size(); }
    [[nodiscard]] std::size_t free_transmit_frames() const noexcept { return free_transmit_.size(); }
    [[nodiscard]] std::uint64_t flushes() const noexcept { return flushes_; }

  private:
    enum class State : std::uint8_t { free, queued, held };
    static constexpr std::uint64_t kForeign = ~std::uint64_t{0};  // handle of bytes injected in place

    struct alignas(64) FrameMemory {
        std::array<std::byte, kFrameStride> bytes;
    };

    std::byte* data_of(std::uint64_t handle) noexcept { return memory_[handle].bytes.data() + kGap; }

    // Every step of a frame's life goes through here, so a double release or a foreign handle cannot pass.
    void move(std::uint64_t handle, [[maybe_unused]] State from, State to) noexcept {
        if (handle == kForeign) return;
        assert(handle < state_.size() && "not a frame of this port");
        assert(state_[handle] == from && "a frame was given back twice, or never taken");
        state_[handle] = to;
    }
    void recycle(FixedRing<std::uint32_t>& pool, std::uint64_t handle) noexcept {
        ASAN_POISON_MEMORY_REGION(data_of(handle), kFrameCapacity);
        pool.push(static_cast<std::uint32_t>(handle));
    }

    MemoryOptions options_;
    std::vector<FrameMemory> memory_;  // receive frames, then transmit frames
    std::vector<State> state_;
    FixedRing<std::uint32_t> free_receive_;
    FixedRing<std::uint32_t> free_transmit_;
    FixedRing<Frame> receive_ring_;
    FixedRing<Frame> transmit_ring_;
    std::size_t flushed_ = 0;  // of the transmit ring: what the wire has seen
    std::size_t held_ = 0;
    Capture* capture_ = nullptr;
    std::uint64_t flushes_ = 0;
    DeviceStatistics statistics_;
};
static_assert(Port<MemoryPort>);

}  // namespace rouse::port
