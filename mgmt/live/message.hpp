#pragma once
// One change as followers are told of it. Made once, then shared by all of them.

#include "mgmt/store/change.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace rouse::live {

// What followers hear of, and its name on the wire. What is not in this table does not leave.
inline constexpr auto kKindNames = std::to_array<std::pair<store::Kind, std::string_view>>({
    {store::Kind::cluster, "cluster"},
    {store::Kind::machine, "machine"},
    {store::Kind::ip_pool, "ip-pool"},
    {store::Kind::boot_profile, "boot-profile"},
    {store::Kind::image, "image"},
    {store::Kind::timeline, "timeline"},
});

// Empty: nobody hears of this kind.
[[nodiscard]] constexpr std::string_view kind_name(store::Kind kind) noexcept {
    for (const auto& [known, name] : kKindNames)
        if (known == kind) return name;
    return {};
}
[[nodiscard]] constexpr std::optional<store::Kind> parse_kind(std::string_view text) noexcept {
    for (const auto& [kind, name] : kKindNames)
        if (name == text) return kind;
    return std::nullopt;
}

struct Message {
    std::uint64_t sequence = 0;
    std::uint64_t made_ns = 0;  // monotonic
    store::Kind kind{};
    store::Id id;
    store::Id cluster;  // of the machine, now and before the change; all zero: none
    store::Id former_cluster;
    std::string json;
    // There is a newer one about the same object.
    std::atomic<bool> superseded{false};
};
using MessagePtr = std::shared_ptr<Message>;

}  // namespace rouse::live
