#include "dataplane/dhcp/message.hpp"

#include <algorithm>
#include <cstring>

namespace rouse::dhcp {

using wire::ConstBytes;
using wire::DhcpOption;

namespace {

template <typename T>
std::optional<T> exactly(ConstBytes value) noexcept {
    if (value.size() != sizeof(T)) return std::nullopt;
    return wire::load<T>(value);
}

// RFC 4578 2.1 lets a client name several: the first that we know a loader for, else the first.
std::uint16_t choose_architecture(ConstBytes list) noexcept {
    const std::uint16_t first = wire::load<be16>(list).value_or(be16(kArchitectureUnknown)).host();
    for (std::size_t i = 0; i + sizeof(be16) <= list.size(); i += sizeof(be16))
        if (const auto one = wire::load<be16>(list, i)->host(); loader_for(one)) return one;
    return first;
}

ClientKind classify(const Message& message) noexcept {
    const std::string_view vendor = message.vendor_text();
    // iPXE sends a bare "iPXE"; clients that follow RFC 3004 put a length byte in front.
    if (wire::as_text(message.user_class).ends_with("iPXE") || message.has_ipxe_options)
        return ClientKind::ipxe;
    if (vendor.starts_with("HTTPClient")) return ClientKind::http;
    if (message.architecture == 21 || message.architecture == 22 || vendor.starts_with("U-Boot"))
        return ClientKind::uboot;
    if (vendor.starts_with("PXEClient")) return ClientKind::pxe;
    return message.type == wire::DhcpType::none ? ClientKind::pxe : ClientKind::system;
}

}  // namespace

// One pass over a message's fields.
class Parser {
  public:
    explicit Parser(Message& out) noexcept : out_(out) {}

    // False: an option runs past its field or has a length that its definition does not allow.
    bool take_all(ConstBytes field) noexcept {
        wire::DhcpOptionReader reader(field);
        while (const auto option = reader.next())
            if (!take(*option)) return false;
        return !reader.malformed();
    }
    bool take_relay_agent() noexcept;

    [[nodiscard]] bool file_overloaded() const noexcept { return (overload_ & 1) != 0; }
    [[nodiscard]] bool name_overloaded() const noexcept { return (overload_ & 2) != 0; }
    void finish_overload() noexcept { out_.file_is_overloaded_ = file_overloaded(); }

  private:
    bool take(const wire::DhcpOptionReader::Option& option) noexcept;
    bool take_text(const wire::DhcpOptionReader::Option& option) noexcept;
    bool append(ConstBytes& field, ConstBytes value) noexcept;

