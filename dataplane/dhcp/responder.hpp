#pragma once
// The server's side of DHCP (RFC 2131 4.3), pure: a message and the records that speak for its sender in, an
// answer out. Nothing is decided here that the records do not say; nothing is remembered between messages.

#include "dataplane/dhcp/boot_file.hpp"
#include "dataplane/wire/udp.hpp"

namespace rouse::dhcp {

// What the store says about the sender, and about us.
struct Facts {
    Ipv4Address server;                             // ours, on the network the message came from
    const store::HostRecord* host = nullptr;        // null: a stranger
    const store::NetworkRecord* network = nullptr;  // where the sender is; null: nowhere that we serve
    // `network` is null, but addresses are ours to give where the sender is: its own is of another network.
    bool is_astray = false;
    const BootFile* boot_file = nullptr;  // null: nothing to boot
    std::uint64_t boot_file_bytes = 0;    // its size; 0: not known
    Quirks quirks{};
    std::uint64_t now_unix = 0;
    bool boot_server_port = false;  // it came to port 4011 (PXE 2.1 2.2.4)
};

struct Answer {
    DropReason drop = DropReason::none;          // none: understood
    wire::DhcpType type = wire::DhcpType::none;  // of the answer; none: BOOTP's
    std::size_t length = 0;                      // 0: nothing is to be sent (DECLINE, RELEASE)
};

// Writes the answer into OUT, which holds at least kMinimumDhcpMessage bytes.
[[nodiscard]] Answer respond(const Message& message, const Facts& facts, wire::MutableBytes out) noexcept;

// Where an answer goes (RFC 2131 4.1): to the relay, to the address that the client has, or to the one that
// it is being given - by broadcast if it asks for that, else straight to its hardware address, since it
// cannot yet answer ARP. `received` is the datagram that carried MESSAGE.
[[nodiscard]] wire::UdpTemplate::Endpoints destination(const Message& message, const Facts& facts,
                                                       wire::DhcpType answer, const wire::Datagram& received,
                                                       const wire::Self& self) noexcept;

}  // namespace rouse::dhcp
