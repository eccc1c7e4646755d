#include "dataplane/port/open.hpp"

#include "dataplane/port/eal.hpp"

#include <utility>

namespace rouse::port {
namespace {

Result<AnyDevice> open_xdp(std::string_view arguments, unsigned queues, XdpOptions options) {
    const auto comma = arguments.find(',');
    if (comma != std::string_view::npos) {
        const std::string_view mode = arguments.substr(comma + 1);
        if (mode == "native")
            options.mode = ebpf::XdpMode::native;
        else if (mode == "generic")
            options.mode = ebpf::XdpMode::generic;
        else
            return fail("port mode '" + std::string(mode) + "' is neither native nor generic");
    }
    auto device = XdpDevice::open(std::string(arguments.substr(0, comma)), queues, options);
    if (!device) return tl::unexpected(device.error());
    return AnyDevice(std::move(*device));
}

Result<AnyDevice> open_dpdk(std::string_view arguments, unsigned queues, const DpdkOptions& options) {
    auto device = DpdkDevice::open(std::string(arguments), queues, options);
    if (!device) return tl::unexpected(device.error());
    return AnyDevice(std::move(*device));
}

}  // namespace

Choice choose(std::string_view device, const std::string& sysfs) {
    const std::string name(device);
    if (device.starts_with("net_")) return {.is_dpdk = true, .device = name, .why = "a device of DPDK's own"};
    if (const std::string interface = interface_of_kernels_device(device, sysfs); !interface.empty())
        return {.is_dpdk = false,
                .device = interface,
                .why = "PCI device " + pci_name(device) + " is the kernel's (driver " +
                       pci_driver(device, sysfs) + "); bound to vfio-pci, DPDK would drive it"};
    if (is_pci_device(device))
        return {.is_dpdk = true, .device = name, .why = "a PCI device, which only DPDK drives"};
    return {.is_dpdk = false,
            .device = name,
            .why = "the interface is the kernel's, and DPDK would have to take it away"};
}

Result<AnyDevice> open_device(std::string_view spec, unsigned queues, XdpOptions xdp, DpdkOptions dpdk) {
    constexpr const char* kForms = "xdp:<interface>, dpdk:<EAL device> or auto:<either>";
    const auto colon = spec.find(':');
    const std::string_view kind = spec.substr(0, colon);
    if (colon == std::string_view::npos || spec.size() == colon + 1)
        return fail("port '" + std::string(spec) + "' is not of the form " + kForms);
    const std::string_view arguments = spec.substr(colon + 1);
    if (kind == "xdp") return open_xdp(arguments, queues, std::move(xdp));
    if (kind == "dpdk") return open_dpdk(arguments, queues, dpdk);
    if (kind == "auto") {
        const Choice choice = choose(arguments);
        xdp.remark = dpdk.remark = "chosen by auto: " + choice.why;
        return choice.is_dpdk ? open_dpdk(choice.device, queues, dpdk)
                              : open_xdp(choice.device, queues, std::move(xdp));
    }
    return fail("there is no port of kind '" + std::string(kind) + "'; use " + kForms);
}

}  // namespace rouse::port
