#include "dataplane/dhcp/quirks.hpp"

namespace rouse::dhcp {
namespace {

struct Family {
    std::array<std::uint8_t, 3> oui;
    Quirk quirk;
};

// Raspberry Pi's own prefixes: its ROM says it is an x86 BIOS and takes only a server that names it in
// option 43.
constexpr Family kFamilies[] = {
    {{0xb8, 0x27, 0xeb}, Quirk::raspberry_pi}, {{0xdc, 0xa6, 0x32}, Quirk::raspberry_pi},
    {{0xe4, 0x5f, 0x01}, Quirk::raspberry_pi}, {{0xd8, 0x3a, 0xdd}, Quirk::raspberry_pi},
    {{0x28, 0xcd, 0xc1}, Quirk::raspberry_pi}, {{0x2c, 0xcf, 0x67}, Quirk::raspberry_pi},
};

}  // namespace

Quirks known_quirks(const Message& message) noexcept {
    Quirks quirks;
    const auto& mac = message.header.hardware.octets;
    // A loader or system started on such a board says something else of itself, and needs no help.
    if (message.kind != ClientKind::pxe) return quirks;
    for (const auto& family : kFamilies)
        if (mac[0] == family.oui[0] && mac[1] == family.oui[1] && mac[2] == family.oui[2])
            quirks.add(family.quirk);
    return quirks;
}

}  // namespace rouse::dhcp
