#pragma once
// ARP for IPv4 over Ethernet (RFC 826).

#include "dataplane/wire/ethernet.hpp"

namespace rouse::wire {

inline constexpr std::uint16_t kArpHardwareEthernet = 1;
inline constexpr std::uint16_t kArpRequest = 1;
inline constexpr std::uint16_t kArpReply = 2;

struct ArpPacket {
    be16 hardware_type;
    be16 protocol_type;
    std::uint8_t hardware_length;
    std::uint8_t protocol_length;
    be16 operation;
    MacAddress sender_mac;
    Ipv4Address sender;
    MacAddress target_mac;
    Ipv4Address target;
};
static_assert(sizeof(ArpPacket) == 28 && alignof(ArpPacket) == 1);

}  // namespace rouse::wire
