#pragma once
// What sort of program sent a DHCP message: decides which boot file belongs in the answer and what the
// timeline says.

#include <array>
#include <cstdint>
#include <string_view>

namespace rouse {

// X(identifier, name for people)
#define ROUSE_CLIENT_KINDS(X)        \
    X(system, "an operating system") \
    X(pxe, "PXE firmware")           \
    X(http, "UEFI HTTP boot")        \
    X(ipxe, "iPXE")                  \
    X(uboot, "U-Boot")

enum class ClientKind : std::uint16_t {
#define X(id, name) id,
    ROUSE_CLIENT_KINDS(X)
#undef X
};

inline constexpr auto kClientKindNames = std::to_array<std::string_view>({
#define X(id, name) name,
    ROUSE_CLIENT_KINDS(X)
#undef X
});

[[nodiscard]] constexpr std::string_view to_string(ClientKind kind) noexcept {
    return kClientKindNames[static_cast<std::size_t>(kind)];
}

}  // namespace rouse
