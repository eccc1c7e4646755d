#pragma once
// The words of IMS.md 3 that fields choose from.

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::ims {

inline constexpr auto kClusterStatuses = std::to_array<std::string_view>(
    {"OPERATIONAL", "DEGRADED", "CRITICAL", "MAINTENANCE", "SCALING", "UPGRADING", "UNKNOWN"});
inline constexpr auto kHealths =
    std::to_array<std::string_view>({"HEALTHY", "WARNING", "CRITICAL", "UNKNOWN"});
inline constexpr auto kMachineRoles =
    std::to_array<std::string_view>({"MASTER", "WORKER", "STORAGE", "GATEWAY"});
inline constexpr auto kOsTypes = std::to_array<std::string_view>({"LINUX", "WINDOWS", "MACOS"});

[[nodiscard]] inline std::vector<std::string> words(std::span<const std::string_view> list) {
    return {list.begin(), list.end()};
}

// The names of one of the lists that both processes share.
template <typename List>
[[nodiscard]] std::vector<std::string> names(const List& list) {
    std::vector<std::string> out;
    for (const auto& entry : list) out.emplace_back(entry.name);
    return out;
}

}  // namespace rouse::ims
