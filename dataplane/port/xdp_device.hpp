#pragma once
// The `xdp` device: an interface with our own XDP program (ebpf/) on it, and an AF_XDP socket on every one of
// its receive queues, since the program may give a frame only to the socket of the queue that it came by. The
// interface stays the kernel's: it keeps its addresses and every frame that the program does not steer here.
//
// Opening needs CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF and CAP_IPC_LOCK (or a generous RLIMIT_MEMLOCK), or root;
// running needs none. Closing, or the end of the process however it comes, gives the interface back.
// Frames whose VLAN tag the device strips look untagged here: `ethtool -K <interface> rxvlan off` where that
// matters.

#include "dataplane/port/device.hpp"
#include "dataplane/port/xdp.hpp"

#include <vector>

namespace rouse::port {

class XdpDevice {
  public:
    using PortType = XdpPort;

    // QUEUES: how many are served, which must be all that the interface has; 0: whatever that is. Refuses an
    // interface that is down or carries another XDP program.
    [[nodiscard]] static Result<XdpDevice> open(const std::string& interface, unsigned queues = 0,
                                                const XdpOptions& options = {});
    XdpDevice(XdpDevice&&) noexcept = default;
    XdpDevice& operator=(XdpDevice&&) noexcept = default;
    ~XdpDevice() = default;

    // See the concept Device.
    [[nodiscard]] std::span<XdpPort> ports() noexcept { return ports_; }
    [[nodiscard]] bool keeps_flows_together() const noexcept { return keeps_flows_together_; }
    [[nodiscard]] const std::string& interface_name() const noexcept { return interface_.name; }
    [[nodiscard]] bool has_link() const { return has_carrier(interface_.name); }
    [[nodiscard]] Result<void> join(std::span<const MacAddress> groups);
    [[nodiscard]] std::string describe() const;  // "xdp:rack0, native mode, copy"

    // What the program in front of the sockets counted.
    [[nodiscard]] const ebpf::XdpProgram& program() const noexcept { return *program_; }

  private:
    // A packet socket that receives nothing holds the memberships.
    class Membership {
      public:
        Membership() = default;
        Membership(Membership&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
        Membership& operator=(Membership&& other) noexcept {
            std::swap(fd_, other.fd_);
            return *this;
        }
        ~Membership();
        [[nodiscard]] Result<void> add(const std::string& interface, const MacAddress& group);

      private:
        int fd_ = -1;
    };
    XdpDevice(Interface interface, ebpf::XdpProgram program, std::string remark)
        : interface_(std::move(interface)),
          program_(std::make_unique<ebpf::XdpProgram>(std::move(program))),
          remark_(std::move(remark)) {}

    Interface interface_;
    std::unique_ptr<ebpf::XdpProgram> program_;  // at an address that stays
    std::string remark_;
    bool keeps_flows_together_ = true;
    Membership membership_;
    std::vector<XdpPort> ports_;
};
static_assert(Device<XdpDevice>);

}  // namespace rouse::port
