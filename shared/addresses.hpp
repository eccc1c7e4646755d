#pragma once
// Hardware and IP addresses: trivially copyable, network byte order, comparable like numbers.

#include "shared/endian.hpp"

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rouse {

struct MacAddress {
    std::array<std::uint8_t, 6> octets{};

    // Accepts aa:bb:cc:dd:ee:ff and aa-bb-cc-dd-ee-ff, any case.
    [[nodiscard]] static std::optional<MacAddress> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;  // lower case, colons
    [[nodiscard]] constexpr bool is_zero() const noexcept { return octets == decltype(octets){}; }
    // Group bit: multicast or broadcast; never a sender's address (IEEE 802-2014 8.2.2).
    [[nodiscard]] constexpr bool is_group() const noexcept { return (octets[0] & 1) != 0; }

    friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) noexcept = default;
};
inline constexpr MacAddress kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

struct Ipv4Address {
    be32 bits;

    [[nodiscard]] static constexpr Ipv4Address from_host(std::uint32_t value) noexcept { return {value}; }
    [[nodiscard]] static std::optional<Ipv4Address> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] constexpr std::uint32_t host() const noexcept { return bits.host(); }
    [[nodiscard]] constexpr bool is_zero() const noexcept { return host() == 0; }
    [[nodiscard]] constexpr bool is_multicast() const noexcept { return (host() >> 28) == 0xe; }
    [[nodiscard]] constexpr bool is_loopback() const noexcept { return (host() >> 24) == 127; }

    friend constexpr auto operator<=>(const Ipv4Address&, const Ipv4Address&) noexcept = default;
};
inline constexpr Ipv4Address kBroadcastIpv4{0xffffffffU};

struct Ipv4Prefix {
    Ipv4Address address{};  // host bits zero
    std::uint8_t length = 0;

    // Refuses host bits that are set: "10.0.0.7/24" is a typing error more often than a wish.
    [[nodiscard]] static std::optional<Ipv4Prefix> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] constexpr std::uint32_t mask() const noexcept {
        return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
    }
    [[nodiscard]] constexpr bool contains(Ipv4Address other) const noexcept {
        return (other.host() & mask()) == address.host();
    }
    [[nodiscard]] constexpr Ipv4Address broadcast() const noexcept {
        return Ipv4Address::from_host(address.host() | ~mask());
    }
    friend constexpr auto operator<=>(const Ipv4Prefix&, const Ipv4Prefix&) noexcept = default;
};

struct Ipv6Address {
    std::array<std::uint8_t, 16> octets{};

    // Accepts the forms of RFC 4291 2.2; no zone ("%eth0"): it means nothing on the wire or in a record.
    [[nodiscard]] static std::optional<Ipv6Address> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;  // RFC 5952
    // The unspecified address, ::
    [[nodiscard]] constexpr bool is_zero() const noexcept { return octets == decltype(octets){}; }
    [[nodiscard]] constexpr bool is_multicast() const noexcept { return octets[0] == 0xff; }
    [[nodiscard]] constexpr bool is_link_local() const noexcept {  // fe80::/10
        return octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
    }
    [[nodiscard]] constexpr bool is_loopback() const noexcept {
        return *this == Ipv6Address{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    }

    friend constexpr auto operator<=>(const Ipv6Address&, const Ipv6Address&) noexcept = default;
};

struct Ipv6Prefix {
    Ipv6Address address{};  // host bits zero
    std::uint8_t length = 0;

    // Refuses host bits that are set, as Ipv4Prefix does.
    [[nodiscard]] static std::optional<Ipv6Prefix> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] constexpr bool contains(const Ipv6Address& other) const noexcept {
        for (std::size_t i = 0; i < other.octets.size(); ++i)
            if ((other.octets[i] & mask_octet(i)) != address.octets[i]) return false;
        return true;
    }
    // The host bits of `address` are zero and the length is one that IPv6 knows.
    [[nodiscard]] constexpr bool is_valid() const noexcept { return length <= 128 && contains(address); }

    friend constexpr auto operator<=>(const Ipv6Prefix&, const Ipv6Prefix&) noexcept = default;

  private:
    [[nodiscard]] constexpr std::uint8_t mask_octet(std::size_t i) const noexcept {
        const std::size_t begin = 8 * i;
        if (length >= begin + 8) return 0xff;
        return static_cast<std::uint8_t>(length <= begin ? 0U : 0xffU << (begin + 8 - length));
    }
};

// Either family in 16 bytes; IPv4 in its mapped form (RFC 4291 2.5.5.2), so one key fits both.
struct IpAddress {
    std::array<std::uint8_t, 16> octets{};

    constexpr IpAddress() noexcept = default;
    // In two whole words: it is read as words wherever it is a key.
    constexpr IpAddress(Ipv4Address v4) noexcept  // NOLINT(google-explicit-constructor)
        : octets(std::bit_cast<decltype(octets)>(std::array<be64, 2>{0, 0xffff'0000'0000U | v4.host()})) {}
    constexpr IpAddress(const Ipv6Address& v6) noexcept  // NOLINT(google-explicit-constructor)
        : octets(v6.octets) {}
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;  // IPv4 in dotted form
    [[nodiscard]] constexpr bool is_zero() const noexcept { return octets == decltype(octets){}; }
    [[nodiscard]] constexpr std::optional<Ipv4Address> v4() const noexcept {
        constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        for (std::size_t i = 0; i < mapped.size(); ++i)
            if (octets[i] != mapped[i]) return std::nullopt;
        return Ipv4Address::from_host(std::uint32_t{octets[12]} << 24 | std::uint32_t{octets[13]} << 16 |
                                      std::uint32_t{octets[14]} << 8 | octets[15]);
    }
    friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) noexcept = default;
};

static_assert(sizeof(MacAddress) == 6 && sizeof(Ipv4Address) == 4 && sizeof(IpAddress) == 16);
static_assert(sizeof(Ipv6Address) == 16 && sizeof(Ipv6Prefix) == 17 && alignof(Ipv6Prefix) == 1);

}  // namespace rouse

template <>
struct std::hash<rouse::MacAddress> {
    std::size_t operator()(const rouse::MacAddress& mac) const noexcept {
        std::uint64_t bits = 0;
        for (const auto octet : mac.octets) bits = bits << 8 | octet;
        return bits * 0x9e3779b97f4a7c15ULL;
    }
};
