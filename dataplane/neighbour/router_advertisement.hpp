#pragma once
// Router advertisements (RFC 4861 4.2): what a network's record has them say, and their frames.

#include "dataplane/wire/icmpv6.hpp"
#include "shared/store/records.hpp"

namespace rouse::neighbour {

// RFC 4861 6.2.1: how long a prefix told by us is on the link. We tell it only when asked, so it lasts.
inline constexpr std::uint32_t kPrefixValidSeconds = 2'592'000;
inline constexpr std::uint32_t kPrefixPreferredSeconds = 604'800;

// The longest frame that write_advertisement() writes.
inline constexpr std::size_t kMaxAdvertisementFrame =
    wire::kIcmpv6FrameOverhead + sizeof(wire::RouterAdvertisement) + sizeof(wire::LinkLayerOption) +
    sizeof(wire::MtuOption) + sizeof(wire::PrefixInformationOption);

// Writes an advertisement from SELF to ends' destination into ROOM, of at least kMaxAdvertisementFrame bytes;
// returns the frame's length.
// - NETWORK null or without IPv6: no flag, no lifetime, no option. It tells a client that waits for a router
//   (iPXE, for 16 s) that there is none and nothing to configure, and changes nothing for anybody else.
// - else: addresses and the rest by DHCPv6 (M and O), the prefix as on-link but never for addresses of the
//   client's own making (no A flag), the MTU if the record has one, and us as default router if it says so.
//   EDK2's PXE waits 10 s for a route to its boot server, which a prefix on the link is not for it: where the
//   rack has no other router that advertises itself, a lifetime in the record saves each machine these.
std::size_t write_advertisement(wire::MutableBytes room, const wire::Self6& self,
                                const store::NetworkRecord* network, const MacAddress& destination_mac,
                                const Ipv6Address& destination) noexcept;

}  // namespace rouse::neighbour
