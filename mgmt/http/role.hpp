#pragma once
// Who may do what: a route asks for a role, a role may include others. This is the one table of roles.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rouse::http {

// X(name, roles that it includes besides itself as a list of bits)
#define ROUSE_ROLES(X)                   \
    X(viewer, 0U)                        \
    X(operator_, role_bit(Role::viewer)) \
    X(administrator, role_bit(Role::viewer) | role_bit(Role::operator_))

enum class Role : std::uint8_t {
#define X(id, includes) id,
    ROUSE_ROLES(X)
#undef X
};

[[nodiscard]] constexpr std::uint32_t role_bit(Role role) noexcept {
    return 1U << static_cast<unsigned>(role);
}

inline constexpr auto kRoleNames = std::to_array<std::string_view>({"viewer", "operator", "administrator"});

[[nodiscard]] constexpr std::string_view to_string(Role role) noexcept {
    return kRoleNames[static_cast<std::size_t>(role)];
}

[[nodiscard]] constexpr std::optional<Role> parse_role(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kRoleNames.size(); ++i)
        if (kRoleNames[i] == name) return static_cast<Role>(i);
    return std::nullopt;
}

// Whether who holds HELD may do what asks for NEEDED.
[[nodiscard]] constexpr bool allows(Role held, Role needed) noexcept {
    constexpr auto kIncludes = std::to_array<std::uint32_t>({
#define X(id, includes) role_bit(Role::id) | (includes),
        ROUSE_ROLES(X)
#undef X
    });
    return (kIncludes[static_cast<std::size_t>(held)] & role_bit(needed)) != 0;
}
static_assert(allows(Role::administrator, Role::viewer) && !allows(Role::viewer, Role::operator_));

// Who sent a request, as its token says.
struct Principal {
    std::string user;
    Role role = Role::viewer;
};

}  // namespace rouse::http
