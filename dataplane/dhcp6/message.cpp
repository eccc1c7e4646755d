#include "dataplane/dhcp6/message.hpp"

namespace rouse::dhcp6 {
namespace {

using wire::ConstBytes;
using wire::Dhcp6Option;
using wire::Dhcp6OptionReader;

// The identifier and times in front of an association's options (RFC 8415 21.4, 21.5, 21.21).
std::size_t fixed_size(Dhcp6Option kind) noexcept {
    return kind == Dhcp6Option::ia_ta ? sizeof(be32) : sizeof(wire::Dhcp6IaNa);
}

// The first of the entries that user and vendor class consist of, each with its length in front.
bool take_first_entry(ConstBytes entries, std::string_view& out) noexcept {
    const auto length = wire::load<be16>(entries);
    if (!length || entries.size() - sizeof(be16) < length->host()) return false;
    out = wire::as_text(entries.subspan(sizeof(be16), length->host()));
    return true;
}

DropReason take_association(Dhcp6Option kind, ConstBytes value, Message& out) noexcept {
    const auto id = wire::load<be32>(value);
    if (!id || value.size() < fixed_size(kind)) return DropReason::dhcp6_bad_option;
    if (out.association_count == Message::kMaxAssociations) return DropReason::dhcp6_too_many_ias;
    const ConstBytes options = value.subspan(fixed_size(kind));
    Dhcp6OptionReader reader(options);
    while (const auto option = reader.next())
        if (option->code == Dhcp6Option::ia_address && option->value.size() < sizeof(wire::Dhcp6IaAddress))
            return DropReason::dhcp6_bad_option;
    if (reader.malformed()) return DropReason::dhcp6_bad_option;
    out.association_room[out.association_count++] = {.kind = kind, .id = *id, .options = options};
    return DropReason::none;
}

DropReason take_client_id(ConstBytes value, Message& out) noexcept {
    if (value.size() <= sizeof(be16) || value.size() > wire::kMaximumDuid || !out.client_id.empty())
        return DropReason::dhcp6_bad_client_id;
    out.client_id = value;
    return DropReason::none;
}

// What has no way to fail but by its length.
bool take_simple(const Dhcp6OptionReader::Option& option, Message& out) noexcept {
    const ConstBytes value = option.value;
    switch (option.code) {
        case Dhcp6Option::server_id:
            out.server_id = value;
            return !value.empty();
        case Dhcp6Option::option_request:
            out.option_request = value;
            return value.size() % sizeof(be16) == 0;
        case Dhcp6Option::elapsed_time:
            if (const auto time = wire::load<be16>(value)) out.elapsed = time->host();
            return value.size() == sizeof(be16);
        case Dhcp6Option::rapid_commit:
            out.rapid_commit = true;
            return value.empty();
        case Dhcp6Option::user_class:
            return take_first_entry(value, out.user_class);
        case Dhcp6Option::vendor_class:  // behind the enterprise number
            return value.size() >= sizeof(be32) &&
                   (value.size() == sizeof(be32) ||
                    take_first_entry(value.subspan(sizeof(be32)), out.vendor_class));
        case Dhcp6Option::client_architecture:
            if (const auto first = wire::load<be16>(value)) out.architecture = first->host();
            return value.size() >= sizeof(be16) && value.size() % sizeof(be16) == 0;
        default:
            return true;
    }
}

DropReason take(const Dhcp6OptionReader::Option& option, Message& out) noexcept {
    switch (option.code) {
        case Dhcp6Option::client_id:
            return take_client_id(option.value, out);
        case Dhcp6Option::ia_na:
        case Dhcp6Option::ia_ta:
        case Dhcp6Option::ia_pd:
            return take_association(option.code, option.value, out);
        default:
            return take_simple(option, out) ? DropReason::none : DropReason::dhcp6_bad_option;
    }
}

// RFC 6939 4: the hardware type, then the address. Of other hardware than Ethernet we know nothing.
std::optional<MacAddress> link_layer_address(ConstBytes value) noexcept {
    constexpr std::uint16_t kEthernet = 1;
    if (value.size() != sizeof(be16) + sizeof(MacAddress) || *wire::load<be16>(value) != kEthernet)
        return std::nullopt;
    return wire::load<MacAddress>(value, sizeof(be16));
}

// Opens one envelope: REST becomes what it holds.
DropReason unwrap(ConstBytes& rest, Message& out) noexcept {
    const auto header = wire::load<wire::Dhcp6RelayHeader>(rest);
    if (!header) return DropReason::dhcp6_too_short;
    if (out.relay_count == Message::kMaxRelays) return DropReason::dhcp6_relay_too_deep;
    Relay& relay = out.relay_room[out.relay_count++];
    relay = {.header = *header, .interface_id = std::nullopt};
    out.client_address = header->peer;
    out.relayed_mac.reset();  // RFC 6939 4: only the relay that hears the client may say it

    std::optional<ConstBytes> inner;
    Dhcp6OptionReader reader(rest.subspan(sizeof *header));
    while (const auto option = reader.next()) {
        if (option->code == Dhcp6Option::relay_message) inner = option->value;
        if (option->code == Dhcp6Option::interface_id) relay.interface_id = option->value;
        if (option->code == Dhcp6Option::client_link_layer)
            out.relayed_mac = link_layer_address(option->value);
    }
    if (reader.malformed()) return DropReason::dhcp6_bad_option;
    if (!inner) return DropReason::dhcp6_bad_relay;
    rest = *inner;
    return DropReason::none;
}

bool is_envelope(ConstBytes rest) noexcept {
    return !rest.empty() && static_cast<wire::Dhcp6Type>(rest[0]) == wire::Dhcp6Type::relay_forward;
}

}  // namespace

std::optional<Ipv6Address> next_address(Dhcp6OptionReader& reader) noexcept {
    while (const auto option = reader.next())
        if (option->code == Dhcp6Option::ia_address) return wire::load<Ipv6Address>(option->value);
    return std::nullopt;
}

bool Message::wants(Dhcp6Option option) const noexcept {
    for (std::size_t i = 0; i < option_request.size(); i += sizeof(be16))
        if (wire::load<be16>(option_request, i) == be16(static_cast<std::uint16_t>(option))) return true;
    return false;
}

Ipv6Address Message::link() const noexcept {
    for (std::size_t i = relay_count; i > 0; --i)
        if (const auto& link = relay_room[i - 1].header.link; !link.is_zero()) return link;
    return {};
}

DropReason parse(const wire::Datagram6& datagram, Message& out) noexcept {
    out = Message{};
    out.heard_mac = datagram.source_mac;
    out.client_address = datagram.source;
    out.to_group = datagram.destination.is_multicast();

    ConstBytes rest = datagram.payload;
    while (is_envelope(rest))
        if (const DropReason drop = unwrap(rest, out); drop != DropReason::none) return drop;

    const auto header = wire::load<wire::Dhcp6Header>(rest);
    if (!header) return DropReason::dhcp6_too_short;
    out.type = header->type;
    out.transaction = header->transaction;
    Dhcp6OptionReader reader(rest.subspan(sizeof *header));
    while (const auto option = reader.next())
        if (const DropReason drop = take(*option, out); drop != DropReason::none) return drop;
    return reader.malformed() ? DropReason::dhcp6_bad_option : DropReason::none;
}

ClientKind classify(const Message& message) noexcept {
    if (message.user_class == "iPXE") return ClientKind::ipxe;
    if (message.vendor_class.starts_with("HTTPClient")) return ClientKind::http;
    if (message.architecture == 21 || message.architecture == 22 ||
        message.vendor_class.starts_with("U-Boot"))
        return ClientKind::uboot;
    // RFC 5970 3.3: only what boots from the network sends an architecture.
    if (message.vendor_class.starts_with("PXEClient") || message.architecture != kArchitectureUnknown)
        return ClientKind::pxe;
    return ClientKind::system;
}

}  // namespace rouse::dhcp6
