#include "dataplane/dhcp/decision.hpp"

namespace rouse::dhcp {
namespace {

using wire::DhcpType;
using Gives = Decision::Gives;

constexpr Decision ignore(DropReason reason) noexcept {
    return {.drop = reason};
}
constexpr Decision acknowledge() noexcept {
    return {.type = DhcpType::ack, .gives = Gives::lease};
}
// Understood, and nothing to say.
constexpr Decision accept() noexcept {
    return {.type = DhcpType::none, .gives = Gives::nothing};
}

// A NAK sends most clients back to the start, but some PXE ROMs give up and boot from disk: they get silence,
// and their next DISCOVER gets the right address.
Decision refuse(const Message& message) noexcept {
    if (message.kind != ClientKind::system) return ignore(DropReason::dhcp_wrong_address);
    return {.type = DhcpType::nak};
}

// RFC 2131 4.3.2, table 4: which state a REQUEST was sent in follows from what it carries.
Decision decide_request(const Message& message, const Facts& facts) noexcept {
    const Ipv4Address promised = facts.host->address;
    if (message.server_identifier) {  // SELECTING
        if (*message.server_identifier != server_identifier(message, facts))
            return ignore(DropReason::dhcp_other_server);
        return message.requested_address == promised ? acknowledge() : refuse(message);
    }
    if (message.requested_address)  // INIT-REBOOT
        return *message.requested_address == promised ? acknowledge() : refuse(message);
    if (!message.header.client.is_zero())  // RENEWING or REBINDING
        return message.header.client == promised ? acknowledge() : refuse(message);
    return ignore(DropReason::dhcp_wrong_address);
}

// RFC 2131 4.3.2: a client that was moved to another network and asks for an address of the old one must hear
// that it does not work here, or it goes on using what may be another machine's by now.
Decision decide_astray(const Message& message, const Facts& facts) noexcept {
    if (!facts.is_astray || message.type != DhcpType::request || facts.boot_server_port)
        return ignore(DropReason::dhcp_unknown_network);
    if (message.server_identifier && *message.server_identifier != server_identifier(message, facts))
        return ignore(DropReason::dhcp_other_server);
    return refuse(message);
}

// Only the address that was given can be declined or given back, and only to us (RFC 2131 4.3.3, 4.3.4).
Decision decide_return(const Message& message, const Facts& facts) noexcept {
    if (message.server_identifier != server_identifier(message, facts))
        return ignore(DropReason::dhcp_other_server);
    const auto address =
        message.type == DhcpType::decline ? message.requested_address : std::optional(message.header.client);
    return address == facts.host->address ? accept() : ignore(DropReason::dhcp_wrong_address);
}

// PXE 2.1 2.2.3 and 2.2.4: beside another DHCP server, and on port 4011, we only say what to boot.
Decision decide_boot_only(const Message& message, const Facts& facts) noexcept {
    const ClientKind kind = message.kind;
    if (kind == ClientKind::system) return ignore(DropReason::dhcp_not_netboot);
    if (facts.boot_file == nullptr || facts.boot_file->name.empty())
        return ignore(DropReason::dhcp_no_boot_file);
    const bool asks = message.type == DhcpType::request || message.type == DhcpType::inform;
    if (facts.boot_server_port && asks) return {.type = DhcpType::ack, .gives = Gives::boot_file};
    if (!facts.boot_server_port && message.type == DhcpType::discover)
        return {.type = DhcpType::offer, .gives = Gives::boot_file};
    return ignore(DropReason::dhcp_proxy_only);
}

}  // namespace

std::uint32_t lease_seconds(const Facts& facts) noexcept {
    return store::lease_seconds(*facts.host, *facts.network, facts.now_unix);
}

Decision decide(const Message& message, const Facts& facts) noexcept {
    if (facts.host == nullptr) return ignore(DropReason::dhcp_unknown_machine);
    if (facts.network == nullptr) return decide_astray(message, facts);
    if (facts.boot_server_port || facts.network->is_proxy()) return decide_boot_only(message, facts);
    if (facts.host->address.is_zero() || lease_seconds(facts) == 0)
        return ignore(DropReason::dhcp_no_address);
    switch (message.type) {
        case DhcpType::discover:
            return {.type = DhcpType::offer, .gives = Gives::lease};
        case DhcpType::none:  // BOOTP: one question, one answer, for good (RFC 1534 2)
            if (facts.host->is_guest()) return ignore(DropReason::dhcp_bootp_guest);
            return {.type = DhcpType::none, .gives = Gives::lease};
        case DhcpType::request:
            return decide_request(message, facts);
        case DhcpType::decline:
        case DhcpType::release:
            return decide_return(message, facts);
        case DhcpType::inform:
            return {.type = DhcpType::ack, .gives = Gives::parameters};
        default:
            return ignore(DropReason::dhcp_type_unhandled);
    }
}

}  // namespace rouse::dhcp
