#pragma once
// What other DHCP servers tell their clients, as far as it shows who they are.

#include "dataplane/wire/udp.hpp"

#include <optional>

namespace rouse::dhcp {

// An answer that was not meant for us (RFC 2131 3.1, RFC 951).
struct Overheard {
    MacAddress client;
    Ipv4Address server;  // option 54, else who sent it
};

// DATAGRAM came to kDhcpClientPort. DropReason::none: OUT holds what it told.
[[nodiscard]] DropReason parse_overheard(const wire::Datagram& datagram, Overheard& out) noexcept;

}  // namespace rouse::dhcp
