#pragma once
// Ethernet II (IEEE 802.3 clause 3).

#include "shared/addresses.hpp"
#include "shared/endian.hpp"

namespace rouse::wire {

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;

struct EthernetHeader {
    MacAddress destination;
    MacAddress source;
    be16 type;
};
static_assert(sizeof(EthernetHeader) == 14 && alignof(EthernetHeader) == 1);

}  // namespace rouse::wire
