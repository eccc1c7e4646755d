#include "dataplane/port/dpdk_device.hpp"

#include "dataplane/port/ethdev.hpp"

#include <utility>

namespace rouse::port {

Result<DpdkDevice> DpdkDevice::open(const std::string& device, unsigned queues, const DpdkOptions& options) {
    auto opened = Ethdev::open(device, queues, options);
    if (!opened) return tl::unexpected(opened.error());
    return DpdkDevice(std::move(*opened));
}

DpdkDevice::DpdkDevice(std::unique_ptr<Ethdev> device) : device_(std::move(device)) {
    for (std::uint16_t queue = 0; queue < device_->queues(); ++queue) ports_.emplace_back(*device_, queue);
}
DpdkDevice::DpdkDevice(DpdkDevice&&) noexcept = default;
DpdkDevice& DpdkDevice::operator=(DpdkDevice&&) noexcept = default;
DpdkDevice::~DpdkDevice() = default;

bool DpdkDevice::keeps_flows_together() const noexcept {
    return device_->keeps_flows_together();
}

Result<void> DpdkDevice::join(std::span<const MacAddress> groups) {
    return device_->join(groups);
}

std::string DpdkDevice::describe() const {
    return device_->describe();
}

}  // namespace rouse::port
