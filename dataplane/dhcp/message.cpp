#include "dataplane/dhcp/message.hpp"

#include <algorithm>

namespace rouse::dhcp {
namespace {

using wire::ConstBytes;
using wire::DhcpOption;

template <typename T>
std::optional<T> exactly(ConstBytes value) noexcept {
    if (value.size() != sizeof(T)) return std::nullopt;
    return wire::load<T>(value);
}

// One option into its field. False: its length is not what its definition says.
bool take(const wire::DhcpOptionReader::Option& option, Message& out, std::uint8_t& overload) noexcept {
    switch (option.code) {
        case DhcpOption::message_type:
            if (option.value.size() != 1) return false;
            out.type = static_cast<wire::DhcpType>(option.value[0]);
            return true;
        case DhcpOption::requested_address:
            out.requested_address = exactly<Ipv4Address>(option.value);
            return out.requested_address.has_value();
        case DhcpOption::server_identifier:
            out.server_identifier = exactly<Ipv4Address>(option.value);
            return out.server_identifier.has_value();
        case DhcpOption::maximum_message_size:
            if (const auto size = exactly<be16>(option.value))
                out.maximum_datagram = std::max<std::size_t>(size->host(), wire::kDefaultMaximumDatagram);
            return option.value.size() == 2;
        case DhcpOption::client_architecture:
            if (const auto first = wire::load<be16>(option.value)) out.architecture = first->host();
            return option.value.size() >= 2 && option.value.size() % 2 == 0;
        case DhcpOption::overload:
            if (option.value.size() != 1) return false;
            overload = std::to_integer<std::uint8_t>(option.value[0]);
            return overload >= 1 && overload <= 3;
        case DhcpOption::client_identifier:
            out.client_identifier = option.value;
            return true;
        case DhcpOption::client_uuid:
            out.client_uuid = option.value;
            return true;
        case DhcpOption::parameter_list:
            out.parameter_list = option.value;
            return true;
        case DhcpOption::relay_agent:
            out.relay_agent = option.value;
            return true;
        case DhcpOption::vendor_class:
            out.vendor_class = wire::as_text(option.value);
            return true;
        case DhcpOption::user_class:
            out.user_class = wire::as_text(option.value);
            return true;
        case DhcpOption::ipxe:
            out.has_ipxe_options = true;
            return true;
        default:
            return true;
    }
}

bool take_all(ConstBytes field, Message& out, std::uint8_t& overload) noexcept {
    wire::DhcpOptionReader reader(field);
    while (const auto option = reader.next())
        if (!take(*option, out, overload)) return false;
    return !reader.malformed();
}

}  // namespace

bool Message::wants(DhcpOption option) const noexcept {
    return std::find(parameter_list.begin(), parameter_list.end(), static_cast<std::byte>(option)) !=
           parameter_list.end();
}

DropReason parse(ConstBytes payload, Message& out) noexcept {
    const auto header = wire::load<wire::DhcpHeader>(payload);
    if (!header) return DropReason::dhcp_too_short;
    if (header->op != wire::kBootRequest) return DropReason::dhcp_not_request;
    if (header->hardware_type != wire::kHardwareEthernet || header->hardware_length != sizeof(MacAddress))
        return DropReason::dhcp_bad_hardware;
    if (header->hardware.is_zero() || header->hardware.is_group()) return DropReason::dhcp_bad_source;
    if (header->cookie != wire::kDhcpCookie) return DropReason::dhcp_bad_cookie;

    out = Message{};
    out.header = *header;
    std::uint8_t overload = 0;
    if (!take_all(payload.subspan(sizeof(wire::DhcpHeader)), out, overload))
        return DropReason::dhcp_bad_option;
    // RFC 2131 4.1: the file field before sname. An overload option inside them has no meaning.
    const std::uint8_t fields = overload;
    const auto file = payload.subspan(offsetof(wire::DhcpHeader, file), sizeof header->file);
    const auto name = payload.subspan(offsetof(wire::DhcpHeader, server_name), sizeof header->server_name);
    if ((fields & 1) != 0 && !take_all(file, out, overload)) return DropReason::dhcp_bad_option;
    if ((fields & 2) != 0 && !take_all(name, out, overload)) return DropReason::dhcp_bad_option;
    if (out.type == wire::DhcpType::none) return DropReason::dhcp_no_message_type;
    return DropReason::none;
}

ClientKind classify(const Message& message) noexcept {
    // iPXE sends a bare "iPXE"; clients that follow RFC 3004 put a length byte in front.
    if (message.user_class.ends_with("iPXE") || message.has_ipxe_options) return ClientKind::ipxe;
    if (message.vendor_class.starts_with("HTTPClient")) return ClientKind::http;
    if (message.architecture == 21 || message.architecture == 22 ||
        message.vendor_class.starts_with("U-Boot"))
        return ClientKind::uboot;
    if (message.vendor_class.starts_with("PXEClient")) return ClientKind::pxe;
    return ClientKind::system;
}

}  // namespace rouse::dhcp
