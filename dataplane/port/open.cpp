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

// A device bound to VFIO has no interface any more, so its name alone tells.
Result<AnyDevice> open_best(std::string_view arguments, unsigned queues, XdpOptions xdp, DpdkOptions dpdk) {
    if (is_pci_device(arguments)) {
        dpdk.remark = "chosen by auto: a PCI device, which only DPDK drives";
        return open_dpdk(arguments, queues, dpdk);
    }
    if (arguments.starts_with("net_")) {
        dpdk.remark = "chosen by auto: a device of DPDK's own";
        return open_dpdk(arguments, queues, dpdk);
    }
    xdp.remark = "chosen by auto: the interface is the kernel's, and DPDK would have to take it away";
    return open_xdp(arguments, queues, std::move(xdp));
}

}  // namespace

Result<AnyDevice> open_device(std::string_view spec, unsigned queues, XdpOptions xdp, DpdkOptions dpdk) {
    constexpr const char* kForms = "xdp:<interface>, dpdk:<EAL device> or auto:<either>";
    const auto colon = spec.find(':');
    const std::string_view kind = spec.substr(0, colon);
    if (colon == std::string_view::npos || spec.size() == colon + 1)
        return fail("port '" + std::string(spec) + "' is not of the form " + kForms);
    const std::string_view arguments = spec.substr(colon + 1);
    if (kind == "xdp") return open_xdp(arguments, queues, std::move(xdp));
    if (kind == "dpdk") return open_dpdk(arguments, queues, dpdk);
    if (kind == "auto") return open_best(arguments, queues, std::move(xdp), std::move(dpdk));
    return fail("there is no port of kind '" + std::string(kind) + "'; use " + kForms);
}

}  // namespace rouse::port
