#pragma once
// The least that can answer a DHCP or TFTP client: the limit that a server's port sets, whatever the server
// does. Nothing is looked up, kept or copied.
//   DHCP  the client's own frame comes back with the few bytes changed that make it an answer.
//   TFTP  an acknowledgement brings the next block, or a window of them, whose bytes are whatever the frames
//         hold.

#include "dataplane/wire/dhcp.hpp"
#include "dataplane/wire/udp.hpp"

namespace rouse::load {

inline constexpr std::uint16_t kEchoBlockBytes = 1428;  // to clients that take so much

struct EchoOptions {
    wire::Self self;
    std::uint16_t blocks = 1;  // of each file; the last is empty
    std::uint16_t window = 1;  // blocks for each acknowledgement, to clients that ask for as many
};

// Writes the answer to FRAME into ROOM, at least as large as it and as a block's frame; returns its length,
// 0 when none is due. NTH, from 0: an acknowledgement has several answers.
[[nodiscard]] std::size_t echo(wire::ConstBytes frame, const EchoOptions& options, std::uint16_t nth,
                               wire::MutableBytes room) noexcept;

}  // namespace rouse::load
