#include "shared/addresses.hpp"

#include <charconv>
#include <cstdio>

#include <arpa/inet.h>

namespace rouse {
namespace {

std::optional<std::uint8_t> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
    return std::nullopt;
}

// inet_pton wants a terminated string; INET6_ADDRSTRLEN is the longest form of either family.
bool to_binary(int family, std::string_view text, void* out) {
    char buffer[INET6_ADDRSTRLEN];
    if (text.size() >= sizeof buffer || text.find('\0') != std::string_view::npos) return false;
    buffer[text.copy(buffer, sizeof buffer - 1)] = '\0';
    return inet_pton(family, buffer, out) == 1;
}

// ADDRESS/LENGTH; the host bits are the caller's to check.
template <typename Prefix, typename Address>
std::optional<Prefix> split_prefix(std::string_view text, unsigned longest) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto address = Address::parse(text.substr(0, slash));
    const auto digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (!address || error != std::errc{} || end != digits.data() + digits.size() || length > longest)
        return std::nullopt;
    return Prefix{*address, static_cast<std::uint8_t>(length)};
}

}  // namespace

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
    if (text.size() != 17) return std::nullopt;
    const char separator = text[2];
    if (separator != ':' && separator != '-') return std::nullopt;
    MacAddress mac;
    for (std::size_t i = 0; i < 6; ++i) {
        if (i > 0 && text[3 * i - 1] != separator) return std::nullopt;
        const auto high = hex_digit(text[3 * i]);
        const auto low = hex_digit(text[3 * i + 1]);
        if (!high || !low) return std::nullopt;
        mac.octets[i] = static_cast<std::uint8_t>(*high << 4 | *low);
    }
    return mac;
}

std::string MacAddress::to_string() const {
    char text[18];
    std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", octets[0], octets[1], octets[2],
                  octets[3], octets[4], octets[5]);
    return text;
}

std::optional<Ipv4Address> Ipv4Address::parse(std::string_view text) {
    Ipv4Address address;
    if (!to_binary(AF_INET, text, &address)) return std::nullopt;
    return address;
}

std::string Ipv4Address::to_string() const {
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, this, text, sizeof text);
    return text;
}

std::optional<Ipv4Prefix> Ipv4Prefix::parse(std::string_view text) {
    const auto prefix = split_prefix<Ipv4Prefix, Ipv4Address>(text, 32);
    if (!prefix || !prefix->contains(prefix->address)) return std::nullopt;
    return prefix;
}

std::string Ipv4Prefix::to_string() const {
    return address.to_string() + "/" + std::to_string(length);
}

std::optional<Ipv6Address> Ipv6Address::parse(std::string_view text) {
    Ipv6Address address;
    if (!to_binary(AF_INET6, text, address.octets.data())) return std::nullopt;
    return address;
}

std::string Ipv6Address::to_string() const {
    char text[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, octets.data(), text, sizeof text);
    return text;
}

std::optional<Ipv6Prefix> Ipv6Prefix::parse(std::string_view text) {
    const auto prefix = split_prefix<Ipv6Prefix, Ipv6Address>(text, 128);
    if (!prefix || !prefix->is_valid()) return std::nullopt;
    return prefix;
}

std::string Ipv6Prefix::to_string() const {
    return address.to_string() + "/" + std::to_string(length);
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    if (const auto v4 = Ipv4Address::parse(text)) return IpAddress(*v4);
    if (const auto v6 = Ipv6Address::parse(text)) return IpAddress(*v6);
    return std::nullopt;
}

std::string IpAddress::to_string() const {
    if (const auto address = v4()) return address->to_string();
    return Ipv6Address{octets}.to_string();
}

}  // namespace rouse
