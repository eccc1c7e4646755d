#pragma once
// What the kernel knows about a network interface. Start-up only.

#include "dataplane/wire/ipv6.hpp"
#include "dataplane/wire/udp.hpp"
#include "shared/result.hpp"

#include <string>

namespace rouse::worker {

// The address we answer with on INTERFACE: its first IPv4 address, or ADDRESS if not empty, which must be one
// of the interface's. `mac` is left to the port.
[[nodiscard]] Result<wire::Self> find_self(const std::string& interface, const std::string& address);

// INTERFACE's IPv6 addresses, and the groups of a DHCPv6 server and router. Without a link-local one (IPv6 is
// off there, or not yet up): the one that MAC stands for.
[[nodiscard]] Result<wire::Self6> find_self6(const std::string& interface, const MacAddress& mac);

}  // namespace rouse::worker