    Message& out_;
    std::uint8_t overload_ = 0;
};

// RFC 3396 7: the parts of an option that came more than once are one value.
bool Parser::append(ConstBytes& field, ConstBytes value) noexcept {
    if (field.empty()) {
        field = value;
        return true;
    }
    const std::size_t total = field.size() + value.size();
    if (total > out_.scratch_.size() - out_.scratch_used_) return false;
    std::byte* start = out_.scratch_.data() + out_.scratch_used_;
    std::copy(field.begin(), field.end(), start);
    std::copy(value.begin(), value.end(), start + field.size());
    out_.scratch_used_ += total;
    field = ConstBytes(start, total);
    return true;
}

bool Parser::take(const wire::DhcpOptionReader::Option& option) noexcept {
    switch (option.code) {
        case DhcpOption::message_type:
            if (option.value.size() != 1) return false;
            out_.type = static_cast<wire::DhcpType>(option.value[0]);
            // Zero means BOOTP here, which is said by the option's absence.
            return out_.type != wire::DhcpType::none;
        case DhcpOption::requested_address:
            out_.requested_address = exactly<Ipv4Address>(option.value);
            return out_.requested_address.has_value();
        case DhcpOption::server_identifier:
            out_.server_identifier = exactly<Ipv4Address>(option.value);
            return out_.server_identifier.has_value();
        case DhcpOption::maximum_message_size:
            if (const auto size = exactly<be16>(option.value))
                out_.maximum_datagram = std::clamp<std::size_t>(size->host(), wire::kDefaultMaximumDatagram,
                                                                wire::kLargestDatagram);
            return option.value.size() == 2;
        case DhcpOption::client_architecture:
            out_.architecture = choose_architecture(option.value);
            return option.value.size() >= 2 && option.value.size() % 2 == 0;
        case DhcpOption::overload:
            if (option.value.size() != 1) return false;
            overload_ = std::to_integer<std::uint8_t>(option.value[0]);
            return overload_ >= 1 && overload_ <= 3;
        default:
            return take_text(option);
    }
}

bool Parser::take_text(const wire::DhcpOptionReader::Option& option) noexcept {
    switch (option.code) {
        case DhcpOption::client_identifier:
            return append(out_.client_identifier, option.value);
        case DhcpOption::client_uuid:
            return append(out_.client_uuid, option.value);
        case DhcpOption::parameter_list:
            return append(out_.parameter_list, option.value);
        case DhcpOption::relay_agent:
            return append(out_.relay_agent, option.value);
        case DhcpOption::vendor_specific:
            return append(out_.vendor_specific, option.value);
        case DhcpOption::vendor_class:
            return append(out_.vendor_class, option.value);
        case DhcpOption::user_class:
            return append(out_.user_class, option.value);
        case DhcpOption::ipxe:
            out_.has_ipxe_options = true;
            return true;
        default:
            return true;
    }
}

// RFC 3046 2.0: sub-options have the same form, but no pad and no end.
bool Parser::take_relay_agent() noexcept {
    constexpr std::uint8_t kLinkSelection = 5;
    constexpr std::uint8_t kServerOverride = 11;
    for (ConstBytes rest = out_.relay_agent; !rest.empty();) {
        if (rest.size() < 2) return false;
        const auto length = std::to_integer<std::size_t>(rest[1]);
        if (rest.size() - 2 < length) return false;
        const ConstBytes value = rest.subspan(2, length);
        const auto code = std::to_integer<std::uint8_t>(rest[0]);
        if (code == kLinkSelection && !(out_.link_selection = exactly<Ipv4Address>(value))) return false;
        if (code == kServerOverride && !(out_.server_override = exactly<Ipv4Address>(value))) return false;
        // RFC 3527 3 and RFC 5107 4 are for relays that pass the message on: a client could write them too.
        if (out_.header.gateway.is_zero()) out_.link_selection = out_.server_override = std::nullopt;
        rest = rest.subspan(2 + length);
    }
    return true;
}

bool Message::wants(DhcpOption option) const noexcept {
    return std::find(parameter_list.begin(), parameter_list.end(), static_cast<std::byte>(option)) !=
           parameter_list.end();
}

std::string_view Message::requested_file() const noexcept {
    if (file_is_overloaded_) return {};
    const auto end = std::find(header.file.begin(), header.file.end(), '\0');
    return {header.file.data(), static_cast<std::size_t>(end - header.file.begin())};
}

namespace {

DropReason take_header(ConstBytes payload, wire::DhcpHeader& out) noexcept {
    if (payload.size() < sizeof out) return DropReason::dhcp_too_short;
    std::memcpy(&out, payload.data(), sizeof out);
    if (out.op != wire::kBootRequest) return DropReason::dhcp_not_request;
    if (out.hardware_type != wire::kHardwareEthernet || out.hardware_length != sizeof(MacAddress))
        return DropReason::dhcp_bad_hardware;
    if (out.hardware.is_zero() || out.hardware.is_group()) return DropReason::dhcp_bad_source;
    // A BOOTP client may leave the vendor area empty (RFC 951 3); anything else there needs the cookie.
    if (out.cookie != wire::kDhcpCookie && out.cookie != be32(0)) return DropReason::dhcp_bad_cookie;
    return DropReason::none;
}

bool take_options(ConstBytes payload, Parser& parser) noexcept {
    if (!parser.take_all(payload.subspan(sizeof(wire::DhcpHeader)))) return false;
    // RFC 2131 4.1: the file field before sname. An overload option inside them has no meaning.
    const bool file_overloaded = parser.file_overloaded();
    const bool name_overloaded = parser.name_overloaded();
    parser.finish_overload();
    const auto file = payload.subspan(offsetof(wire::DhcpHeader, file), sizeof(wire::DhcpHeader::file));
    const auto name =
        payload.subspan(offsetof(wire::DhcpHeader, server_name), sizeof(wire::DhcpHeader::server_name));
    if (file_overloaded && !parser.take_all(file)) return false;
    if (name_overloaded && !parser.take_all(name)) return false;
    return parser.take_relay_agent();
}

}  // namespace

DropReason parse(ConstBytes payload, Message& out) noexcept {
    if (const DropReason drop = take_header(payload, out.header); drop != DropReason::none) return drop;
    if (out.header.cookie == wire::kDhcpCookie) {
        Parser parser(out);
        if (!take_options(payload, parser)) return DropReason::dhcp_bad_option;
    }
    out.kind = classify(out);
    return DropReason::none;
}

}  // namespace rouse::dhcp
