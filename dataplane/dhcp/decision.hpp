#pragma once
// What answer a message deserves, before a byte of it is written.

#include "dataplane/dhcp/responder.hpp"

namespace rouse::dhcp {

struct Decision {
    // What the answer gives: an address for a time, or only what goes with an address the client has already.
    enum class Gives : std::uint8_t { nothing, lease, parameters, boot_file };

    DropReason drop = DropReason::none;
    wire::DhcpType type = wire::DhcpType::none;
    Gives gives = Gives::nothing;
};

[[nodiscard]] Decision decide(const Message& message, const Facts& facts) noexcept;

// store::lease_seconds() of the sender; it has a network.
[[nodiscard]] std::uint32_t lease_seconds(const Facts& facts) noexcept;

// What we call ourselves in the answer (RFC 5107: the relay may ask for another name).
[[nodiscard]] inline Ipv4Address server_identifier(const Message& message, const Facts& facts) noexcept {
    return message.server_override.value_or(facts.server);
}

}  // namespace rouse::dhcp
