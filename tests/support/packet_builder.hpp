#pragma once
// Frames for tests, written like sentences:
//     PacketBuilder().eth().ipv4({.destination = ours}).udp({.destination_port =
//     69}).payload(request).build()
// Lengths and checksums are those of the layers that follow, unless a field is given: that is how malformed
// frames are made.

#include "shared/addresses.hpp"
#include "shared/endian.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace rouse::test {

using Bytes = std::vector<std::byte>;

struct Eth {
    MacAddress destination = kBroadcastMac;
    MacAddress source{{0x52, 0x54, 0x00, 0x00, 0x00, 0x02}};
    std::uint16_t type = 0x0800;
};

struct Vlan {  // IEEE 802.1Q: stands after Ethernet, whose type must say so (0x8100)
    std::uint16_t tag = 1;
    std::uint16_t type = 0x0800;
};

struct Ipv4 {
    std::uint8_t version = 4;
    std::uint8_t ihl = 5;  // above 5: No Operation options fill the header
    std::optional<std::uint16_t> total_length{};
    std::uint16_t id = 0;
    std::uint16_t flags_and_offset = 0;  // 0x2000: more fragments; low 13 bits: offset in 8 bytes
    std::uint8_t ttl = 64;
    std::uint8_t protocol = 17;
    std::optional<std::uint16_t> checksum{};
    Ipv4Address source{};
    Ipv4Address destination = kBroadcastIpv4;
};

struct Udp {
    std::uint16_t source_port = 68;
    std::uint16_t destination_port = 67;
    std::optional<std::uint16_t> length{};
    std::optional<std::uint16_t> checksum{};
};

class PacketBuilder {
  public:
    PacketBuilder& eth(const Eth& fields = {}) {
        put(fields.destination);
        put(fields.source);
        put(be16(fields.type));
        return *this;
    }
    PacketBuilder& vlan(const Vlan& fields = {}) {
        put(be16(fields.tag));
        put(be16(fields.type));
        return *this;
    }
    PacketBuilder& ipv4(const Ipv4& fields = {}) {
        ipv4_ = fields;
        ipv4_at_ = bytes_.size();
        put(static_cast<std::uint8_t>(fields.version << 4 | fields.ihl));
        put(std::uint8_t{0});
        put(be16(fields.total_length.value_or(0)));
        put(be16(fields.id));
        put(be16(fields.flags_and_offset));
        put(fields.ttl);
        put(fields.protocol);
        put(be16(fields.checksum.value_or(0)));
        put(fields.source);
        put(fields.destination);
        for (std::size_t word = 5; word < fields.ihl; ++word) put(be32(0x01010101));
        return *this;
    }
    PacketBuilder& udp(const Udp& fields = {}) {
        udp_ = fields;
        udp_at_ = bytes_.size();
        put(be16(fields.source_port));
        put(be16(fields.destination_port));
        put(be16(fields.length.value_or(0)));
        put(be16(fields.checksum.value_or(0)));
        return *this;
    }
    PacketBuilder& payload(std::span<const std::byte> content) {
        bytes_.insert(bytes_.end(), content.begin(), content.end());
        return *this;
    }
    PacketBuilder& payload(std::string_view content) {
        return payload(std::as_bytes(std::span(content.data(), content.size())));
    }
    PacketBuilder& payload(std::size_t size, std::byte fill = std::byte{0x5a}) {
        bytes_.insert(bytes_.end(), size, fill);
        return *this;
    }

    // The frame, SIZE bytes of it if that is given: cut, or padded with zeros like a short Ethernet frame.
    [[nodiscard]] Bytes build(std::optional<std::size_t> size = std::nullopt) const {
        Bytes frame = bytes_;
        if (udp_at_) finish_udp(frame);
        if (ipv4_at_) finish_ipv4(frame);
        if (size) frame.resize(*size);
        return frame;
    }

  private:
    template <typename T>
    requires std::is_trivially_copyable_v<T>
    void put(const T& value) {
        const auto raw = std::as_bytes(std::span(&value, 1));
        bytes_.insert(bytes_.end(), raw.begin(), raw.end());
    }
    static void put_at(Bytes& frame, std::size_t at, std::uint16_t value) {
        const be16 wire(value);
        std::memcpy(frame.data() + at, &wire, sizeof wire);
    }
    // RFC 1071, without the final complement.
    static std::uint32_t sum(std::span<const std::byte> data, std::uint32_t total = 0) {
        for (std::size_t i = 0; i < data.size(); ++i)
            total += std::to_integer<std::uint32_t>(data[i]) << (i % 2 == 0 ? 8 : 0);
        return total;
    }
    static std::uint16_t complement(std::uint32_t total) {
        while (total >> 16 != 0) total = (total & 0xffff) + (total >> 16);
        return static_cast<std::uint16_t>(~total);
    }
    void finish_udp(Bytes& frame) const {
        constexpr std::uint32_t kProtocol = 17;
        const auto length = static_cast<std::uint16_t>(frame.size() - *udp_at_);
        put_at(frame, *udp_at_ + 4, udp_.length.value_or(length));
        if (udp_.checksum || !ipv4_at_) return;
        // RFC 768: over a pseudo header of addresses, protocol and length; 0 is sent as all ones.
        std::uint32_t total = kProtocol + length;
        total = sum(std::as_bytes(std::span(&ipv4_.source, 1)), total);
        total = sum(std::as_bytes(std::span(&ipv4_.destination, 1)), total);
        total = sum(std::span(frame).subspan(*udp_at_), total);
        const std::uint16_t checksum = complement(total);
        put_at(frame, *udp_at_ + 6, checksum == 0 ? 0xffff : checksum);
    }
    void finish_ipv4(Bytes& frame) const {
        const std::size_t header = std::max<std::size_t>(ipv4_.ihl, 5) * 4;
        if (!ipv4_.total_length)
            put_at(frame, *ipv4_at_ + 2, static_cast<std::uint16_t>(frame.size() - *ipv4_at_));
        if (!ipv4_.checksum)
            put_at(frame, *ipv4_at_ + 10, complement(sum(std::span(frame).subspan(*ipv4_at_, header))));
    }

    Bytes bytes_;
    Ipv4 ipv4_;
    Udp udp_;
    std::optional<std::size_t> ipv4_at_;
    std::optional<std::size_t> udp_at_;
};

}  // namespace rouse::test
