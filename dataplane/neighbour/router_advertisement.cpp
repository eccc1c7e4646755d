#include "dataplane/neighbour/router_advertisement.hpp"

namespace rouse::neighbour {
namespace {

template <typename T>
void append(wire::MutableBytes body, std::size_t& used, const T& part) noexcept {
    wire::store(body, used, part);
    used += sizeof part;
}

void append_network(wire::MutableBytes body, std::size_t& used, const MacAddress& mac,
                    const store::NetworkRecord& network) noexcept {
    append(body, used,
           wire::RouterAdvertisement{
               .hop_limit = wire::kHopLimit,
               .flags = wire::RouterAdvertisement::kManaged | wire::RouterAdvertisement::kOther,
               .router_lifetime = network.router_lifetime6,
               .reachable_time = 0,
               .retransmission = 0});
    append(body, used, wire::LinkLayerOption{.type = wire::NdOption::source_link_layer, .address = mac});
    if (network.mtu6 != 0) append(body, used, wire::MtuOption{.reserved = 0, .mtu = network.mtu6});
    append(body, used,
           wire::PrefixInformationOption{.prefix_length = network.prefix6.length,
                                         .flags = wire::PrefixInformationOption::kOnLink,
                                         .valid_lifetime = kPrefixValidSeconds,
                                         .preferred_lifetime = kPrefixPreferredSeconds,
                                         .reserved = 0,
                                         .prefix = network.prefix6.address});
}

}  // namespace

std::size_t write_advertisement(wire::MutableBytes room, const wire::Self6& self,
                                const store::NetworkRecord* network, const MacAddress& destination_mac,
                                const Ipv6Address& destination) noexcept {
    const wire::MutableBytes body = room.subspan(wire::kIcmpv6FrameOverhead);
    std::size_t used = 0;
    if (network != nullptr && network->has_ipv6())
        append_network(body, used, self.mac(), *network);
    else
        append(body, used, wire::RouterAdvertisement{});
    // RFC 4861 4.2: from the link-local address.
    return wire::write_icmpv6(room,
                              {.source_mac = self.mac(),
                               .destination_mac = destination_mac,
                               .source = self.link_local(),
                               .destination = destination},
                              wire::Icmpv6Type::router_advertisement, wire::kLinkOnlyHopLimit, used);
}

}  // namespace rouse::neighbour
