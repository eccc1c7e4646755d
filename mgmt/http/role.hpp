#pragma once
// Who may do what: a route asks for a role, a role may include others. This is the one table of roles.

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::http {

// X(identifier, name, roles that it includes besides itself, as a list of identifiers)
// The o2ims-* ones are those of O-RAN's O2ims (O2IMS.md 1.8). What deploys reads the credentials of clusters,
// so that no operator does by the way.
#define ROUSE_ROLES(X)                                                                                \
    X(viewer, "viewer", Role::o2ims_reader)                                                           \
    X(operator_, "operator", Role::viewer, Role::o2ims_reader, Role::o2ims_subscriber,                \
      Role::o2ims_maintainer, Role::o2ims_provisioner)                                                \
    X(administrator, "administrator", Role::viewer, Role::operator_, Role::worker, Role::o2ims_admin, \
      Role::o2ims_reader, Role::o2ims_subscriber, Role::o2ims_maintainer, Role::o2ims_provisioner,    \
      Role::o2ims_deployer)                                                                           \
    X(worker, "worker")                                                                               \
    X(o2ims_admin, "o2ims-admin", Role::o2ims_reader, Role::o2ims_subscriber, Role::o2ims_maintainer, \
      Role::o2ims_provisioner, Role::o2ims_deployer)                                                  \
    X(o2ims_reader, "o2ims-reader")                                                                   \
    X(o2ims_subscriber, "o2ims-subscriber")                                                           \
    X(o2ims_maintainer, "o2ims-maintainer")                                                           \
    X(o2ims_provisioner, "o2ims-provisioner")                                                         \
    X(o2ims_deployer, "o2ims-deployer")

enum class Role : std::uint8_t {
#define X(id, ...) id,
    ROUSE_ROLES(X)
#undef X
};

inline constexpr auto kRoleNames = std::to_array<std::string_view>({
#define X(id, name, ...) name,
    ROUSE_ROLES(X)
#undef X
});

[[nodiscard]] constexpr std::string_view to_string(Role role) noexcept {
    return kRoleNames[static_cast<std::size_t>(role)];
}

[[nodiscard]] constexpr std::optional<Role> parse_role(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kRoleNames.size(); ++i)
        if (kRoleNames[i] == name) return static_cast<Role>(i);
    return std::nullopt;
}

[[nodiscard]] constexpr std::uint32_t role_bit(Role role) noexcept {
    return 1U << static_cast<unsigned>(role);
}

// Roles that somebody holds, or any one of which a route asks for.
class Roles {
  public:
    constexpr Roles() noexcept = default;
    template <typename... Others>
    constexpr Roles(Role first, Others... others) noexcept  // NOLINT(google-explicit-constructor)
        : bits_((role_bit(first) | ... | role_bit(others))) {}

    constexpr void add(Role role) noexcept { bits_ |= role_bit(role); }
    [[nodiscard]] constexpr bool has(Role role) const noexcept { return (bits_ & role_bit(role)) != 0; }
    [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
    [[nodiscard]] constexpr Roles operator|(Roles other) const noexcept { return of(bits_ | other.bits_); }
    [[nodiscard]] constexpr Roles operator&(Roles other) const noexcept { return of(bits_ & other.bits_); }
    constexpr bool operator==(const Roles&) const noexcept = default;

    // These and all that they include.
    [[nodiscard]] constexpr Roles with_included() const noexcept;
    // The one that includes the most, for who knows only one. Of none: nothing.
    [[nodiscard]] constexpr std::optional<Role> foremost() const noexcept {
        std::optional<Role> out;
        for (std::size_t i = 0; i < kRoleNames.size(); ++i) {
            const auto role = static_cast<Role>(i);
            if (has(role) && (!out || included(role) > included(*out))) out = role;
        }
        return out;
    }
    // In the order of the table.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (std::size_t i = 0; i < kRoleNames.size(); ++i)
            if (has(static_cast<Role>(i))) out.emplace_back(kRoleNames[i]);
        return out;
    }

  private:
    static constexpr Roles of(std::uint32_t bits) noexcept {
        Roles out;
        out.bits_ = bits;
        return out;
    }
    static constexpr int included(Role role) noexcept {
        return std::popcount(Roles(role).with_included().bits_);
    }

    std::uint32_t bits_ = 0;
};

constexpr Roles Roles::with_included() const noexcept {
    constexpr auto kIncluded = std::to_array<Roles>({
#define X(id, name, ...) Roles(Role::id __VA_OPT__(, ) __VA_ARGS__),
        ROUSE_ROLES(X)
#undef X
    });
    Roles out;
    for (std::size_t i = 0; i < kIncluded.size(); ++i)
        if (has(static_cast<Role>(i))) out = out | kIncluded[i];
    return out;
}

// "viewer or worker"
[[nodiscard]] inline std::string to_string(Roles roles, std::string_view conjunction) {
    std::string out;
    for (const auto& name : roles.names())
        out += (out.empty() ? "" : " " + std::string(conjunction) + " ") + name;
    return out;
}

// Whether who holds HELD may do what asks for any one of NEEDED.
[[nodiscard]] constexpr bool allows(Roles held, Roles needed) noexcept {
    return !(held.with_included() & needed).empty();
}
static_assert(allows(Role::administrator, Role::viewer) && !allows(Role::viewer, Role::operator_));

// Who sent a request, as its token says.
struct Principal {
    std::string user;  // or the client's id
    Roles roles;
    bool is_client = false;  // a program with credentials of its own, and no user
};

}  // namespace rouse::http
