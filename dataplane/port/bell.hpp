#pragma once
// Wakes a thread that rests. Ringing costs a system call only if it does rest.

#include "shared/result.hpp"

#include <atomic>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace rouse::port {

// One thread rests by it, any other rings. Whoever rings has published what there is to do by a sequentially
// consistent store; the other looks for it after prepare() and before it rests: so one of them sees the
// other.
class Bell {
  public:
    [[nodiscard]] static Result<Bell> make() {
        const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (fd < 0) return fail_errno("cannot make an eventfd to wake a thread by");
        return Bell(fd);
    }
    Bell(Bell&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}  // before any thread uses it
    Bell& operator=(Bell&&) = delete;
    ~Bell() {
        if (fd_ >= 0) ::close(fd_);
    }

    // Who rests: before it does, and after.
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
    explicit Bell(int fd) noexcept : fd_(fd) {}
    int fd_;
    alignas(64) std::atomic<bool> rests_{false};
};

}  // namespace rouse::port
