#pragma once
// The kernel's neighbour table (ARP and NDP) of the rack's interface.

#include "shared/addresses.hpp"

#include <optional>
#include <string>

namespace rouse::mgmt {

// The hardware address that the kernel sends to when it sends to PEER by INTERFACE; nothing when it sends to
// a router, or to nobody. A connection's peer on the link is always known while the connection is. Asks by
// netlink in the calling thread's network namespace (rtnetlink(7), RTM_GETNEIGH); any thread.
[[nodiscard]] std::optional<MacAddress> neighbour_of(const std::string& interface, const IpAddress& peer);

}  // namespace rouse::mgmt
