#include "dataplane/wire/udp6.hpp"

namespace rouse::wire {
namespace {

// As for IPv4, a sender on the same host may leave the sum to "hardware": see udp.cpp.
bool checksum_holds(const Packet6& packet, const UdpHeader& udp, ConstBytes datagram) noexcept {
    ChecksumSum sum;
    add_pseudo_header6(sum, packet.source, packet.destination, datagram.size(), kProtocolUdp);
    if (udp.checksum == sum.folded()) return true;
    sum.add(datagram);
    return sum.folded() == 0xffff;
}

}  // namespace

DropReason parse_datagram6(const Packet6& packet, Datagram6& out, UdpChecksum by) noexcept {
    if (packet.source.is_zero()) return DropReason::ipv6_bad_source;
    const auto udp = load<UdpHeader>(packet.payload);
    if (!udp) return DropReason::udp_too_short;
    const std::size_t length = udp->length.host();
    if (length < sizeof(UdpHeader) || length > packet.payload.size()) return DropReason::udp_bad_length;
    if (udp->checksum == 0) return DropReason::udp_no_checksum;
    if (by == UdpChecksum::software && !checksum_holds(packet, *udp, packet.payload.first(length)))
        return DropReason::udp_bad_checksum;

    out = {.source_mac = packet.source_mac,
           .source = packet.source,
           .destination = packet.destination,
           .source_port = udp->source_port.host(),
           .destination_port = udp->destination_port.host(),
           .payload = packet.payload.subspan(sizeof(UdpHeader), length - sizeof(UdpHeader))};
    return DropReason::none;
}

Udp6Template::Udp6Template(const Endpoints& endpoints) noexcept {
    const UdpHeader udp{endpoints.source_port, endpoints.destination_port, 0, 0};
    write_headers6(headers_, endpoints.ends, kProtocolUdp, kHopLimit, 0);
    store(headers_, kIpv6FrameOverhead, udp);
    ChecksumSum sum;
    add_pseudo_header6(sum, endpoints.ends.source, endpoints.ends.destination, 0, kProtocolUdp);
    sum.add(std::as_bytes(std::span(&udp, 1)));
    sum_ = sum.folded();
}

std::size_t Udp6Template::write(MutableBytes frame, std::size_t payload_length,
                                UdpChecksum by) const noexcept {
    const be16 length(static_cast<std::uint16_t>(sizeof(UdpHeader) + payload_length));
    store_bytes(frame, 0, headers_);
    store(frame, sizeof(EthernetHeader) + offsetof(Ipv6Header, payload_length), length);
    store(frame, kIpv6FrameOverhead + offsetof(UdpHeader, length), length);

    ChecksumSum sum;
    sum.add_word(sum_);
    if (by == UdpChecksum::device) {
        // Less the ports, which are the datagram's own: what is taken away is added as its complement.
        for (const std::size_t port :
             {offsetof(UdpHeader, source_port), offsetof(UdpHeader, destination_port)})
            sum.add_word(
                static_cast<std::uint16_t>(~*load<std::uint16_t>(headers_, kIpv6FrameOverhead + port)));
        sum.add(std::as_bytes(std::span(&length, 1)));
        store(frame, kIpv6FrameOverhead + offsetof(UdpHeader, checksum), sum.folded());
        return kUdp6FrameOverhead + payload_length;
    }
    const std::array<be16, 2> lengths{length, length};  // the pseudo header's and UDP's own
    sum.add(std::as_bytes(std::span(lengths)));
    sum.add(frame.subspan(kUdp6FrameOverhead, payload_length));
    const std::uint16_t checksum = sum.checksum();
    // A sum of zero is sent as all ones: zero would mean none (RFC 768).
    store(frame, kIpv6FrameOverhead + offsetof(UdpHeader, checksum),
          checksum == 0 ? std::uint16_t{0xffff} : checksum);
    return kUdp6FrameOverhead + payload_length;
}

}  // namespace rouse::wire
