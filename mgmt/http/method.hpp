#pragma once
// Request methods that routes can be registered for (RFC 9110 9, RFC 5789).

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rouse::http {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options };

inline constexpr auto kMethodNames =
    std::to_array<std::string_view>({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"});

[[nodiscard]] constexpr std::string_view to_string(Method method) noexcept {
    return kMethodNames[static_cast<std::size_t>(method)];
}

// Names are case sensitive (RFC 9110 9.1).
[[nodiscard]] constexpr std::optional<Method> parse_method(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kMethodNames.size(); ++i)
        if (kMethodNames[i] == name) return static_cast<Method>(i);
    return std::nullopt;
}

}  // namespace rouse::http
