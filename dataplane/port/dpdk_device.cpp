#include "dataplane/port/dpdk_device.hpp"

#include "dataplane/port/ethdev.hpp"

#include <utility>

namespace rouse::port {

Result<DpdkDevice> DpdkDevice::open(const std::string& device, unsigned queues, const DpdkOptions& options) {
    auto opened = Ethdev::open(device, queues, options);
    if (!opened) return tl::unexpected(opened.error());
    if (options.host.name.empty()) return DpdkDevice(std::move(*opened), nullptr);
    const Ethdev& ethdev = **opened;
    auto host = HostInterface::open(options.host, ethdev.hardware_address(), ethdev.mtu(), ethdev.queues());
    if (!host) return tl::unexpected(host.error());
    return DpdkDevice(std::move(*opened), std::move(*host));
}

DpdkDevice::DpdkDevice(std::unique_ptr<Ethdev> device, std::unique_ptr<HostInterface> host)
    : device_(std::move(device)), host_(std::move(host)) {
    if (host_) interface_name_ = host_->name();
    for (std::uint16_t queue = 0; queue < device_->queues(); ++queue)
        ports_.emplace_back(*device_, queue, host_.get());
}
DpdkDevice::DpdkDevice(DpdkDevice&&) noexcept = default;
DpdkDevice& DpdkDevice::operator=(DpdkDevice&&) noexcept = default;
DpdkDevice::~DpdkDevice() = default;

bool DpdkDevice::keeps_flows_together() const noexcept {
    return device_->keeps_flows_together();
}

bool DpdkDevice::has_link() const noexcept {
    return device_->has_link();
}

Result<void> DpdkDevice::join(std::span<const MacAddress> groups) {
    return device_->join(groups);
}

std::string DpdkDevice::describe() const {
    return device_->describe() + (host_ ? "; the host's share is " + interface_name_ : "");
}

}  // namespace rouse::port
