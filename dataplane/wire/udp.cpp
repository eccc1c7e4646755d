#include "dataplane/wire/udp.hpp"

#include "dataplane/wire/checksum.hpp"

namespace rouse::wire {
namespace {

constexpr std::size_t kIpOffset = UdpTemplate::kIpOffset;
constexpr std::size_t kUdpOffset = UdpTemplate::kUdpOffset;

void add_pseudo_header(ChecksumSum& sum, Ipv4Address source, Ipv4Address destination,
                       std::uint16_t udp_length) noexcept {
    struct {
        Ipv4Address source, destination;
        std::uint8_t zero = 0, protocol = kProtocolUdp;
        be16 length;
    } pseudo{source, destination, 0, kProtocolUdp, udp_length};
    static_assert(sizeof pseudo == 12);
    sum.add(std::as_bytes(std::span(&pseudo, 1)));
}

// RFC 768; a sender on the same host whose kernel leaves the sum to "hardware" (a veth, a tap) hands over
// frames that hold the pseudo header's sum only. They never crossed a wire, so that is accepted as correct
// too.
bool checksum_holds(const Packet& packet, const UdpHeader& udp, ConstBytes datagram) noexcept {
    if (udp.checksum == 0) return true;
    ChecksumSum pseudo;
    add_pseudo_header(pseudo, packet.source, packet.destination, udp.length.host());
    if (udp.checksum == pseudo.folded()) return true;
    pseudo.add(datagram);
    return pseudo.folded() == 0xffff;
}

// This and its neighbours are in one piece with parse_datagram: every frame passes there, and calls would
// take as long as the checks.
[[gnu::always_inline]] inline bool header_checksum_holds(ConstBytes header) noexcept {
    ChecksumSum sum;
    // Nearly always without options: a length that the compiler knows needs no loop.
    if (header.size() == sizeof(Ipv4Header))
        sum.add_words(header.first<sizeof(Ipv4Header)>());
    else
        sum.add(header);
    return sum.folded() == 0xffff;
}

[[gnu::always_inline]] inline DropReason check_ip(ConstBytes packet, const Ipv4Header& ip) noexcept {
    if (ip.version() != 4) return DropReason::ipv4_bad_version;
    if (ip.header_length() < sizeof(Ipv4Header) || ip.header_length() > packet.size())
        return DropReason::ipv4_bad_header_length;
    if (ip.total_length.host() < ip.header_length() || ip.total_length.host() > packet.size())
        return DropReason::ipv4_bad_length;
    if (!header_checksum_holds(packet.first(ip.header_length()))) return DropReason::ipv4_bad_checksum;
    if (ip.source.is_multicast() || ip.source.is_loopback() || ip.source == kBroadcastIpv4)
        return DropReason::ipv4_bad_source;
    if ((ip.fragment.host() & (kMoreFragments | kFragmentOffsetMask)) != 0) return DropReason::ipv4_fragment;
    return DropReason::none;
}

[[gnu::always_inline]] inline bool is_for_us(const Ipv4Header& ip, const Self& self) noexcept {
    return ip.destination == self.address || ip.destination == kBroadcastIpv4 ||
           (self.subnet.length < 31 && ip.destination == self.subnet.broadcast());
}

[[gnu::always_inline]] inline DropReason read_packet(ConstBytes frame, const Self& self,
                                                     Packet& out) noexcept {
    EthernetHeader ethernet;
    if (!load_into(ethernet, frame)) return DropReason::frame_too_short;
    if (ethernet.source.is_group()) return DropReason::frame_bad_source;
    if (ethernet.destination != self.mac && ethernet.destination != kBroadcastMac)
        return DropReason::frame_not_for_us;
    if (ethernet.type != kEtherTypeIpv4) return DropReason::ethertype_unknown;

    const ConstBytes packet = frame.subspan(kIpOffset);
    Ipv4Header ip;
    if (!load_into(ip, packet)) return DropReason::ipv4_too_short;
    if (const DropReason drop = check_ip(packet, ip); drop != DropReason::none) return drop;
    if (!is_for_us(ip, self)) return DropReason::ipv4_not_for_us;

    // The rest of the frame beyond total length is Ethernet padding.
    out = {.source_mac = ethernet.source,
           .destination_mac = ethernet.destination,
           .source = ip.source,
           .destination = ip.destination,
           .protocol = ip.protocol,
           .payload = packet.subspan(ip.header_length(), ip.total_length.host() - ip.header_length())};
    return DropReason::none;
}

}  // namespace

DropReason parse_packet(ConstBytes frame, const Self& self, Packet& out) noexcept {
    return read_packet(frame, self, out);
}

DropReason parse_datagram(ConstBytes frame, const Self& self, Datagram& out, UdpChecksum by) noexcept {
    Packet packet;
    if (const DropReason drop = read_packet(frame, self, packet); drop != DropReason::none) return drop;
    if (packet.protocol != kProtocolUdp) return DropReason::ipv4_protocol_unknown;
    UdpHeader udp;
    if (!load_into(udp, packet.payload)) return DropReason::udp_too_short;
    const std::size_t length = udp.length.host();
    if (length < sizeof(UdpHeader) || length > packet.payload.size()) return DropReason::udp_bad_length;
    if (by == UdpChecksum::software && !checksum_holds(packet, udp, packet.payload.first(length)))
        return DropReason::udp_bad_checksum;

    out = {.source_mac = packet.source_mac,
           .destination_mac = packet.destination_mac,
           .source = packet.source,
           .destination = packet.destination,
           .source_port = udp.source_port.host(),
           .destination_port = udp.destination_port.host(),
           .payload = packet.payload.subspan(sizeof(UdpHeader), length - sizeof(UdpHeader))};
    return DropReason::none;
}

UdpTemplate::UdpTemplate(const Endpoints& ends) noexcept {
    const MutableBytes bytes(headers_);
    store(bytes, 0, EthernetHeader{ends.destination_mac, ends.source_mac, kEtherTypeIpv4});
    const Ipv4Header ip = ipv4_header(kProtocolUdp, ends.source, ends.destination);
    store(bytes, kIpOffset, ip);
    store(bytes, kUdpOffset, UdpHeader{ends.source_port, ends.destination_port, 0, 0});
    ChecksumSum sum;
    sum.add(ConstBytes(headers_).subspan(kIpOffset, sizeof ip));
    ip_sum_ = sum.folded();
}

void add_udp_checksum(MutableBytes frame) noexcept {
    const auto ip = load<Ipv4Header>(frame, kIpOffset);
    const auto udp = load<UdpHeader>(frame, kUdpOffset);
    if (!ip || !udp) return;
    ChecksumSum sum;
    add_pseudo_header(sum, ip->source, ip->destination, udp->length.host());
    sum.add(frame.subspan(kUdpOffset, udp->length.host()));
    const std::uint16_t checksum = sum.checksum();
    // A sum of zero is sent as all ones: zero means none (RFC 768).
    store(frame, kUdpOffset + offsetof(UdpHeader, checksum),
          checksum == 0 ? std::uint16_t{0xffff} : checksum);
}

}  // namespace rouse::wire
