#pragma once
// Which ports TFTP transfers may have of their own. Start-up only.

#include "shared/port_range.hpp"
#include "shared/result.hpp"

#include <string>

namespace rouse::worker {

// Where the kernel says from which ports it gives its own programs one: first and last, in this network
// namespace (ip-sysctl, ip_local_port_range).
inline constexpr const char* kEphemeralPortsFile = "/proc/sys/net/ipv4/ip_local_port_range";

// On an interface that stays the kernel's, what comes to PORTS is taken from it: an error when it could be
// the answer to one of its own programs.
[[nodiscard]] Result<void> refuse_ephemeral_ports(const PortRange& ports,
                                                  const std::string& file = kEphemeralPortsFile);

}  // namespace rouse::worker
