#pragma once
// What a host, and for its solicitations a router, answers on ICMPv6 (RFC 4443 4.2, RFC 4861 6.2.6
// and 7.2.4). Pure: a packet and who we are in, a frame out. Where the kernel keeps the interface (AF_XDP)
// only router solicitations are steered here; with DPDK everything is.

#include "dataplane/neighbour/router_advertisement.hpp"

namespace rouse::neighbour {

// Answers PACKET, which carries ICMPv6, into ROOM (a whole frame's) and stores the frame's length. NETWORK is
// the network that the packet came from; null: unknown, or without a record. Anything but DropReason::none:
// no answer, and why.
[[nodiscard]] DropReason answer_icmpv6(const wire::Packet6& packet, const wire::Self6& self,
                                       const store::NetworkRecord* network, wire::MutableBytes room,
                                       std::size_t& frame_length) noexcept;

}  // namespace rouse::neighbour
