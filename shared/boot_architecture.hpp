#pragma once
// Client architectures (DHCP option 93, RFC 4578 2.1 and the IANA registry) and the loader each one needs.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rouse {

// X(identifier, name in a boot profile's `loaders`)
#define ROUSE_LOADERS(X)            \
    X(bios, "bios")                 \
    X(ia32_uefi, "ia32-uefi")       \
    X(x64_uefi, "x64-uefi")         \
    X(arm32_uefi, "arm32-uefi")     \
    X(arm64_uefi, "arm64-uefi")     \
    X(riscv64_uefi, "riscv64-uefi") \
    X(ia32_http, "ia32-http")       \
    X(x64_http, "x64-http")         \
    X(arm32_http, "arm32-http")     \
    X(arm64_http, "arm64-http")     \
    X(riscv64_http, "riscv64-http") \
    X(arm32_uboot, "arm32-uboot")   \
    X(arm64_uboot, "arm64-uboot")   \
    X(rpi, "rpi")

enum class Loader : std::uint8_t {
#define X(id, name) id,
    ROUSE_LOADERS(X)
#undef X
};

inline constexpr auto kLoaderNames = std::to_array<std::string_view>({
#define X(id, name) name,
    ROUSE_LOADERS(X)
#undef X
});

[[nodiscard]] constexpr std::string_view to_string(Loader loader) noexcept {
    return kLoaderNames[static_cast<std::size_t>(loader)];
}

[[nodiscard]] constexpr std::optional<Loader> parse_loader(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kLoaderNames.size(); ++i)
        if (kLoaderNames[i] == name) return static_cast<Loader>(i);
    return std::nullopt;
}

inline constexpr std::uint16_t kArchitectureRaspberryPi = 41;
inline constexpr std::uint16_t kArchitectureUnknown = 0xffff;  // the client sent no option 93

// The loader for an architecture number. 7 and 9 are both x64 UEFI: RFC 4578's text swapped them (erratum)
// and firmware followed both readings.
[[nodiscard]] constexpr std::optional<Loader> loader_for(std::uint16_t architecture) noexcept {
    switch (architecture) {
        case 0:
        case kArchitectureUnknown:
            return Loader::bios;
        case 6:
            return Loader::ia32_uefi;
        case 7:
        case 9:
            return Loader::x64_uefi;
        case 10:
            return Loader::arm32_uefi;
        case 11:
            return Loader::arm64_uefi;
        case 15:
            return Loader::ia32_http;
        case 16:
        case 17:
            return Loader::x64_http;
        case 18:
            return Loader::arm32_http;
        case 19:
            return Loader::arm64_http;
        case 21:
            return Loader::arm32_uboot;
        case 22:
            return Loader::arm64_uboot;
        case 27:
            return Loader::riscv64_uefi;
        case 28:
            return Loader::riscv64_http;
        case kArchitectureRaspberryPi:
            return Loader::rpi;
        default:
            return std::nullopt;
    }
}

}  // namespace rouse
