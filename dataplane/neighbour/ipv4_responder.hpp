#pragma once
// ARP (RFC 826) and ICMP echo (RFC 792) for the address of ours, where no kernel does it for us. Pure: a
// frame and who we are in, a frame out.

#include "dataplane/wire/udp.hpp"

namespace rouse::neighbour {

// Both answer into ROOM (a whole frame's) and store the answer's length. Anything but DropReason::none: no
// answer, and why.

// FRAME is of type ARP.
[[nodiscard]] DropReason answer_arp(wire::ConstBytes frame, const wire::Self& self, wire::MutableBytes room,
                                    std::size_t& frame_length) noexcept;

// PACKET carries ICMP.
[[nodiscard]] DropReason answer_icmp(const wire::Packet& packet, const wire::Self& self,
                                     wire::MutableBytes room, std::size_t& frame_length) noexcept;

}  // namespace rouse::neighbour
