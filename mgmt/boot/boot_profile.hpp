#pragma once
// Boot profiles: which loader each architecture is given, and the kernel that an iPXE client then boots.

#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::boot {

// Letters, digits, ".", "_" and "-": it is shown by iPXE, whose scripts have no quotes.
[[nodiscard]] bool is_profile_name(std::string_view name);

// Checks what a schema cannot: image names, the command line's template, ramdisks without a kernel.
[[nodiscard]] Outcome<void> check_profile(const nlohmann::json& fields);

// The ProfileRecord of a profile.
[[nodiscard]] Outcome<void> project_profile(store::Batch& batch, const store::Document& profile);
// Deletes a profile and its record.
[[nodiscard]] Outcome<void> remove_profile(store::Batch& batch, const store::Document& profile);

// One sentence for each image that the profile names and that is not there (yet).
[[nodiscard]] Outcome<std::vector<std::string>> missing_images(const store::View& view,
                                                               const nlohmann::json& profile);

// The profile that a machine boots: its own, else its cluster's, else its pool's.
[[nodiscard]] Outcome<std::optional<store::Document>> profile_of(const store::View& view,
                                                                 const nlohmann::json& machine);

// Who names the profile: ids of machines (their own choice, or through cluster or pool).
[[nodiscard]] Outcome<std::vector<store::Id>> machines_using(const store::View& view,
                                                             std::string_view profile);
// Refuses while a machine, a cluster or a pool names the profile; says which.
[[nodiscard]] Outcome<void> check_unused(const store::View& view, std::string_view profile);

}  // namespace rouse::boot
