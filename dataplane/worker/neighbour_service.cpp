#include "dataplane/worker/neighbour_service.hpp"

#include "dataplane/wire/icmp.hpp"

namespace rouse::worker {

DropReason NeighbourService::receive_arp(wire::ConstBytes frame, wire::MutableBytes room,
                                         std::size_t& frame_length) const noexcept {
    if (!options_.owns_interface) return DropReason::ethertype_unknown;
    return neighbour::answer_arp(frame, self_, room, frame_length);
}

DropReason NeighbourService::receive_icmp(wire::ConstBytes frame, wire::MutableBytes room,
                                          std::size_t& frame_length) const noexcept {
    wire::Packet packet;
    if (const auto drop = wire::parse_packet(frame, self_, packet); drop != DropReason::none) return drop;
    if (!options_.owns_interface || packet.protocol != wire::kProtocolIcmp)
        return DropReason::ipv4_protocol_unknown;
    return neighbour::answer_icmp(packet, self_, room, frame_length);
}

DropReason NeighbourService::receive_icmpv6(const wire::Packet6& packet, wire::MutableBytes room,
                                            std::size_t& frame_length) noexcept {
    const auto header = wire::load<wire::Icmpv6Header>(packet.payload);
    const bool asks_for_router = header && header->type == wire::Icmpv6Type::router_solicitation;
    if (asks_for_router ? !options_.advertise : !options_.owns_interface)
        return DropReason::icmp_type_unhandled;
    if (asks_for_router && !is_on_) return DropReason::dhcp_disabled;
    return neighbour::answer_icmpv6(packet, self6_, own_network(), room, frame_length);
}

std::size_t NeighbourService::advertise(std::uint64_t now_ns, wire::MutableBytes room) noexcept {
    const auto* network = is_on_ ? own_network() : nullptr;
    if (!timer_.expire(now_ns, network)) return 0;
    return neighbour::write_advertisement(room, self6_, network, wire::multicast_mac_of(wire::kAllNodes),
                                          wire::kAllNodes);
}

}  // namespace rouse::worker
