#pragma once
// IPv4 (RFC 791 3.1).

#include "shared/addresses.hpp"
#include "shared/endian.hpp"

namespace rouse::wire {

inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint16_t kDontFragment = 0x4000;
inline constexpr std::uint16_t kMoreFragments = 0x2000;
inline constexpr std::uint16_t kFragmentOffsetMask = 0x1fff;
inline constexpr std::uint8_t kTimeToLive = 64;  // RFC 1700

struct Ipv4Header {
    std::uint8_t version_ihl;  // version 4 bits, header length in 32-bit words 4 bits
    std::uint8_t type_of_service;
    be16 total_length;
    be16 identification;
    be16 fragment;  // flags 3 bits, offset in 8-byte units 13 bits
    std::uint8_t time_to_live;
    std::uint8_t protocol;
    std::uint16_t checksum;  // as it lies in memory: see ChecksumSum
    Ipv4Address source;
    Ipv4Address destination;

    [[nodiscard]] constexpr unsigned version() const noexcept { return version_ihl >> 4; }
    [[nodiscard]] constexpr std::size_t header_length() const noexcept { return (version_ihl & 0xfU) * 4U; }
};
static_assert(sizeof(Ipv4Header) == 20);

}  // namespace rouse::wire
