#include "dataplane/dhcp6/boot_url.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace rouse::dhcp6 {
namespace {

bool stands_for_itself(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == '/';
}

bool is_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= store::ImageName::kMaxLength;
}

}  // namespace

BootUrl BootUrl::tftp(const Ipv6Address& server, std::string_view name) noexcept {
    BootUrl url;
    if (!is_name(name)) return url;
    url.append_authority("tftp://", server);
    url.append("/");
    url.append_path(name);
    return url;
}

BootUrl BootUrl::http(const Ipv6Address& server, std::uint16_t port, std::string_view name) noexcept {
    BootUrl url;
    if (!is_name(name)) return url;
    url.append_authority("http://", server);
    if (port != 80) {
        std::array<char, 5> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), port).ptr;
        url.append(":");
        url.append({digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
    url.append("/boot/");
    url.append_path(name);
    return url;
}

void BootUrl::append(std::string_view text) noexcept {
    std::copy(text.begin(), text.end(), text_.begin() + static_cast<std::ptrdiff_t>(length_));
    length_ += text.size();
}

void BootUrl::append_authority(std::string_view scheme, const Ipv6Address& server) noexcept {
    std::array<char, INET6_ADDRSTRLEN> address{};
    inet_ntop(AF_INET6, server.octets.data(), address.data(), address.size());
    append(scheme);
    append("[");
    append(address.data());
    append("]");
}

void BootUrl::append_path(std::string_view name) noexcept {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (const char c : name) {
        if (stands_for_itself(c)) {
            append({&c, 1});
            continue;
        }
        const auto octet = static_cast<std::uint8_t>(c);
        const std::array<char, 3> encoded{'%', kHex[octet >> 4], kHex[octet & 0xf]};
        append({encoded.data(), encoded.size()});
    }
}

}  // namespace rouse::dhcp6
