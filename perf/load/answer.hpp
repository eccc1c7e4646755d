#pragma once
// A server's DHCP message as a machine of the simulated rack reads it.

#include "dataplane/wire/dhcp.hpp"
#include "dataplane/wire/udp.hpp"

#include <optional>

namespace rouse::load {

struct Answer {
    MacAddress machine;  // chaddr
    std::uint32_t transaction = 0;
    wire::DhcpType type = wire::DhcpType::none;
    Ipv4Address address;  // yiaddr
    Ipv4Address server;   // option 54, else who sent it
    Ipv4Address files;    // siaddr: where the boot files are; else as `server`
    Ipv4Address mask;     // option 1; none: all is on the link
    Ipv4Address router;   // option 3, the first
};

// Nothing, when it is no whole, well-formed DHCP answer. DATAGRAM went to the clients' port.
[[nodiscard]] std::optional<Answer> read_answer(const wire::Datagram& datagram) noexcept;

}  // namespace rouse::load
