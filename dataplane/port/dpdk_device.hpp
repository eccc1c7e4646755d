#pragma once
// The `dpdk` device: any that DPDK has a driver for, physical (by VFIO) or made of software. It is ours
// alone: the kernel knows nothing of it.

#include "dataplane/port/device.hpp"
#include "dataplane/port/dpdk.hpp"

#include <vector>

namespace rouse::port {

class DpdkDevice {
  public:
    using PortType = DpdkPort;

    // DEVICE: what EAL takes for `--vdev` or `-a`, such as `net_memif0,role=client`, `net_tap0,iface=tap0` or
    // `0000:03:00.0`. QUEUES: how many; 0: as many as suit it. The calling thread becomes DPDK's main thread
    // if it is the first to open one.
    [[nodiscard]] static Result<DpdkDevice> open(const std::string& device, unsigned queues = 1,
                                                 const DpdkOptions& options = {});
    DpdkDevice(DpdkDevice&&) noexcept;
    DpdkDevice& operator=(DpdkDevice&&) noexcept;
    ~DpdkDevice();

    // See the concept Device.
    [[nodiscard]] std::span<DpdkPort> ports() noexcept { return ports_; }
    [[nodiscard]] bool keeps_flows_together() const noexcept;
    [[nodiscard]] const std::string& interface_name() const noexcept {
        return interface_name_;
    }  // empty: the host has none
    [[nodiscard]] bool has_link() const noexcept;
    [[nodiscard]] Result<void> join(std::span<const MacAddress> groups);
    [[nodiscard]] std::string describe() const;  // "dpdk:net_tap0, driver net_tap, 1 queue, huge pages"

  private:
    DpdkDevice(std::unique_ptr<Ethdev> device, std::unique_ptr<HostInterface> host);
    std::unique_ptr<Ethdev> device_;
    std::unique_ptr<HostInterface> host_;
    std::string interface_name_;
    std::vector<DpdkPort> ports_;  // go first
};
static_assert(Device<DpdkDevice>);

}  // namespace rouse::port
