#pragma once
// The `xdp` port: an AF_XDP socket on receive queue 0 of an interface, fed by our own XDP program (ebpf/).
// The interface stays the kernel's: it keeps its addresses and every frame that the program does not steer
// here.
//
// One memory area (UMEM) of 2 KiB frames, registered with the kernel and cut in two:
//   receive frames:  fill ring ─► kernel ─► receive ring ─► receive() … release() ─► fill ring
//   transmit frames: index stack ─► allocate() … send() ─► transmit ring ─► kernel ─► completion ring ─►
//   stack
// Each ring has room for every frame of its half, those to the kernel for each of them twice, so none can be
// full while a frame is in hand.
//
// Opening needs CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF and CAP_IPC_LOCK (or a generous RLIMIT_MEMLOCK), or root;
// running needs none. Closing, or the end of the process however it comes, gives the interface back.
// Frames whose VLAN tag the device strips look untagged here: `ethtool -K <interface> rxvlan off` where that
// matters.

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
    std::uint32_t receive_frames = 2048;   // bounds what waits while the worker is away
    std::uint32_t transmit_frames = 2048;  // bounds what is on its way out
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

    // Refuses an interface that is down, carries another XDP program, or spreads frames over several queues.
    [[nodiscard]] static Result<XdpPort> open(const std::string& interface, const XdpOptions& options = {});
    XdpPort(XdpPort&&) noexcept;
    XdpPort& operator=(XdpPort&&) noexcept;
    ~XdpPort();

    // Has the device let frames to these Ethernet groups through, for as long as the port is open. The kernel
    // joins only what its own addresses need.
    [[nodiscard]] Result<void> join(std::span<const MacAddress> groups);

    std::size_t receive(std::span<Frame> frames) noexcept;
    void release(std::span<const Frame> frames) noexcept;
    std::size_t allocate(std::span<Frame> frames) noexcept;
    std::size_t send(std::span<const Frame> frames) noexcept;
    void flush() noexcept;

    // One poll(2) on the socket.
    void wait(std::uint64_t nanoseconds) noexcept;

    [[nodiscard]] const std::string& interface_name() const noexcept;
    [[nodiscard]] MacAddress hardware_address() const noexcept;
    // The interface's at opening, at most kMaxMtu: larger frames would not be received.
    [[nodiscard]] std::uint32_t mtu() const noexcept;
    [[nodiscard]] DeviceStatistics statistics() const noexcept;
    [[nodiscard]] std::string describe() const;

    // What the program in front of the socket counted.
    [[nodiscard]] const ebpf::XdpProgram& program() const noexcept;

  private:
    struct Device;
    explicit XdpPort(std::unique_ptr<Device> device) noexcept;
    std::unique_ptr<Device> device_;
};
static_assert(Port<XdpPort>);

}  // namespace rouse::port
