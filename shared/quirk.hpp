#pragma once
// What some firmware needs that the standards do not say. Set per machine (`quirks` over REST), or for whole
// families by the dataplane's own table.

#include "shared/drop_reason.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rouse {

// X(identifier, name in `quirks`, meaning)
#define ROUSE_QUIRKS(X)                                                                                      \
    X(broadcast_replies, "broadcast-replies", "DHCP answers are broadcast, whatever the client's flag says") \
    X(no_pxe_options, "no-pxe-options", "no DHCP options 43 and 60 in answers")                              \
    X(plain_tftp, "plain-tftp", "TFTP options are ignored: 512-byte blocks, one at a time")                  \
    X(rollover_to_one, "rollover-to-one", "TFTP block 1 follows block 65535, instead of 0")                  \
    X(raspberry_pi, "raspberry-pi", "option 43 offers \"Raspberry Pi Boot\"; the loader is `rpi`'s")

enum class Quirk : std::uint8_t {
#define X(id, name, help) id,
    ROUSE_QUIRKS(X)
#undef X
};

inline constexpr auto kQuirks = std::to_array<ListEntry>({
#define X(id, name, help) {name, help},
    ROUSE_QUIRKS(X)
#undef X
});

// A set of them, as records keep it.
struct Quirks {
    std::uint16_t bits = 0;

    [[nodiscard]] constexpr bool has(Quirk quirk) const noexcept {
        return (bits & (1U << static_cast<unsigned>(quirk))) != 0;
    }
    constexpr void add(Quirk quirk) noexcept {
        bits = static_cast<std::uint16_t>(bits | (1U << static_cast<unsigned>(quirk)));
    }
    [[nodiscard]] friend constexpr Quirks operator|(Quirks a, Quirks b) noexcept {
        return {static_cast<std::uint16_t>(a.bits | b.bits)};
    }
};

[[nodiscard]] constexpr std::optional<Quirk> parse_quirk(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kQuirks.size(); ++i)
        if (kQuirks[i].name == name) return static_cast<Quirk>(i);
    return std::nullopt;
}

}  // namespace rouse
