#include "dataplane/dhcp/boot_file.hpp"

#include <charconv>

namespace rouse::dhcp {
namespace {

void add_mac(BootName& out, const MacAddress& mac, char separator) noexcept {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (std::size_t i = 0; i < mac.octets.size(); ++i) {
        if (i > 0) out.add({&separator, 1});
        out.add(kDigits.substr(mac.octets[i] >> 4, 1));
        out.add(kDigits.substr(mac.octets[i] & 0xf, 1));
    }
}

template <typename Text>
void add_address(Text& out, Ipv4Address address) noexcept {
    for (int shift = 24; shift >= 0; shift -= 8) {
        char digits[3];
        const auto end = std::to_chars(digits, digits + sizeof digits, (address.host() >> shift) & 0xff).ptr;
        out.add({digits, static_cast<std::size_t>(end - digits)});
        if (shift > 0) out.add(".");
    }
}

// False: no such variable, and the braces are part of the name.
bool add_variable(BootName& out, std::string_view variable, const MacAddress& mac,
                  const store::HostRecord& host) noexcept {
    if (variable == "mac")
        add_mac(out, mac, ':');
    else if (variable == "mac-dashes")
        add_mac(out, mac, '-');
    else if (variable == "hostname")
        out.add(host.hostname.view());
    else if (variable == "ip")
        add_address(out, host.address);
    else
        return false;
    return true;
}

void expand(BootName& out, std::string_view pattern, const MacAddress& mac,
            const store::HostRecord& host) noexcept {
    for (;;) {
        const auto open = pattern.find("{{");
        const auto close = open == std::string_view::npos ? open : pattern.find("}}", open);
        out.add(pattern.substr(0, open));
        if (close == std::string_view::npos) {
            if (open != std::string_view::npos) out.add(pattern.substr(open));
            return;
        }
        if (!add_variable(out, pattern.substr(open + 2, close - open - 2), mac, host))
            out.add(pattern.substr(open, close + 2 - open));
        pattern = pattern.substr(close + 2);
    }
}

std::string_view pattern_for(const BootClient& client, const store::ProfileRecord& profile,
                             Quirks quirks) noexcept {
    if (client.kind == ClientKind::system) return {};
    if (client.kind == ClientKind::ipxe && profile.has_script()) return store::kBootScriptName;
    const auto architecture =
        quirks.has(Quirk::raspberry_pi) ? kArchitectureRaspberryPi : client.architecture;
    const auto loader = loader_for(architecture);
    return loader ? profile.loader(*loader) : std::string_view{};
}

// RFC 3986 2.3: what need not be escaped in a path, and the slash.
bool is_plain(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~/:@!$&'()*+,;=").find(c) != std::string_view::npos;
}

void write_uri(decltype(BootFile::uri)& text, std::string_view name, Ipv4Address server) noexcept {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    text.add("http://");
    add_address(text, server);
    text.add("/boot/");
    for (const char c : name) {
        if (is_plain(c)) {
            text.add({&c, 1});
            continue;
        }
        text.add("%");
        text.add(kDigits.substr(static_cast<unsigned char>(c) >> 4, 1));
        text.add(kDigits.substr(static_cast<unsigned char>(c) & 0xf, 1));
    }
}

}  // namespace

void write_boot_name(BootName& out, const BootClient& client, const store::HostRecord& host,
                     const store::ProfileRecord* profile, Quirks quirks) noexcept {
    if (profile != nullptr) expand(out, pattern_for(client, *profile, quirks), client.mac, host);
}

BootFile boot_file_for(const Message& message, const store::HostRecord& host,
                       const store::ProfileRecord* profile, Quirks quirks, Ipv4Address server) noexcept {
    const BootClient client{message.kind, message.architecture, message.header.hardware};
    BootFile file;
    write_boot_name(file.name, client, host, profile, quirks);
    if (!file.name.empty() && client.kind == ClientKind::http) write_uri(file.uri, file.name.view(), server);
    return file;
}

}  // namespace rouse::dhcp
