#include "dataplane/neighbour/icmpv6_responder.hpp"

namespace rouse::neighbour {
namespace {

using wire::Icmpv6Message;
using wire::Icmpv6Type;
using wire::Packet6;
using wire::Self6;

// Straight back to the sender, by the hardware address that its frame came from: it may not yet answer a
// solicitation of ours.
wire::Ends6 back_to(const Packet6& packet, const MacAddress& mac, const Ipv6Address& from) noexcept {
    return {.source_mac = mac,
            .destination_mac = packet.source_mac,
            .source = from,
            .destination = packet.source};
}

// What both solicitations must fulfil, in the order of RFC 4861 6.1.1 and 7.1.1. The checksum holds already;
// BODY is the fixed part of the message.
template <typename Body>
DropReason check_solicitation(const Packet6& packet, const Icmpv6Message& message) noexcept {
    if (packet.hop_limit != wire::kLinkOnlyHopLimit) return DropReason::neighbour_bad_hop_limit;
    if (message.code != 0) return DropReason::neighbour_bad_code;
    if (message.body.size() < sizeof(Body)) return DropReason::neighbour_too_short;
    bool has_source = false;
    wire::NdOptionReader options(message.body.subspan(sizeof(Body)));
    while (const auto option = options.next())
        has_source |= option->type == wire::NdOption::source_link_layer;
    if (options.malformed()) return DropReason::neighbour_bad_option;
    if (has_source && packet.source.is_zero()) return DropReason::neighbour_bad_source;
    return DropReason::none;
}

DropReason answer_router_solicitation(const Packet6& packet, const Icmpv6Message& message, const Self6& self,
                                      const store::NetworkRecord* network, wire::MutableBytes room,
                                      std::size_t& frame_length) noexcept {
    if (const auto drop = check_solicitation<wire::RouterSolicitation>(packet, message);
        drop != DropReason::none)
        return drop;
    // A sender without an address hears all nodes' group only (RFC 4861 6.2.6); its frame still goes to it
    // alone (RFC 6085), so a rack that powers on is not a multicast storm and no rate limit is needed.
    frame_length = write_advertisement(room, self, network, packet.source_mac,
                                       packet.source.is_zero() ? wire::kAllNodes : packet.source);
    return DropReason::none;
}

DropReason answer_neighbour_solicitation(const Packet6& packet, const Icmpv6Message& message,
                                         const Self6& self, const store::NetworkRecord* network,
                                         wire::MutableBytes room, std::size_t& frame_length) noexcept {
    if (const auto drop = check_solicitation<wire::NeighbourSolicitation>(packet, message);
        drop != DropReason::none)
        return drop;
    const auto target = wire::load<wire::NeighbourSolicitation>(message.body)->target;
    if (target.is_multicast()) return DropReason::neighbour_bad_target;
    const bool probe = packet.source.is_zero();  // duplicate address detection (RFC 4862 5.4)
    if (probe && packet.destination != wire::solicited_node_of(target))
        return DropReason::neighbour_bad_source;
    if (!self.owns(target)) return DropReason::neighbour_not_for_us;

    const bool router = network != nullptr && network->has_ipv6() && network->router_lifetime6 != 0;
    std::uint32_t flags = wire::NeighbourAdvertisement::kOverride;
    if (router) flags |= wire::NeighbourAdvertisement::kRouter;
    if (!probe) flags |= wire::NeighbourAdvertisement::kSolicited;
    wire::Ends6 ends = back_to(packet, self.mac(), target);
    if (probe) {  // RFC 4861 7.2.4: whoever else wants the address learns of it too
        ends.destination = wire::kAllNodes;
        ends.destination_mac = wire::multicast_mac_of(wire::kAllNodes);
    }
    const auto body = room.subspan(wire::kIcmpv6FrameOverhead);
    wire::store(body, 0, wire::NeighbourAdvertisement{.flags = flags, .target = target});
    wire::store(body, sizeof(wire::NeighbourAdvertisement),
                wire::LinkLayerOption{.type = wire::NdOption::target_link_layer, .address = self.mac()});
    frame_length =
        wire::write_icmpv6(room, ends, Icmpv6Type::neighbour_advertisement, wire::kLinkOnlyHopLimit,
                           sizeof(wire::NeighbourAdvertisement) + sizeof(wire::LinkLayerOption));
    return DropReason::none;
}

DropReason answer_echo(const Packet6& packet, const Icmpv6Message& message, const Self6& self,
                       wire::MutableBytes room, std::size_t& frame_length) noexcept {
    if (packet.source.is_zero()) return DropReason::ipv6_bad_source;
    if (room.size() < wire::kIcmpv6FrameOverhead + message.body.size()) return DropReason::icmp_too_long;
    wire::store_bytes(room, wire::kIcmpv6FrameOverhead, message.body);
    // RFC 4443 4.2: asked as a group, we answer with an address of our own.
    const auto& from =
        packet.destination.is_multicast() ? self.source_for(packet.source) : packet.destination;
    frame_length = wire::write_icmpv6(room, back_to(packet, self.mac(), from), Icmpv6Type::echo_reply,
                                      wire::kHopLimit, message.body.size());
    return DropReason::none;
}

}  // namespace

DropReason answer_icmpv6(const Packet6& packet, const Self6& self, const store::NetworkRecord* network,
                         wire::MutableBytes room, std::size_t& frame_length) noexcept {
    Icmpv6Message message;
    if (const auto drop = wire::parse_icmpv6(packet, message); drop != DropReason::none) return drop;
    switch (message.type) {
        case Icmpv6Type::router_solicitation:
            return answer_router_solicitation(packet, message, self, network, room, frame_length);
        case Icmpv6Type::neighbour_solicitation:
            return answer_neighbour_solicitation(packet, message, self, network, room, frame_length);
        case Icmpv6Type::echo_request:
            return answer_echo(packet, message, self, room, frame_length);
        default:
            return DropReason::icmp_type_unhandled;
    }
}

}  // namespace rouse::neighbour
