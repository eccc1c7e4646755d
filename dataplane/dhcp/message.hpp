#pragma once
// A client's DHCP message, validated and taken apart; its spans lie in the received frame.

#include "dataplane/wire/dhcp.hpp"
#include "shared/boot_architecture.hpp"
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

// What sort of program sent it: decides which boot file, if any, belongs in the answer.
enum class ClientKind : std::uint8_t {
    system,  // an operating system: wants an address and no boot file
    pxe,     // firmware or an option ROM (vendor class PXEClient)
    http,    // UEFI HTTP boot (vendor class HTTPClient)
    ipxe,    // iPXE, whatever else it says: must not be sent its own loader again
    uboot,   // U-Boot: PXEClient without UNDI, or a vendor class of its own
};

[[nodiscard]] ClientKind classify(const Message& message) noexcept;

}  // namespace rouse::dhcp
