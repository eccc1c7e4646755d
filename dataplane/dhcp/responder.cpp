#include "dataplane/dhcp/responder.hpp"

#include "dataplane/dhcp/decision.hpp"

#include <algorithm>

namespace rouse::dhcp {
namespace {

using wire::DhcpOption;
using wire::DhcpType;
using Gives = Decision::Gives;

void put_network(wire::DhcpOptionWriter& options, const Message& message, const Facts& facts) noexcept {
    const auto& network = *facts.network;
    options.put(DhcpOption::subnet_mask, be32(network.prefix.mask()));
    if (!network.gateway.is_zero()) options.put(DhcpOption::router, network.gateway);
    if (network.dns_count > 0)
        options.put(DhcpOption::dns_servers, std::as_bytes(std::span(network.dns).first(network.dns_count)));
    if (const auto name = facts.host->hostname.view(); !name.empty() && message.wants(DhcpOption::host_name))
        options.put_text(DhcpOption::host_name, name);
    if (message.wants(DhcpOption::broadcast_address))
        options.put(DhcpOption::broadcast_address, network.prefix.broadcast());
}

// PXE 2.1 table 2-1, PXE_DISCOVERY_CONTROL bit 3: boot the file of this answer, ask nobody else. Without it
// UEFI takes an answer of class PXEClient for an invitation to ask port 4011.
constexpr std::array<std::uint8_t, 4> kDiscoveryControl{6, 1, 8, 255};
// The same with PXE_BOOT_MENU (tag 9) of one item, and PXE_MENU_PROMPT (tag 10) with no wait, as a Raspberry
// Pi wants.
constexpr auto kRaspberryPiMenu = std::to_array<std::uint8_t>(
    {6,   1,   3,   10,  4,   0,   'P', 'X', 'E', 9,   20,  0,   0,   17,  'R', 'a',
     's', 'p', 'b', 'e', 'r', 'r', 'y', ' ', 'P', 'i', ' ', 'B', 'o', 'o', 't', 255});
// iPXE's option 176 inside 175, "no-pxedhcp" = 1: saves the seconds it waits for a proxy's offer.
constexpr std::array<std::uint8_t, 4> kNoProxyDhcp{176, 1, 1, 255};
// RFC 2132 3.15: the file's size in 512-byte units; saves UEFI the transfer it makes only to learn it.
constexpr std::uint64_t kBootFileUnit = 512;

void put_boot(wire::DhcpOptionWriter& options, const Message& message, const Facts& facts,
              Gives gives) noexcept {
    const ClientKind kind = message.kind;
    const bool pxe_options = !facts.quirks.has(Quirk::no_pxe_options);
    if (kind == ClientKind::http && facts.boot_file != nullptr && !facts.boot_file->uri.empty()) {
        options.put_text(DhcpOption::vendor_class, "HTTPClient");
        options.put_text(DhcpOption::boot_file_name, facts.boot_file->uri.view());
    }
    // A proxy's answer is told from a plain one by the class alone (PXE 2.1 2.2.3).
    const bool is_proxy_answer = gives == Gives::boot_file && kind != ClientKind::http;
    if ((kind == ClientKind::pxe && pxe_options && message.type != DhcpType::none) || is_proxy_answer) {
        options.put_text(DhcpOption::vendor_class, "PXEClient");
        const bool wants_menu = facts.quirks.has(Quirk::raspberry_pi);
        const std::span<const std::uint8_t> control =
            wants_menu ? std::span<const std::uint8_t>(kRaspberryPiMenu) : kDiscoveryControl;
        options.put(DhcpOption::vendor_specific, std::as_bytes(control));
    }
    if (kind == ClientKind::ipxe && gives != Gives::boot_file)
        options.put(DhcpOption::ipxe, std::as_bytes(std::span(kNoProxyDhcp)));
    // RFC 4578 2.3: a client's UUID is sent back to it.
    if (!message.client_uuid.empty()) options.put(DhcpOption::client_uuid, message.client_uuid);
    const std::uint64_t units = (facts.boot_file_bytes + kBootFileUnit - 1) / kBootFileUnit;
    if (units > 0 && units <= 0xffff && kind == ClientKind::pxe)
        options.put(DhcpOption::boot_file_size, be16(static_cast<std::uint16_t>(units)));
}

wire::DhcpHeader reply_header(const Message& message, const Facts& facts, const Decision& decision) noexcept {
    const auto& request = message.header;
    wire::DhcpHeader reply{};
    reply.op = wire::kBootReply;
    reply.hardware_type = request.hardware_type;
    reply.hardware_length = request.hardware_length;
    reply.transaction = request.transaction;
    reply.flags = request.flags;
    reply.gateway = request.gateway;
    reply.hardware = request.hardware;
    reply.hardware_padding = request.hardware_padding;
    reply.cookie = wire::kDhcpCookie;
    if (decision.type ==
        DhcpType::nak) {  // RFC 2131 table 3: all addresses zero; 4.3.2: relays must broadcast it
        if (!request.gateway.is_zero()) reply.flags = request.flags.host() | wire::kBroadcastFlag;
        return reply;
    }
    if (decision.type == DhcpType::ack) reply.client = request.client;
    if (decision.gives == Gives::lease) reply.your = facts.host->address;
    // HTTP boot takes its URI from option 67 and would be misled by a server to fetch from by TFTP.
    if (facts.boot_file != nullptr && !facts.boot_file->name.empty() && facts.boot_file->uri.empty()) {
        reply.server = facts.server;
        const auto name = facts.boot_file->name.view();
        std::copy(name.begin(), name.end(), reply.file.begin());
    } else if (message.kind == ClientKind::uboot) {
        reply.server = facts.server;  // U-Boot fetches the file that it named itself, from whom we say
    }
    return reply;
}

void put_options(wire::DhcpOptionWriter& options, const Message& message, const Facts& facts,
                 const Decision& decision) noexcept {
    if (decision.type != DhcpType::none) {
        options.put(DhcpOption::message_type, decision.type);
        options.put(DhcpOption::server_identifier, server_identifier(message, facts));
        if (!message.client_identifier.empty())  // RFC 6842
            options.put(DhcpOption::client_identifier, message.client_identifier);
    }
    if (decision.type == DhcpType::nak) return;
    if (decision.gives == Gives::lease && decision.type != DhcpType::none)
        options.put(DhcpOption::lease_time, be32(lease_seconds(facts)));
    if (decision.gives != Gives::boot_file) put_network(options, message, facts);
    put_boot(options, message, facts, decision.gives);
}

// Bytes that the whole message may have for this client.
std::size_t room_for(const Message& message, wire::MutableBytes out) noexcept {
    // A BOOTP client may have room for no more than RFC 951's message.
    if (message.type == DhcpType::none) return std::min(out.size(), wire::kMinimumDhcpMessage);
    return std::min(out.size(), message.maximum_datagram - wire::kUdpIpv4Overhead);
}

}  // namespace

Answer respond(const Message& message, const Facts& facts, wire::MutableBytes out) noexcept {
    const Decision decision = decide(message, facts);
    if (decision.drop != DropReason::none) return {.drop = decision.drop};
    if (decision.type == DhcpType::none && decision.gives == Gives::nothing) return {};

    const std::size_t limit = room_for(message, out);
    // Relay information goes last, and it is the last that may be left out: its room is set aside first.
    const std::size_t relay_room =
        message.relay_agent.empty() ? 0 : wire::DhcpOptionWriter::encoded_size(message.relay_agent.size());
    constexpr std::size_t kLeastOptions = 32;
    if (limit < sizeof(wire::DhcpHeader) + relay_room + kLeastOptions)
        return {.drop = DropReason::dhcp_reply_too_long};
    wire::store(out, 0, reply_header(message, facts, decision));
    wire::DhcpOptionWriter options(
        out.subspan(sizeof(wire::DhcpHeader), limit - sizeof(wire::DhcpHeader) - relay_room));
    put_options(options, message, facts, decision);
    std::size_t used = sizeof(wire::DhcpHeader) + options.finish();
    if (options.overflowed()) return {.drop = DropReason::dhcp_reply_too_long};
    if (relay_room > 0) {  // RFC 3046 2.2: verbatim, and the last before `end`
        wire::DhcpOptionWriter relay(out.subspan(used - 1, relay_room + 1));
        relay.put(DhcpOption::relay_agent, message.relay_agent);
        used += relay.finish() - 1;
    }
    const std::size_t length = std::max(used, std::min(wire::kMinimumDhcpMessage, out.size()));
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(used), length - used, std::byte{0});
    return {.type = decision.type, .length = length};
}

