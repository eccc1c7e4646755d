#pragma once
// ICMP for IPv4 (RFC 792), as much as an echo needs.

#include <cstdint>

namespace rouse::wire {

inline constexpr std::uint8_t kProtocolIcmp = 1;

enum class IcmpType : std::uint8_t { echo_reply = 0, echo_request = 8 };

struct IcmpHeader {
    IcmpType type;
    std::uint8_t code;
    std::uint16_t checksum;  // as it lies in memory: see ChecksumSum
};
static_assert(sizeof(IcmpHeader) == 4);

}  // namespace rouse::wire
