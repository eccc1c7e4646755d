#pragma once
// A client's DHCP message, validated and taken apart; its spans lie in the received frame.

#include "dataplane/wire/dhcp.hpp"
#include "shared/boot_architecture.hpp"
#include "shared/client_kind.hpp"
#include "shared/drop_reason.hpp"

#include <cstdint>
#include <optional>

namespace rouse::dhcp {

struct Message {
    wire::DhcpHeader header;
    wire::DhcpType type = wire::DhcpType::none;
    std::optional<Ipv4Address> requested_address;                  // option 50
    std::optional<Ipv4Address> server_identifier;                  // option 54
    std::uint16_t architecture = kArchitectureUnknown;             // option 93, its first value
    std::size_t maximum_datagram = wire::kDefaultMaximumDatagram;  // option 57
    wire::ConstBytes client_identifier;                            // option 61
    wire::ConstBytes client_uuid;                                  // option 97, type byte included
    wire::ConstBytes parameter_list;                               // option 55
    wire::ConstBytes relay_agent;                                  // option 82
    std::string_view vendor_class;                                 // option 60
    std::string_view user_class;                                   // option 77
    bool has_ipxe_options = false;                                 // option 175 is there

    [[nodiscard]] bool wants(wire::DhcpOption option) const noexcept;
};

// Checks in the order of RFC 2131 2 and 3. DropReason::none: OUT is whole.
[[nodiscard]] DropReason parse(wire::ConstBytes payload, Message& out) noexcept;

// Who sent it, by its user class, its own options, its vendor class and its architecture, in that order of
// trust.
[[nodiscard]] ClientKind classify(const Message& message) noexcept;

}  // namespace rouse::dhcp
