#include "dataplane/dhcp/responder.hpp"

#include <algorithm>

namespace rouse::dhcp {
namespace {

using wire::DhcpOption;
using wire::DhcpType;

// What an answer is, before it is written.
struct Decision {
    DropReason drop = DropReason::none;
    DhcpType type = DhcpType::none;
};

Decision ignore(DropReason reason) noexcept {
    return {.drop = reason};
}

// A NAK sends most clients back to the start, but some PXE ROMs give up and boot from disk: they get silence,
// and their next DISCOVER gets the right address.
Decision refuse(const Message& message) noexcept {
    const ClientKind kind = classify(message);
    if (kind != ClientKind::system) return ignore(DropReason::dhcp_wrong_address);
    return {.type = DhcpType::nak};
}

// RFC 2131 4.3.2, table 4: which state a REQUEST was sent in follows from what it carries.
Decision decide_request(const Message& message, const Facts& facts) noexcept {
    const Ipv4Address promised = facts.host->address;
    if (message.server_identifier) {  // SELECTING
        if (*message.server_identifier != facts.server) return ignore(DropReason::dhcp_other_server);
        return message.requested_address == promised ? Decision{.type = DhcpType::ack} : refuse(message);
    }
    if (message.requested_address)  // INIT-REBOOT
        return *message.requested_address == promised ? Decision{.type = DhcpType::ack} : refuse(message);
    if (!message.header.client.is_zero())  // RENEWING or REBINDING
        return message.header.client == promised ? Decision{.type = DhcpType::ack} : refuse(message);
    return ignore(DropReason::dhcp_wrong_address);
}

Decision decide(const Message& message, const Facts& facts) noexcept {
    if (facts.host == nullptr) return ignore(DropReason::dhcp_unknown_machine);
    if (facts.network == nullptr) return ignore(DropReason::dhcp_unknown_network);
    if (facts.host->address.is_zero()) return ignore(DropReason::dhcp_no_address);
    switch (message.type) {
        case DhcpType::discover:
            return {.type = DhcpType::offer};
        case DhcpType::request:
            return decide_request(message, facts);
        default:
            return ignore(DropReason::dhcp_type_unhandled);
    }
}

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

// What keeps firmware from looking for other boot servers, and iPXE from waiting for one.
void put_pxe(wire::DhcpOptionWriter& options, const Message& message, ClientKind kind) noexcept {
    // PXE 2.1 table 2-1, PXE_DISCOVERY_CONTROL bit 3: use the boot file of this answer, ask nobody else.
    // Without it UEFI takes an answer of class PXEClient for an invitation to ask port 4011.
    constexpr std::array<std::uint8_t, 4> kDiscoveryControl{6, 1, 8, 255};
    // iPXE's option 176 inside 175, "no-pxedhcp" = 1: saves the two seconds it waits for a proxy's offer.
    constexpr std::array<std::uint8_t, 4> kNoProxyDhcp{176, 1, 1, 255};
    if (kind == ClientKind::pxe) {
        options.put_text(DhcpOption::vendor_class, "PXEClient");
        options.put(DhcpOption::vendor_specific, std::as_bytes(std::span(kDiscoveryControl)));
    }
    if (kind == ClientKind::ipxe) options.put(DhcpOption::ipxe, std::as_bytes(std::span(kNoProxyDhcp)));
    // RFC 4578 2.3: a client's UUID is sent back to it.
    if (!message.client_uuid.empty()) options.put(DhcpOption::client_uuid, message.client_uuid);
}

wire::DhcpHeader reply_header(const Message& message, const Facts& facts, DhcpType type) noexcept {
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
    if (type == DhcpType::nak) return reply;  // RFC 2131 table 3: all addresses zero
    if (type == DhcpType::ack) reply.client = request.client;
    reply.your = facts.host->address;
    return reply;
}

}  // namespace

std::string_view boot_file_for(const Message& message, const store::ProfileRecord* profile) noexcept {
    if (profile == nullptr) return {};
    const ClientKind kind = classify(message);
    if (kind == ClientKind::system) return {};
    if (kind == ClientKind::ipxe && profile->has_script()) return store::kBootScriptName;
    const auto loader = loader_for(message.architecture);
    return loader ? profile->loader(*loader) : std::string_view{};
}

Answer respond(const Message& message, const Facts& facts, wire::MutableBytes out) noexcept {
    const Decision decision = decide(message, facts);
    if (decision.drop != DropReason::none) return {.drop = decision.drop};

    Answer answer{.type = decision.type};
    wire::DhcpHeader header = reply_header(message, facts, decision.type);
    const std::size_t limit = std::min(out.size(), message.maximum_datagram - wire::kUdpIpv4Overhead);
    // Relay information goes last and whatever else is dropped must not be: its room is set aside first.
    const std::size_t relay_room = message.relay_agent.empty() ? 0 : 2 + message.relay_agent.size();
    if (limit < sizeof header + relay_room + 64) return {.drop = DropReason::dhcp_reply_too_long};
    wire::DhcpOptionWriter options(out.subspan(sizeof header, limit - sizeof header - relay_room));

    options.put(DhcpOption::message_type, decision.type);
    options.put(DhcpOption::server_identifier, facts.server);
    if (!message.client_identifier.empty())  // RFC 6842
        options.put(DhcpOption::client_identifier, message.client_identifier);
    if (decision.type != DhcpType::nak) {
        options.put(DhcpOption::lease_time, be32(facts.network->lease_seconds));
        put_network(options, message, facts);
        put_pxe(options, message, classify(message));
        answer.boot_file = boot_file_for(message, facts.profile);
        if (!answer.boot_file.empty()) {
            header.server = facts.server;
            std::copy(answer.boot_file.begin(), answer.boot_file.end(), header.file.begin());
        }
    }
    wire::store(out, 0, header);
    std::size_t used = sizeof header + options.finish();
    if (options.overflowed()) return {.drop = DropReason::dhcp_reply_too_long};
    if (relay_room > 0) {  // RFC 3046 2.2: verbatim, and the last before `end`
        wire::DhcpOptionWriter relay(out.subspan(used - 1, relay_room + 1));
        relay.put(DhcpOption::relay_agent, message.relay_agent);
        used += relay.finish() - 1;
    }
    answer.length = std::max(used, std::min(wire::kMinimumDhcpMessage, out.size()));
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(used),
              out.begin() + static_cast<std::ptrdiff_t>(answer.length), std::byte{0});
    return answer;
}

wire::UdpTemplate::Endpoints destination(const Message& message, DhcpType answer,
                                         const wire::Datagram& received, const wire::Self& self,
                                         Ipv4Address offered) noexcept {
    wire::UdpTemplate::Endpoints ends{.source_mac = self.mac,
                                      .destination_mac = received.source_mac,
                                      .source = self.address,
                                      .destination = offered,
                                      .source_port = wire::kDhcpServerPort,
                                      .destination_port = wire::kDhcpClientPort};
    const auto& header = message.header;
    if (!header.gateway.is_zero()) {
        ends.destination = header.gateway;
        ends.destination_port = wire::kDhcpServerPort;
        return ends;
    }
    const bool broadcast = (header.flags.host() & wire::kBroadcastFlag) != 0;
    if (!header.client.is_zero() && answer != DhcpType::nak) {
        ends.destination = header.client;
        return ends;
    }
    ends.destination_mac = header.hardware;
    if (broadcast || answer == DhcpType::nak) {
        ends.destination = kBroadcastIpv4;
        ends.destination_mac = kBroadcastMac;
    }
    return ends;
}

}  // namespace rouse::dhcp
