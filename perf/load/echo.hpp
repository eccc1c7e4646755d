#pragma once
// The least that can answer a DHCP client: its own frame comes back with the few bytes changed that make it
// an answer. Nothing is looked up and nothing is checked but that it is one. It is the limit that a server's
// port sets, whatever the server does.

#include "dataplane/wire/dhcp.hpp"
#include "dataplane/wire/udp.hpp"

namespace rouse::load {

// Writes the answer to FRAME, a DISCOVER or a REQUEST, into ROOM, at least as large; returns its length, 0
// when none is due.
[[nodiscard]] std::size_t echo(wire::ConstBytes frame, const wire::Self& self,
                               wire::MutableBytes room) noexcept;

}  // namespace rouse::load
