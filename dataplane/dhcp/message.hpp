#pragma once
// A client's DHCP message, validated and taken apart; its spans lie in the received frame or in the message
// itself.

#include "dataplane/wire/dhcp.hpp"
#include "shared/boot_architecture.hpp"
#include "shared/client_kind.hpp"
#include "shared/drop_reason.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace rouse::dhcp {

// An option's bytes: where they lie in the frame or, when a client split a long one into several (RFC 3396),
// put together in the message's own memory.
class Message {
  public:
    Message() noexcept = default;
    Message(const Message&) = delete;  // spans point into it
    Message& operator=(const Message&) = delete;

    wire::DhcpHeader header{};
    wire::DhcpType type = wire::DhcpType::none;  // none: a BOOTP request (RFC 951, RFC 1534)
    // Who sent it, by its user class, its own options, its vendor class and its architecture, in that order
    // of trust.
    ClientKind kind = ClientKind::system;
    std::optional<Ipv4Address> requested_address;  // option 50
    std::optional<Ipv4Address> server_identifier;  // option 54
    std::optional<Ipv4Address>
        link_selection;  // option 82.5 (RFC 3527): the network to serve, instead of giaddr's
    std::optional<Ipv4Address> server_override;  // option 82.11 (RFC 5107): what we are to call ourselves
    std::uint16_t architecture = kArchitectureUnknown;             // option 93, the first known value
    std::size_t maximum_datagram = wire::kDefaultMaximumDatagram;  // option 57
    wire::ConstBytes client_identifier;                            // option 61
    wire::ConstBytes client_uuid;                                  // option 97, type byte included
    wire::ConstBytes parameter_list;                               // option 55
    wire::ConstBytes relay_agent;                                  // option 82
    wire::ConstBytes vendor_specific;                              // option 43
    wire::ConstBytes vendor_class;                                 // option 60
    wire::ConstBytes user_class;                                   // option 77
    bool has_ipxe_options = false;                                 // option 175 is there

    [[nodiscard]] bool wants(wire::DhcpOption option) const noexcept;
    [[nodiscard]] std::string_view vendor_text() const noexcept { return wire::as_text(vendor_class); }
    // The name that the client itself put into `file`; empty for most, and when the field holds options.
    [[nodiscard]] std::string_view requested_file() const noexcept;

  private:
    friend class Parser;
    static constexpr std::size_t kScratchBytes = 1024;
    std::array<std::byte, kScratchBytes> scratch_;  // concatenated options
    std::size_t scratch_used_ = 0;
    bool file_is_overloaded_ = false;
};

// Checks in the order of RFC 2131 2 and 3. DropReason::none: OUT is whole. OUT is fresh.
[[nodiscard]] DropReason parse(wire::ConstBytes payload, Message& out) noexcept;

}  // namespace rouse::dhcp
