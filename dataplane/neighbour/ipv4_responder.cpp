#include "dataplane/neighbour/ipv4_responder.hpp"

#include "dataplane/wire/arp.hpp"
#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/icmp.hpp"

namespace rouse::neighbour {
namespace {

using wire::ArpPacket;
using wire::EthernetHeader;
using wire::IcmpHeader;
using wire::Ipv4Header;

constexpr std::size_t kIcmpOffset = sizeof(EthernetHeader) + sizeof(Ipv4Header);

template <typename T>
std::uint16_t checksum_of(const T& header, wire::ConstBytes rest = {}) noexcept {
    wire::ChecksumSum sum;
    sum.add(std::as_bytes(std::span(&header, 1)));
    sum.add(rest);
    return sum.checksum();
}

DropReason check_arp(const ArpPacket& arp, const wire::Self& self) noexcept {
    if (arp.hardware_type != wire::kArpHardwareEthernet || arp.protocol_type != wire::kEtherTypeIpv4 ||
        arp.hardware_length != sizeof(MacAddress) || arp.protocol_length != sizeof(Ipv4Address))
        return DropReason::arp_bad_format;
    if (arp.sender_mac.is_group() || arp.sender == self.address) return DropReason::arp_bad_source;
    if (arp.operation != wire::kArpRequest) return DropReason::arp_not_request;
    if (arp.target != self.address) return DropReason::arp_not_for_us;
    return DropReason::none;
}

}  // namespace

DropReason answer_arp(wire::ConstBytes frame, const wire::Self& self, wire::MutableBytes room,
                      std::size_t& frame_length) noexcept {
    const auto ethernet = wire::load<EthernetHeader>(frame);
    if (!ethernet) return DropReason::frame_too_short;
    if (ethernet->source.is_group()) return DropReason::frame_bad_source;
    if (ethernet->destination != self.mac && ethernet->destination != kBroadcastMac)
        return DropReason::frame_not_for_us;
    if (ethernet->type != wire::kEtherTypeArp) return DropReason::ethertype_unknown;
    const auto arp = wire::load<ArpPacket>(frame, sizeof(EthernetHeader));
    if (!arp) return DropReason::arp_too_short;
    if (const auto drop = check_arp(*arp, self); drop != DropReason::none) return drop;

    // A probe, sender 0.0.0.0 (RFC 5227 2.1.1), is answered alike: the address is taken.
    ArpPacket reply = *arp;
    reply.operation = wire::kArpReply;
    reply.sender_mac = self.mac;
    reply.sender = self.address;
    reply.target_mac = arp->sender_mac;
    reply.target = arp->sender;
    wire::store(room, 0, EthernetHeader{ethernet->source, self.mac, wire::kEtherTypeArp});
    wire::store(room, sizeof(EthernetHeader), reply);
    frame_length = sizeof(EthernetHeader) + sizeof reply;
    return DropReason::none;
}

DropReason answer_icmp(const wire::Packet& packet, const wire::Self& self, wire::MutableBytes room,
                       std::size_t& frame_length) noexcept {
    const auto header = wire::load<IcmpHeader>(packet.payload);
    if (!header) return DropReason::icmp_too_short;
    if (checksum_of(*header, packet.payload.subspan(sizeof(IcmpHeader))) != 0)
        return DropReason::icmp_bad_checksum;
    if (header->type != wire::IcmpType::echo_request || header->code != 0)
        return DropReason::icmp_type_unhandled;
    // RFC 1122 3.2.2.6 lets a host ignore what went to everybody: answering makes an amplifier.
    if (packet.destination != self.address || packet.source.is_zero())
        return DropReason::icmp_bad_destination;
    frame_length = sizeof(EthernetHeader) + sizeof(Ipv4Header) + packet.payload.size();
    if (room.size() < frame_length) return DropReason::icmp_too_long;

    Ipv4Header ip = wire::ipv4_header(wire::kProtocolIcmp, self.address, packet.source);
    ip.total_length = static_cast<std::uint16_t>(frame_length - sizeof(EthernetHeader));
    ip.checksum = checksum_of(ip);
    IcmpHeader reply{wire::IcmpType::echo_reply, 0, 0};
    const auto rest = packet.payload.subspan(sizeof reply);
    reply.checksum = checksum_of(reply, rest);
    wire::store(room, 0, EthernetHeader{packet.source_mac, self.mac, wire::kEtherTypeIpv4});
    wire::store(room, sizeof(EthernetHeader), ip);
    wire::store(room, kIcmpOffset, reply);
    wire::store_bytes(room, kIcmpOffset + sizeof reply, rest);
    return DropReason::none;
}

}  // namespace rouse::neighbour
