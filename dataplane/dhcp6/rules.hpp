#pragma once
// Which DHCPv6 messages a server takes, and what they must and must not hold (RFC 8415 16).

#include "dataplane/dhcp6/responder.hpp"

namespace rouse::dhcp6 {

// What becomes of a message before anything of it is answered.
struct Verdict {
    DropReason drop = DropReason::none;
    bool use_multicast = false;  // to be answered with nothing but that status (RFC 8415 18.4.1)
};

// Checks in the order of RFC 8415 16: the type, its identifiers, how it was sent; then what the records say.
[[nodiscard]] Verdict check(const Message& message, const Facts& facts) noexcept;

}  // namespace rouse::dhcp6
