#include "dataplane/dhcp/boot_file.hpp"

#include <algorithm>
#include <charconv>

namespace rouse::dhcp {
namespace {

// Text put together in a bounded buffer; remembers that something did not fit.
template <std::size_t Capacity>
class Text {
  public:
    void add(std::string_view part) noexcept {
        if (part.size() > Capacity - length_) {
            overflowed_ = true;
            return;
        }
        std::copy(part.begin(), part.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(length_));
        length_ += part.size();
    }
    void add_mac(const MacAddress& mac, char separator) noexcept {
        constexpr std::string_view kDigits = "0123456789abcdef";
        for (std::size_t i = 0; i < mac.octets.size(); ++i) {
            if (i > 0) add({&separator, 1});
            add(kDigits.substr(mac.octets[i] >> 4, 1));
            add(kDigits.substr(mac.octets[i] & 0xf, 1));
        }
    }
    void add_address(Ipv4Address address) noexcept {
        for (int shift = 24; shift >= 0; shift -= 8) {
            char digits[3];
            const auto end =
                std::to_chars(digits, digits + sizeof digits, (address.host() >> shift) & 0xff).ptr;
            add({digits, static_cast<std::size_t>(end - digits)});
            if (shift > 0) add(".");
        }
    }
    [[nodiscard]] std::string_view view() const noexcept {
        return overflowed_ ? std::string_view{} : std::string_view{buffer_.data(), length_};
    }

  private:
    std::array<char, Capacity> buffer_{};
    std::size_t length_ = 0;
    bool overflowed_ = false;
};

using NameText = Text<store::ImageName::kMaxLength>;

// False: no such variable, and the braces are part of the name.
bool add_variable(NameText& out, std::string_view variable, const MacAddress& mac,
                  const store::HostRecord& host) noexcept {
    if (variable == "mac")
        out.add_mac(mac, ':');
    else if (variable == "mac-dashes")
        out.add_mac(mac, '-');
    else if (variable == "hostname")
        out.add(host.hostname.view());
    else if (variable == "ip")
        out.add_address(host.address);
    else
        return false;
    return true;
}

void expand(NameText& out, std::string_view pattern, const MacAddress& mac,
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

FixedString<256> uri_of(std::string_view name, Ipv4Address server) noexcept {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    Text<FixedString<256>::kMaxLength> text;
    text.add("http://");
    text.add_address(server);
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
    FixedString<256> uri;
    static_cast<void>(uri.assign(text.view()));
    return uri;
}

}  // namespace

store::ImageName boot_name_for(const BootClient& client, const store::HostRecord& host,
                               const store::ProfileRecord* profile, Quirks quirks) noexcept {
    store::ImageName name;
    if (profile == nullptr) return name;
    NameText text;
    expand(text, pattern_for(client, *profile, quirks), client.mac, host);
    return name.assign(text.view()) ? name : store::ImageName{};
}

BootFile boot_file_for(const Message& message, const store::HostRecord& host,
                       const store::ProfileRecord* profile, Quirks quirks, Ipv4Address server) noexcept {
    const BootClient client{classify(message), message.architecture, message.header.hardware};
    BootFile file;
    file.name = boot_name_for(client, host, profile, quirks);
    if (!file.name.empty() && client.kind == ClientKind::http) file.uri = uri_of(file.name.view(), server);
    return file;
}

}  // namespace rouse::dhcp
