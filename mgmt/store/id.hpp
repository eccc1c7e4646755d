#pragma once
// Identifiers of documents: UUID version 7 (RFC 9562 5.7), whose order is that of creation, so lists come in
// the order in which things were made and new keys fill the B-tree's last page.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rouse::store {

struct Id {
    std::array<std::uint8_t, 16> octets{};

    // Greater than every one that this process made before. Any thread.
    [[nodiscard]] static Id make();
    // Before every one that is made at this moment (milliseconds since 1970) or later.
    [[nodiscard]] static Id before(std::uint64_t millis);
    // The canonical form only (RFC 9562 4), any case.
    [[nodiscard]] static std::optional<Id> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;

    friend constexpr auto operator<=>(const Id&, const Id&) noexcept = default;
};
static_assert(sizeof(Id) == 16);

}  // namespace rouse::store
