#pragma once
// Builds DHCPv6 messages as clients and relays send them, good and bad, for tests.

#include "dataplane/wire/dhcp6.hpp"
#include "dataplane/wire/udp6.hpp"

#include <initializer_list>
#include <string_view>
#include <vector>

namespace rouse::test {

inline std::vector<std::byte> duid_llt(const MacAddress& mac) {
    std::vector<std::byte> duid(14);
    wire::store(duid, 0, std::array{be16(1), be16(1)});
    wire::store(duid, 4, be32(0x31d8eb21));
    wire::store(duid, 8, mac);
    return duid;
}

class Dhcp6Builder {
  public:
    static constexpr MacAddress kMac{{2, 0, 0, 0, 0, 1}};

    explicit Dhcp6Builder(wire::Dhcp6Type type) { append(wire::Dhcp6Header{type, {0x12, 0x34, 0x56}}); }
    Dhcp6Builder& raw(wire::Dhcp6Option code, wire::ConstBytes value) {
        append(wire::Dhcp6OptionHeader{static_cast<std::uint16_t>(code),
                                       static_cast<std::uint16_t>(value.size())});
        bytes_.insert(bytes_.end(), value.begin(), value.end());
        return *this;
    }
    template <typename T>
    Dhcp6Builder& option(wire::Dhcp6Option code, const T& value) {
        return raw(code, std::as_bytes(std::span(&value, 1)));
    }
    Dhcp6Builder& client(const MacAddress& mac = kMac) {
        return raw(wire::Dhcp6Option::client_id, duid_llt(mac));
    }
    // An association as firmware sends it, with the addresses that it holds.
    Dhcp6Builder& association(wire::Dhcp6Option kind, std::uint32_t id,
                              std::initializer_list<const char*> addresses = {}) {
        std::vector<std::byte> room(512);
        wire::Dhcp6Writer value(room);
        value.append(be32(id));
        if (kind != wire::Dhcp6Option::ia_ta) value.append(std::array<be32, 2>{});
        for (const char* address : addresses)
            value.put(wire::Dhcp6Option::ia_address,
                      wire::Dhcp6IaAddress{*Ipv6Address::parse(address), 0, 0});
        return raw(kind, std::span(room).first(value.size()));
    }
    Dhcp6Builder& ia_na(std::uint32_t id, std::initializer_list<const char*> addresses = {}) {
        return association(wire::Dhcp6Option::ia_na, id, addresses);
    }
    Dhcp6Builder& wants(std::initializer_list<wire::Dhcp6Option> codes) {
        std::vector<std::byte> list;
        for (const auto code : codes) {
            const be16 wire_code(static_cast<std::uint16_t>(code));
            const auto bytes = std::as_bytes(std::span(&wire_code, 1));
            list.insert(list.end(), bytes.begin(), bytes.end());
        }
        return raw(wire::Dhcp6Option::option_request, list);
    }
    // One entry, its length in front, as user and vendor class have it.
    Dhcp6Builder& user_class(std::string_view text) {
        return raw(wire::Dhcp6Option::user_class, entry(text));
    }
    Dhcp6Builder& vendor_class(std::string_view text) {
        std::vector<std::byte> value(sizeof(be32));
        wire::store(value, 0, be32(wire::kIntelEnterprise));
        const auto one = entry(text);
        value.insert(value.end(), one.begin(), one.end());
        return raw(wire::Dhcp6Option::vendor_class, value);
    }
    Dhcp6Builder& firmware(std::string_view vendor, std::uint16_t architecture) {
        vendor_class(vendor);
        return option(wire::Dhcp6Option::client_architecture, be16(architecture));
    }
    // Puts all that was built so far into a relay's envelope; OPTIONS stand in front of the message.
    Dhcp6Builder& relayed(std::uint8_t hops, const char* link, const char* peer,
                          std::span<const std::byte> options = {}) {
        const auto inner = bytes_;
        bytes_.clear();
        append(wire::Dhcp6RelayHeader{wire::Dhcp6Type::relay_forward, hops, *Ipv6Address::parse(link),
                                      *Ipv6Address::parse(peer)});
        bytes_.insert(bytes_.end(), options.begin(), options.end());
        return raw(wire::Dhcp6Option::relay_message, inner);
    }
    [[nodiscard]] const std::vector<std::byte>& payload() const { return bytes_; }

  private:
    template <typename T>
    void append(const T& value) {
        const auto bytes = std::as_bytes(std::span(&value, 1));
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
    static std::vector<std::byte> entry(std::string_view text) {
        std::vector<std::byte> value(sizeof(be16));
        wire::store(value, 0, be16(static_cast<std::uint16_t>(text.size())));
        const auto bytes = std::as_bytes(std::span(text));
        value.insert(value.end(), bytes.begin(), bytes.end());
        return value;
    }
    std::vector<std::byte> bytes_;
};

// One option, header and value.
inline std::vector<std::byte> dhcp6_option(wire::Dhcp6Option code, std::span<const std::byte> value) {
    std::vector<std::byte> bytes(sizeof(wire::Dhcp6OptionHeader));
    wire::store(
        bytes, 0,
        wire::Dhcp6OptionHeader{static_cast<std::uint16_t>(code), static_cast<std::uint16_t>(value.size())});
    bytes.insert(bytes.end(), value.begin(), value.end());
    return bytes;
}

}  // namespace rouse::test
