#include "dataplane/worker/transfer_ports.hpp"

#include <fstream>

namespace rouse::worker {

Result<void> refuse_ephemeral_ports(const PortRange& ports, const std::string& file) {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
    if (!(std::ifstream(file) >> first >> last) || first == 0 || last < first)
        return fail("cannot read the kernel's own ports from " + file);
    const PortRange kernels{first, static_cast<std::uint16_t>(last - first + 1)};
    if (!ports.overlaps(kernels)) return {};
    return fail(
        "ports " + ports.to_string() + " of TFTP transfers are among " + kernels.to_string() +
        ", which the kernel gives to its own programs: choose others by dataplane.tftp_port_range, or "
        "move the kernel's by the sysctl net.ipv4.ip_local_port_range");
}

}  // namespace rouse::worker
