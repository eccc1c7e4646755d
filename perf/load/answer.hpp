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
};

// Nothing, when it is no whole, well-formed DHCP answer to a client: wrong checksums included.
[[nodiscard]] std::optional<Answer> read_answer(wire::ConstBytes frame) noexcept;

}  // namespace rouse::load
