#include "mgmt/events/text.hpp"

#include "shared/boot_architecture.hpp"
#include "shared/clock.hpp"

#include <array>
#include <cstdio>

namespace rouse::events {
namespace {

std::string one_decimal(double value, const char* unit) {
    std::array<char, 48> out{};
    // 100 and more needs no decimal: "128 MB" reads better than "128.0 MB".
    std::snprintf(out.data(), out.size(), value >= 99.95 ? "%.0f %s" : "%.1f %s", value, unit);
    return out.data();
}

}  // namespace

std::string printable(std::string_view wire) {
    std::string out;
    out.reserve(wire.size());
    for (const char c : wire) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            out += c;
        } else {
            constexpr std::string_view kHex = "0123456789abcdef";
            out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return out;
}

std::string human_bytes(std::uint64_t bytes) {
    if (bytes < 1000) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
    constexpr std::array<const char*, 5> kUnits{"kB", "MB", "GB", "TB", "PB"};
    double value = static_cast<double>(bytes) / 1000;
    std::size_t unit = 0;
    // 999.95 would print as "1000 kB".
    while (value >= 999.5 && unit + 1 < kUnits.size()) {
        value /= 1000;
        ++unit;
    }
    return one_decimal(value, kUnits[unit]);
}

std::string human_duration(std::uint64_t nanos) {
    if (nanos < kNanosPerMilli) return "under 1 ms";
    if (nanos < kNanosPerSecond) return std::to_string(nanos / kNanosPerMilli) + " ms";
    const std::uint64_t seconds = nanos / kNanosPerSecond;
    if (seconds < 60) return one_decimal(static_cast<double>(nanos) / kNanosPerSecond, "s");
    return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
}

std::uint64_t bytes_per_second(std::uint64_t bytes, std::uint64_t nanos) {
    return static_cast<std::uint64_t>(static_cast<double>(bytes) * kNanosPerSecond /
                                      static_cast<double>(nanos));
}

std::string human_rate(std::uint64_t bytes, std::uint64_t nanos) {
    if (nanos < kNanosPerMilli) return {};
    return human_bytes(bytes_per_second(bytes, nanos)) + "/s";
}

std::string architecture_name(std::uint16_t architecture) {
    if (architecture == kArchitectureUnknown) return "architecture not told";
    const auto loader = loader_for(architecture);
    return loader ? std::string(to_string(*loader)) : "architecture " + std::to_string(architecture);
}

}  // namespace rouse::events
