#pragma once
// The host's share of a device that its kernel knows nothing of: a network interface (TAP) with the device's
// hardware address and our IP addresses. What the workers do not answer themselves goes there: TCP, so HTTP
// boot and SSH, neighbours' answers, other UDP. What the host says goes out by the device.
//
// Reading and writing the TAP are system calls, so a thread does that; workers only copy frames to and from
// it.

#include "dataplane/port/bell.hpp"
#include "dataplane/port/frame_ring.hpp"
#include "shared/addresses.hpp"
#include "shared/result.hpp"

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace rouse::port {

struct HostInterfaceOptions {
    std::string name{};                    // such as "rouse0"
    std::vector<std::string> addresses{};  // with prefix length: "10.77.0.1/16", "fd00:77::1/64"
};

class HostInterface {
  public:
    // Outlasts a thread that has to wait for its core.
    using Ring = FrameRing<1024, 2044>;

    // WORKERS: how many threads use it, each with a number of its own from 0. Needs CAP_NET_ADMIN and
    // /dev/net/tun. The interface is there as long as this is.
    [[nodiscard]] static Result<std::unique_ptr<HostInterface>> open(const HostInterfaceOptions& options,
                                                                     const MacAddress& hardware_address,
                                                                     std::uint32_t mtu, unsigned workers);
    ~HostInterface();
    HostInterface(const HostInterface&) = delete;
    HostInterface& operator=(const HostInterface&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    // A copy of FRAME for the host; false: it does not keep up. Seen after kick().
    [[nodiscard]] bool give(unsigned worker, std::span<const std::byte> frame) noexcept {
        return to_host_[worker]->give(frame);
    }
    void kick(unsigned worker) noexcept {
        if (to_host_[worker]->publish()) bell_.ring();
    }

    // Worker 0 alone: the oldest frames from the host, as many as OUT takes; in place until release().
    [[nodiscard]] std::size_t take(std::span<Frame> out) noexcept { return from_host_.take(out); }
    void release(std::size_t n) noexcept { from_host_.release(n); }
    // Worker 0 rests by the bell while nothing is there to take.
    [[nodiscard]] bool is_quiet() const noexcept { return from_host_.is_empty(); }
    [[nodiscard]] Bell& worker_bell() noexcept { return worker_bell_; }

    // Frames that the kernel refused (the interface is down) or that no ring had room for. Any thread.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

  private:
    HostInterface(std::string name, int tap, unsigned workers, Bell bell, Bell worker_bell);
    void run() noexcept;
    bool write_out() noexcept;  // true: there was something
    bool read_in() noexcept;    // likewise
    void rest() noexcept;

    std::string name_;
    int tap_;
    std::vector<std::unique_ptr<Ring>> to_host_;
    Ring from_host_;
    Bell bell_;  // the thread's
    Bell worker_bell_;
    std::atomic<std::uint64_t> lost_{0};
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace rouse::port
