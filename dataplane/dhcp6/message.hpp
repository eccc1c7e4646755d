#pragma once
// A client's DHCPv6 message, taken out of the relays' envelopes, validated and taken apart; its spans lie in
// the received frame.

#include "dataplane/wire/dhcp6.hpp"
#include "dataplane/wire/udp6.hpp"
#include "shared/boot_architecture.hpp"
#include "shared/client_kind.hpp"
#include "shared/drop_reason.hpp"

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace rouse::dhcp6 {

// One relay's envelope (RFC 8415 9.1): what the reply's envelope repeats.
struct Relay {
    wire::Dhcp6RelayHeader header{};
    std::optional<wire::ConstBytes> interface_id;  // option 18, opaque
};

// What a client holds, or asks for, under an identifier of its own.
struct IdentityAssociation {
    wire::Dhcp6Option kind{};  // ia_na, ia_ta or ia_pd
    be32 id;
    wire::ConstBytes options;  // well-formed; see next_address()
};

// The addresses in an association, one per call; READER walks its options.
[[nodiscard]] std::optional<Ipv6Address> next_address(wire::Dhcp6OptionReader& reader) noexcept;

struct Message {
    // A relay that is the hop count's limit is still allowed to send on (RFC 8415 19.1.2).
    static constexpr std::size_t kMaxRelays = wire::kDhcp6HopCountLimit + 1;
    static constexpr std::size_t kMaxAssociations = 8;

    wire::Dhcp6Type type = wire::Dhcp6Type::none;
    std::array<std::uint8_t, 3> transaction{};
    wire::ConstBytes client_id;  // option 1, a DUID; empty: none
    wire::ConstBytes server_id;  // option 2; empty: none
    std::array<IdentityAssociation, kMaxAssociations> association_room{};
    std::size_t association_count = 0;
    wire::ConstBytes option_request;                    // option 6
    std::uint16_t elapsed = 0;                          // option 8, hundredths of a second
    bool rapid_commit = false;                          // option 14 is there
    std::string_view user_class;                        // option 15, its first entry
    std::string_view vendor_class;                      // option 16, its first entry
    std::uint16_t architecture = kArchitectureUnknown;  // option 61, its first value

    std::array<Relay, kMaxRelays> relay_room{};  // the one that we heard first, the client's own last
    std::size_t relay_count = 0;
    std::optional<MacAddress> relayed_mac;  // option 79 of the relay nearest to the client
    MacAddress heard_mac;                   // sender of the frame: the client's only if nobody relayed
    Ipv6Address client_address;             // where the client spoke from
    bool to_group = false;                  // we heard it as a group, not by our own address

    [[nodiscard]] std::span<const IdentityAssociation> associations() const noexcept {
        return std::span(association_room).first(association_count);
    }
    [[nodiscard]] std::span<const Relay> relays() const noexcept {
        return std::span(relay_room).first(relay_count);
    }
    [[nodiscard]] bool relayed() const noexcept { return relay_count != 0; }
    [[nodiscard]] bool wants(wire::Dhcp6Option option) const noexcept;
    // An address on the client's link, as told by the relay nearest to it that knows (RFC 8415 13.1);
    // unspecified: nobody relayed, or none knows.
    [[nodiscard]] Ipv6Address link() const noexcept;
};

// Unwraps and takes apart the payload of DATAGRAM, which came to kDhcp6ServerPort. DropReason::none: OUT is
// whole: every option that is understood has the length of its definition.
[[nodiscard]] DropReason parse(const wire::Datagram6& datagram, Message& out) noexcept;

// Who sent it, by its user class, its vendor class and its architecture, in that order of trust.
[[nodiscard]] ClientKind classify(const Message& message) noexcept;

}  // namespace rouse::dhcp6