wire::UdpTemplate::Endpoints destination(const Message& message, const Facts& facts, DhcpType answer,
                                         const wire::Datagram& received, const wire::Self& self) noexcept {
    wire::UdpTemplate::Endpoints ends{.source_mac = self.mac,
                                      .destination_mac = received.source_mac,
                                      .source = self.address,
                                      .destination = facts.host->address,
                                      .source_port = received.destination_port,
                                      .destination_port = wire::kDhcpClientPort};
    const auto& header = message.header;
    if (facts.boot_server_port) {  // the client has an address and asks from a port of its choice
        ends.destination = received.source;
        ends.destination_port = received.source_port;
        return ends;
    }
    if (!header.gateway.is_zero()) {
        ends.destination = header.gateway;
        ends.destination_port = wire::kDhcpServerPort;
        return ends;
    }
    if (!header.client.is_zero() && answer != DhcpType::nak) {
        ends.destination = header.client;
        return ends;
    }
    const bool asked = (header.flags.host() & wire::kBroadcastFlag) != 0;
    // A proxy's client has been promised no address that we know of.
    const bool no_address = answer == DhcpType::nak || facts.network->is_proxy();
    if (asked || no_address || facts.quirks.has(Quirk::broadcast_replies)) {
        ends.destination = kBroadcastIpv4;
        ends.destination_mac = kBroadcastMac;
    } else {
        ends.destination_mac = header.hardware;
    }
    return ends;
}

}  // namespace rouse::dhcp
