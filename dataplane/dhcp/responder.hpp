#pragma once
// The server's side of DHCP (RFC 2131 4.3), pure: a message and the records that speak for its sender in, an
// answer out. Nothing is decided here that the records do not say; nothing is remembered between messages.

#include "dataplane/dhcp/message.hpp"
#include "dataplane/wire/udp.hpp"
#include "shared/store/records.hpp"

#include <optional>

namespace rouse::dhcp {

// What the store says about the sender and about us; profile may be null.
struct Facts {
    Ipv4Address server;  // ours, on the network the message came from
    const store::HostRecord* host = nullptr;
    const store::NetworkRecord* network = nullptr;
    const store::ProfileRecord* profile = nullptr;
};

struct Answer {
    DropReason drop = DropReason::none;  // none: `length` bytes of answer were written
    wire::DhcpType type = wire::DhcpType::none;
    std::size_t length = 0;
    std::string_view boot_file{};  // as written, for the timeline; lies in Facts' records
};

// The boot file for this client: a script for iPXE when the profile has one (its own loader would make it
// load itself for ever), else the profile's loader for its architecture; empty for an operating system.
[[nodiscard]] std::string_view boot_file_for(const Message& message,
                                             const store::ProfileRecord* profile) noexcept;

// Writes the answer into OUT, which holds at least kMinimumDhcpMessage bytes.
[[nodiscard]] Answer respond(const Message& message, const Facts& facts, wire::MutableBytes out) noexcept;

// Where an answer goes (RFC 2131 4.1): to the relay, to the address that the client has, or to the one that
// it is being given - by broadcast if it asks for that, else straight to its hardware address, since it
// cannot yet answer ARP. `received` is the datagram that carried MESSAGE.
[[nodiscard]] wire::UdpTemplate::Endpoints destination(const Message& message, wire::DhcpType answer,
                                                       const wire::Datagram& received, const wire::Self& self,
                                                       Ipv4Address offered) noexcept;

}  // namespace rouse::dhcp
