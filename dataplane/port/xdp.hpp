#pragma once
// One port of an XdpDevice: the AF_XDP socket on one queue of its interface.
//
// One memory area (UMEM) of 2 KiB frames, registered with the kernel and cut in two:
//   receive frames:  fill ring ─► kernel ─► receive ring ─► receive() … release() ─► fill ring
//   transmit frames: index stack ─► allocate() … send() ─► transmit ring ─► kernel ─► completion ring ─►
//   stack
// Each ring has room for every frame of its half, those to the kernel for each of them twice, so none can be
// full while a frame is in hand.

#include "dataplane/port/interface.hpp"
#include "dataplane/port/port.hpp"
#include "ebpf/loader.hpp"
#include "shared/result.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace rouse::port {

struct XdpOptions {
    std::optional<ebpf::XdpMode> mode{};   // none: native, else generic
    std::uint32_t receive_frames = 2048;   // of each queue; bounds what waits while its worker is away
    std::uint32_t transmit_frames = 2048;  // likewise; bounds what is on its way out
    std::uint32_t allow_list_size = ebpf::kDefaultAllowListSize;
    std::string remark{};  // ends describe(): why this port was chosen
};

// Owned by one worker thread. Only flush(), wait() and statistics() make system calls.
class XdpPort {
  public:
    static constexpr bool kOwnsInterface = false;
    static constexpr std::uint32_t kFrameBytes = 2048;
    // The kernel keeps this much in front of a received frame (XDP_PACKET_HEADROOM).
    static constexpr std::uint32_t kReceiveHeadroom = 256;
    static constexpr std::uint32_t kMaxMtu = kFrameBytes - kReceiveHeadroom - 14;

    // On INTERFACE's receive and transmit queue QUEUE, fed by PROGRAM, which outlives the port.
    [[nodiscard]] static Result<XdpPort> open(const Interface& interface, std::uint32_t queue,
                                              const ebpf::XdpProgram& program, const XdpOptions& options);
    XdpPort(XdpPort&&) noexcept;
    XdpPort& operator=(XdpPort&&) noexcept;
    ~XdpPort();

    std::size_t receive(std::span<Frame> frames) noexcept;
    void release(std::span<const Frame> frames) noexcept;
    std::size_t allocate(std::span<Frame> frames) noexcept;
    std::size_t send(std::span<const Frame> frames) noexcept;
    void flush() noexcept;

    // One poll(2).
    void wait(std::uint64_t nanoseconds, int wake_fd) noexcept;

    [[nodiscard]] MacAddress hardware_address() const noexcept;
    // The interface's at opening, at most kMaxMtu: larger frames would not be received.
    [[nodiscard]] std::uint32_t mtu() const noexcept;
    [[nodiscard]] DeviceStatistics statistics() const noexcept;
    // The driver reads and writes our memory itself.
    [[nodiscard]] bool is_zero_copy() const noexcept;

  private:
    struct Socket;
    explicit XdpPort(std::unique_ptr<Socket> socket) noexcept;
    std::unique_ptr<Socket> socket_;
};
static_assert(Port<XdpPort>);

}  // namespace rouse::port
