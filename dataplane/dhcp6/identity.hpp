#pragma once
// Which machine a DHCPv6 message is from: its hardware address, so that one registration serves both families
// and every boot stage, whose DUIDs differ (EDK2: link-layer and time; iPXE: the machine's UUID).

#include "dataplane/dhcp6/message.hpp"

namespace rouse::dhcp6 {

// The Ethernet address in a DUID-LL or DUID-LLT (RFC 8415 11.2, 11.4); nothing in the other types. It is the
// address of some interface of the machine, not surely of the one that asks.
[[nodiscard]] std::optional<MacAddress> mac_in_duid(wire::ConstBytes duid) noexcept;

// The hardware address of MESSAGE's client. Heard directly: the frame's sender. Through relays: what the
// nearest one says (option 79), else the DUID's, else the one that its link-local address was made from.
[[nodiscard]] std::optional<MacAddress> mac_of(const Message& message) noexcept;

// A server identifier made of MAC: a DUID-LL, 10 bytes. Firmware has had overflows with long ones (PixieFail,
// CVE-2023-45230).
[[nodiscard]] std::array<std::byte, sizeof(wire::DuidLinkLayer)> server_duid(const MacAddress& mac) noexcept;

}  // namespace rouse::dhcp6
