#include "dataplane/wire/icmpv6.hpp"

namespace rouse::wire {

DropReason parse_icmpv6(const Packet6& packet, Icmpv6Message& out) noexcept {
    const auto header = load<Icmpv6Header>(packet.payload);
    if (!header) return DropReason::icmp_too_short;
    ChecksumSum sum;
    add_pseudo_header6(sum, packet.source, packet.destination, packet.payload.size(), kProtocolIcmpv6);
    sum.add(packet.payload);
    if (sum.folded() != 0xffff) return DropReason::icmp_bad_checksum;
    out = {.type = header->type, .code = header->code, .body = packet.payload.subspan(sizeof(Icmpv6Header))};
    return DropReason::none;
}

std::size_t write_icmpv6(MutableBytes frame, const Ends6& ends, Icmpv6Type type, std::uint8_t hop_limit,
                         std::size_t body_length) noexcept {
    const std::size_t length = sizeof(Icmpv6Header) + body_length;
    write_headers6(frame, ends, kProtocolIcmpv6, hop_limit, length);
    store(frame, kIpv6FrameOverhead, Icmpv6Header{type, 0, 0});
    ChecksumSum sum;
    add_pseudo_header6(sum, ends.source, ends.destination, length, kProtocolIcmpv6);
    sum.add(frame.subspan(kIpv6FrameOverhead, length));
    store(frame, kIpv6FrameOverhead + offsetof(Icmpv6Header, checksum), sum.checksum());
    return kIpv6FrameOverhead + length;
}

}  // namespace rouse::wire
