#include "dataplane/port/open.hpp"

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

}  // namespace

Result<AnyDevice> open_device(std::string_view spec, unsigned queues, XdpOptions xdp) {
    const auto colon = spec.find(':');
    const std::string_view kind = spec.substr(0, colon);
    if (colon == std::string_view::npos || spec.size() == colon + 1)
        return fail("port '" + std::string(spec) +
                    "' is not of the form xdp:<interface> or auto:<interface>");
    const std::string_view arguments = spec.substr(colon + 1);
    if (kind == "xdp") return open_xdp(arguments, queues, std::move(xdp));
    if (kind == "auto") {
        xdp.remark = "chosen by auto as the only kind for an interface";
        return open_xdp(arguments, queues, std::move(xdp));
    }
    return fail("there is no port of kind '" + std::string(kind) +
                "'; use xdp:<interface> or auto:<interface>");
}

}  // namespace rouse::port
