#pragma once
// What the kernel knows about a network interface. Start-up only.

#include "dataplane/wire/udp.hpp"
#include "shared/result.hpp"

#include <string>

namespace rouse::worker {

// The address we answer with on INTERFACE: its first IPv4 address, or ADDRESS if not empty, which must be one
// of the interface's. `mac` is left to the port.
[[nodiscard]] Result<wire::Self> find_self(const std::string& interface, const std::string& address);

}  // namespace rouse::worker
