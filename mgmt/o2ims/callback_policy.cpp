#include "mgmt/o2ims/callback_policy.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

namespace rouse::o2ims {
namespace {

struct UrlCleanup {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};

using Url = std::unique_ptr<CURLU, UrlCleanup>;

// Null for what is no absolute URL.
Url parse_url(const std::string& text) {
    Url url(curl_url());
    if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return nullptr;
    return url;
}

std::string part_of(const Url& url, CURLUPart part) {
    char* text = nullptr;
    if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return {};
    std::string out(text);
    curl_free(text);
    return out;
}

// Without the brackets of an IPv6 address.
std::string host_of(const Url& url) {
    std::string host = part_of(url, CURLUPART_HOST);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return host;
}

// PATTERN is a name, an address, or ".example.com" for all below it.
bool covers(const std::string& pattern, const std::string& host) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    if (!pattern.starts_with('.'))
        return std::equal(pattern.begin(), pattern.end(), host.begin(), host.end(), same);
    return host.size() > pattern.size() && std::equal(pattern.rbegin(), pattern.rend(), host.rbegin(), same);
}

std::optional<IpAddress> address_of(const curl_sockaddr& to) {
    if (to.family == AF_INET) {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(&to.addr);
        return Ipv4Address::from_host(ntohl(v4->sin_addr.s_addr));
    }
    if (to.family != AF_INET6) return std::nullopt;
    IpAddress out;
    std::memcpy(out.octets.data(), &reinterpret_cast<const sockaddr_in6*>(&to.addr)->sin6_addr, 16);
    return out;
}

bool is_listed(const std::vector<std::string>& patterns, const std::string& host) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return covers(pattern, host); });
}

curl_socket_t open_allowed(void* policy, curlsocktype, curl_sockaddr* to) {
    const auto address = address_of(*to);
    if (!address || !static_cast<const CallbackPolicy*>(policy)->allows(*address)) return CURL_SOCKET_BAD;
    return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

// The IPv4 address that an IPv6 one leads to through a translator (RFC 6052 2.1).
std::optional<Ipv4Address> translated(const IpAddress& address) {
    constexpr std::array<std::uint8_t, 12> kPrefix{0, 0x64, 0xff, 0x9b};
    if (!std::equal(kPrefix.begin(), kPrefix.end(), address.octets.begin())) return std::nullopt;
    IpAddress mapped(Ipv4Address{});
    std::copy_n(address.octets.begin() + 12, 4, mapped.octets.begin() + 12);
    return mapped.v4();
}

}  // namespace

bool CallbackPolicy::allows(const IpAddress& address) const noexcept {
    auto v4 = address.v4();
    if (!v4) v4 = translated(address);
    if (v4) {
        const std::uint32_t host = v4->host();
        if (v4->is_loopback()) return allows_loopback;
        if (host >> 16 == 0xa9fe) return allows_link_local;
        return host >> 24 != 0 && !v4->is_multicast() && host != UINT32_MAX;
    }
    Ipv6Address v6;
    v6.octets = address.octets;
    if (v6.is_loopback()) return allows_loopback;
    // fd00:ec2::254: the metadata of a large cloud.
    const bool is_metadata = v6 == Ipv6Address{{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54}};
    if (v6.is_link_local() || is_metadata) return allows_link_local;
    return !v6.is_zero() && !v6.is_multicast();
}

Result<void> CallbackPolicy::check(const std::string& text) const {
    const Url url = parse_url(text);
    if (!url) return fail("is not an absolute URL");
    const std::string scheme = part_of(url, CURLUPART_SCHEME);
    if (scheme != "https" && scheme != "http") return fail("must be an https URL");
    if (scheme == "http" && !allows_http)
        return fail("must be an https URL (the setting o2ims.callback_http allows plain http)");
    if (!part_of(url, CURLUPART_USER).empty() || !part_of(url, CURLUPART_PASSWORD).empty())
        return fail("must hold no user name and password");
    const std::string host = host_of(url);
    if (!hosts.empty() && !is_listed(hosts, host))
        return fail("names a host that the setting o2ims.callback_hosts does not allow");
    const auto address = IpAddress::parse(host);
    const bool is_refused = address ? !allows(*address) : host == "localhost" && !allows_loopback;
    if (is_refused)
        return fail(
            "leads to this appliance or its link alone (the settings o2ims.callback_loopback and "
            "o2ims.callback_link_local allow that)");
    return {};
}

bool CallbackPolicy::trusts(const std::string& text) const {
    const Url url = parse_url(text);
    if (!url) return false;
    const std::string host = host_of(url);
    if (is_listed(hosts, host)) return true;
    const Url smo = smo_url.empty() ? nullptr : parse_url(smo_url);
    const std::string own = smo ? host_of(smo) : "";
    return !own.empty() && is_listed({own}, host);
}

void CallbackPolicy::guard(CURL* handle) const {
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_allowed);
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, const_cast<CallbackPolicy*>(this));
}

}  // namespace rouse::o2ims
