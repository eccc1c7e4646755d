#include "mgmt/boot/rack_client.hpp"

#include "shared/endian.hpp"

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): records and how they are read

namespace {

Result<std::optional<RackClient>> by_address(const View& view, const std::optional<MacAddress>& neighbour,
                                             const IpAddress& peer) {
    const auto v4 = peer.v4();
    const Ipv6Address v6{peer.octets};
    const auto lease = v4 ? view.record<LeaseRecord>(view.tables().leases, bytes_of(*v4))
                          : view.record<LeaseRecord>(view.tables().leases6, bytes_of(v6));
    if (!lease) return tl::unexpected(lease.error());
    if (!*lease || (neighbour && *neighbour != (*lease)->mac)) return std::optional<RackClient>{};
    const auto host = view.record<HostRecord>(view.tables().hosts, bytes_of((*lease)->mac));
    if (!host) return tl::unexpected(host.error());
    const bool is_theirs = *host && (v4 ? (*host)->address == *v4 : (*host)->address6 == v6);
    if (!is_theirs) return std::optional<RackClient>{};
    return std::optional(RackClient{(*lease)->mac, **host});
}

// Only of a machine that has no address from us.
Result<std::optional<RackClient>> by_hardware(const View& view, const MacAddress& mac,
                                              const IpAddress& peer) {
    const auto host = view.record<HostRecord>(view.tables().hosts, bytes_of(mac));
    if (!host) return tl::unexpected(host.error());
    if (!*host) return std::optional<RackClient>{};
    const be32 key((*host)->network);
    const auto network = view.record<NetworkRecord>(view.tables().networks, bytes_of(key));
    if (!network) return tl::unexpected(network.error());
    const bool is_link_local = !peer.v4() && Ipv6Address{peer.octets}.is_link_local();
    if (!is_link_local && !(*network && (*network)->is_proxy())) return std::optional<RackClient>{};
    return std::optional(RackClient{mac, **host});
}

}  // namespace

Result<std::optional<RackClient>> find_rack_client(const View& view, const NeighbourLookup& neighbours,
                                                   const IpAddress& peer) {
    const auto neighbour = neighbours ? neighbours(peer) : std::nullopt;
    auto client = by_address(view, neighbour, peer);
    if (!client || *client || !neighbour) return client;
    return by_hardware(view, *neighbour, peer);
}

}  // namespace rouse::boot
