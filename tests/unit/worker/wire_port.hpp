#pragma once
// A memory port whose wire another thread may use: what it sends in is received by the worker's, which
// sleeps while there is nothing.

#include "dataplane/port/memory.hpp"

#include <deque>
#include <mutex>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

namespace rouse::test {

class WirePort {
  public:
    static constexpr bool kOwnsInterface = true;
    using Bytes = std::vector<std::byte>;

    WirePort() = default;
    WirePort(const WirePort&) = delete;
    WirePort& operator=(const WirePort&) = delete;
    ~WirePort() { ::close(arrival_); }

    // ── the wire's side, any thread ──────────────────────────────────────────────────────────────────────
    void send_in(Bytes frame) {
        const std::lock_guard lock(mutex_);
        in_.push_back(std::move(frame));
        ::eventfd_write(arrival_, 1);
    }
    [[nodiscard]] std::deque<Bytes> take_out() {
        const std::lock_guard lock(mutex_);
        return std::exchange(out_, {});
    }

    // ── the worker's ─────────────────────────────────────────────────────────────────────────────────────
    std::size_t receive(std::span<port::Frame> frames) {
        {
            const std::lock_guard lock(mutex_);
            for (; !in_.empty() && memory_.inject(in_.front()); in_.pop_front()) continue;
        }
        return memory_.receive(frames);
    }
    void release(std::span<const port::Frame> frames) { memory_.release(frames); }
    std::size_t allocate(std::span<port::Frame> frames) { return memory_.allocate(frames); }
    std::size_t send(std::span<const port::Frame> frames) { return memory_.send(frames); }
    void flush() {
        memory_.flush();
        const std::lock_guard lock(mutex_);
        for (auto& frame : memory_.take_sent()) out_.push_back(std::move(frame));
    }
    void wait(std::uint64_t nanoseconds, int wake_fd) {
        std::array<pollfd, 2> events{{{.fd = arrival_, .events = POLLIN, .revents = 0},
                                      {.fd = wake_fd, .events = POLLIN, .revents = 0}}};
        ::poll(events.data(), events.size(), static_cast<int>(nanoseconds / 1'000'000));
        eventfd_t arrivals = 0;
        ::eventfd_read(arrival_, &arrivals);
    }
    [[nodiscard]] MacAddress hardware_address() const { return memory_.hardware_address(); }
    [[nodiscard]] std::uint32_t mtu() const { return memory_.mtu(); }
    [[nodiscard]] port::DeviceStatistics statistics() const { return memory_.statistics(); }

  private:
    port::MemoryPort memory_;  // the worker's alone
    std::mutex mutex_;
    std::deque<Bytes> in_;
    std::deque<Bytes> out_;
    int arrival_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
};
static_assert(port::Port<WirePort>);

}  // namespace rouse::test
