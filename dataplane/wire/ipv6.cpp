#include "dataplane/wire/ipv6.hpp"

#include "dataplane/wire/ipv4.hpp"

#include <algorithm>

namespace rouse::wire {
namespace {

bool is_extension_header(std::uint8_t next_header) noexcept {
    return next_header == kHopByHopHeader || next_header == kRoutingHeader ||
           next_header == kEncapsulatingSecurityHeader || next_header == kAuthenticationHeader ||
           next_header == kDestinationOptionsHeader;
}

DropReason check_next_header(std::uint8_t next_header) noexcept {
    if (next_header == kProtocolUdp || next_header == kProtocolIcmpv6) return DropReason::none;
    if (next_header == kFragmentHeader) return DropReason::ipv6_fragment;
    if (is_extension_header(next_header)) return DropReason::ipv6_extension_header;
    return DropReason::ipv6_protocol_unknown;
}

}  // namespace

Ipv6Address solicited_node_of(const Ipv6Address& address) noexcept {
    Ipv6Address group{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0}};
    std::copy(address.octets.end() - 3, address.octets.end(), group.octets.end() - 3);
    return group;
}

MacAddress multicast_mac_of(const Ipv6Address& group) noexcept {
    MacAddress mac{{0x33, 0x33, 0, 0, 0, 0}};
    std::copy(group.octets.end() - 4, group.octets.end(), mac.octets.begin() + 2);
    return mac;
}

Ipv6Address link_local_of(const MacAddress& mac) noexcept {
    const auto& m = mac.octets;
    return {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(m[0] ^ 2), m[1], m[2], 0xff, 0xfe, m[3],
             m[4], m[5]}};
}

std::optional<MacAddress> mac_of(const Ipv6Address& address) noexcept {
    const auto& a = address.octets;
    const MacAddress mac{{static_cast<std::uint8_t>(a[8] ^ 2), a[9], a[10], a[13], a[14], a[15]}};
    if (a[11] != 0xff || a[12] != 0xfe || mac.is_group() || mac.is_zero()) return std::nullopt;
    return mac;
}

Self6::Self6(const MacAddress& mac, const Ipv6Address& link_local) noexcept : mac_(mac) {
    for (const auto& group : {kAllNodes, kAllRouters, kAllDhcpAgents, kAllDhcpServers}) join(group);
    addresses_[address_count_++] = link_local;
    join(solicited_node_of(link_local));
}

bool Self6::add(const Ipv6Address& address) noexcept {
    if (address_count_ == addresses_.size()) return false;
    addresses_[address_count_++] = address;
    join(solicited_node_of(address));
    return true;
}

void Self6::join(const Ipv6Address& group) noexcept {
    const MacAddress mac = multicast_mac_of(group);
    if (!hears(mac)) group_macs_[group_mac_count_++] = mac;
}

bool Self6::owns(const Ipv6Address& address) const noexcept {
    const auto ours = addresses();
    return std::find(ours.begin(), ours.end(), address) != ours.end();
}

bool Self6::hears(const Ipv6Address& destination) const noexcept {
    if (!destination.is_multicast()) return owns(destination);
    if (destination == kAllNodes || destination == kAllRouters || destination == kAllDhcpAgents ||
        destination == kAllDhcpServers)
        return true;
    const auto ours = addresses();
    return std::any_of(ours.begin(), ours.end(),
                       [&](const auto& address) { return solicited_node_of(address) == destination; });
}

bool Self6::hears(const MacAddress& destination) const noexcept {
    const auto groups = group_macs();
    return destination == mac_ || std::find(groups.begin(), groups.end(), destination) != groups.end();
}

const Ipv6Address& Self6::source_for(const Ipv6Address& destination) const noexcept {
    return destination.is_link_local() || address_count_ == 1 ? addresses_[0] : addresses_[1];
}

DropReason parse_packet6(ConstBytes frame, const Self6& self, Packet6& out) noexcept {
    const auto ethernet = load<EthernetHeader>(frame);
    if (!ethernet) return DropReason::frame_too_short;
    if (ethernet->source.is_group()) return DropReason::frame_bad_source;
    if (!self.hears(ethernet->destination)) return DropReason::frame_not_for_us;
    if (ethernet->type != kEtherTypeIpv6) return DropReason::ethertype_unknown;

    const ConstBytes packet = frame.subspan(sizeof(EthernetHeader));
    const auto ip = load<Ipv6Header>(packet);
    if (!ip) return DropReason::ipv6_too_short;
    if (ip->version() != 6) return DropReason::ipv6_bad_version;
    if (ip->payload_length.host() > packet.size() - sizeof(Ipv6Header)) return DropReason::ipv6_bad_length;
    if (ip->source.is_multicast() || ip->source.is_loopback()) return DropReason::ipv6_bad_source;
    if (!self.hears(ip->destination)) return DropReason::ipv6_not_for_us;
    if (const DropReason drop = check_next_header(ip->next_header); drop != DropReason::none) return drop;

    // The rest of the frame beyond the payload is Ethernet padding.
    out = {.source_mac = ethernet->source,
           .source = ip->source,
           .destination = ip->destination,
           .hop_limit = ip->hop_limit,
           .next_header = ip->next_header,
           .payload = packet.subspan(sizeof(Ipv6Header), ip->payload_length.host())};
    return DropReason::none;
}

void write_headers6(MutableBytes frame, const Ends6& ends, std::uint8_t next_header, std::uint8_t hop_limit,
                    std::size_t payload_length) noexcept {
    store(frame, 0, EthernetHeader{ends.destination_mac, ends.source_mac, kEtherTypeIpv6});
    store(frame, sizeof(EthernetHeader),
          Ipv6Header{.version_class_flow = std::uint32_t{6} << 28,
                     .payload_length = static_cast<std::uint16_t>(payload_length),
                     .next_header = next_header,
                     .hop_limit = hop_limit,
                     .source = ends.source,
                     .destination = ends.destination});
}

void add_pseudo_header6(ChecksumSum& sum, const Ipv6Address& source, const Ipv6Address& destination,
                        std::size_t payload_length, std::uint8_t next_header) noexcept {
    struct {
        Ipv6Address source, destination;
        be32 length;
        std::array<std::uint8_t, 3> zero;
        std::uint8_t next_header;
    } const pseudo{source, destination, static_cast<std::uint32_t>(payload_length), {}, next_header};
    static_assert(sizeof pseudo == 40);
    sum.add(std::as_bytes(std::span(&pseudo, 1)));
}

}  // namespace rouse::wire
