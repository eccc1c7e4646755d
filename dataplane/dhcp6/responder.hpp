#pragma once
// The server's side of DHCPv6 (RFC 8415 16 and 18.3, RFC 5970), pure: a message and the records that speak
// for its sender in, an answer out. Nothing is decided here that the records do not say; nothing is
// remembered between messages. A machine has one address: its first association gets it, others are refused.

#include "dataplane/dhcp6/message.hpp"
#include "shared/store/records.hpp"

#include <string_view>

namespace rouse::dhcp6 {

// What the store says about the sender and about us.
struct Facts {
    wire::ConstBytes server_id;  // ours, a DUID
    const store::HostRecord* host = nullptr;
    const store::NetworkRecord* network = nullptr;  // the host's, if that is where the message came from
    std::string_view boot_url{};                    // for this client; empty: none
    std::uint64_t boot_file_bytes = 0;              // size of what boot_url names; 0: not known
    std::uint64_t now_unix = 0;
};

struct Answer {
    DropReason drop = DropReason::none;  // none: `length` bytes of answer were written
    wire::Dhcp6Type type = wire::Dhcp6Type::none;
    std::size_t length = 0;
    Ipv6Address
        address{};  // granted, confirmed or, on RELEASE and DECLINE, given back; unspecified: none was
};

// Writes the answer, in the relays' envelopes if it came in such, into OUT. What goes into it is ours or, as
// the protocol wants it, the client's identifiers and the relays' interface identifiers; nothing else that
// was received is sent on.
[[nodiscard]] Answer respond(const Message& message, const Facts& facts, wire::MutableBytes out) noexcept;

// Where an answer goes (RFC 8415 18.3.10, 19.3): back to who sent the datagram, the port by what it is.
// RECEIVED is the datagram that carried MESSAGE.
[[nodiscard]] wire::Udp6Template::Endpoints destination(const Message& message,
                                                        const wire::Datagram6& received,
                                                        const wire::Self6& self) noexcept;

}  // namespace rouse::dhcp6
