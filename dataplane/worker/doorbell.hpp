#pragma once
// Wakes a worker that rests. Ringing costs a system call only if it does rest.

#include "shared/result.hpp"

#include <atomic>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace rouse::worker {

// One worker rests by it, any thread rings. Whoever rings has published what there is to do by a sequentially
// consistent store; the worker looks for it after prepare() and before it rests: so one of them sees the
// other.
class Doorbell {
  public:
    [[nodiscard]] static Result<Doorbell> make() {
        const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (fd < 0) return fail_errno("cannot make an eventfd to wake a worker by");
        return Doorbell(fd);
    }
    Doorbell(Doorbell&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}  // before any thread uses it
    Doorbell& operator=(Doorbell&&) = delete;
    ~Doorbell() {
        if (fd_ >= 0) ::close(fd_);
    }

    // The worker: before it rests, and after.
    void prepare() noexcept { rests_.store(true, std::memory_order_seq_cst); }
    void done() noexcept {
        rests_.store(false, std::memory_order_relaxed);
        eventfd_t rings = 0;
        ::eventfd_read(fd_, &rings);  // EAGAIN: nobody rang
    }
    // Readable once it was rung.
    [[nodiscard]] int fd() const noexcept { return fd_; }

    void ring() noexcept {
        if (rests_.load(std::memory_order_seq_cst) && rests_.exchange(false, std::memory_order_relaxed))
            ::eventfd_write(fd_, 1);
    }

  private:
    explicit Doorbell(int fd) noexcept : fd_(fd) {}
    int fd_;
    alignas(64) std::atomic<bool> rests_{false};
};

}  // namespace rouse::worker
