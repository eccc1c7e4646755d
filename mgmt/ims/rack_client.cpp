#include "mgmt/ims/rack_client.hpp"

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): records and how they are read

Result<std::optional<RackClient>> rack_client(const View& view, const IpAddress& peer) {
    const auto v4 = peer.v4();
    const Ipv6Address v6{peer.octets};
    const auto lease = v4 ? view.record<LeaseRecord>(view.tables().leases, bytes_of(*v4))
                          : view.record<LeaseRecord>(view.tables().leases6, bytes_of(v6));
    if (!lease) return tl::unexpected(lease.error());
    if (!*lease) return std::optional<RackClient>{};
    const auto host = view.record<HostRecord>(view.tables().hosts, bytes_of((*lease)->mac));
    if (!host) return tl::unexpected(host.error());
    const bool is_theirs = *host && (v4 ? (*host)->address == *v4 : (*host)->address6 == v6);
    if (!is_theirs) return std::optional<RackClient>{};
    return std::optional(RackClient{(*lease)->mac, **host});
}

}  // namespace rouse::ims
