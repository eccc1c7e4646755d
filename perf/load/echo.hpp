#pragma once
// The least that can answer a DHCP or TFTP client: the limit that a server's port sets, whatever the server
// does. Nothing is looked up, kept or copied.
//   DHCP  the client's own frame comes back with the few bytes changed that make it an answer.
//   TFTP  a request or an acknowledgement brings the next block, whose bytes are whatever the frame holds.

#include "dataplane/wire/dhcp.hpp"
#include "dataplane/wire/udp.hpp"

namespace rouse::load {

inline constexpr std::uint16_t kEchoBlockBytes = 1428;  // to clients that take so much

struct EchoOptions {
    wire::Self self;
    std::uint16_t blocks = 1;  // of each file; the last is empty
};

// Writes the answer to FRAME into ROOM, at least as large as it and as a block's frame; returns its length,
// 0 when none is due.
[[nodiscard]] std::size_t echo(wire::ConstBytes frame, const EchoOptions& options,
                               wire::MutableBytes room) noexcept;

}  // namespace rouse::load
