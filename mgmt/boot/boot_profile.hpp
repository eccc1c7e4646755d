#pragma once
// Boot profiles: which loader each architecture is given, the kernel that the loaders then boot, and files
// made from templates.

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

// A file of the profile's machines, made from templates of its name and its content.
struct FileTemplate {
    std::string name;
    std::string content;
    bool is_same_for_all = false;  // it is then stored once, for the profile
    std::string pointer;           // where in the profile it stands, for messages: "/templates/0"
};
[[nodiscard]] std::vector<FileTemplate> templates_of(const nlohmann::json& profile);

// Checks what a schema cannot: image names, templates, the command line, ramdisks without a kernel.
[[nodiscard]] Outcome<void> check_profile(const nlohmann::json& fields);

// What the dataplane is told of a profile: its record, and the files that are the same for all its machines:
// its loaders' configurations (as frames, see loader_config.hpp) and what its own templates add or replace.
[[nodiscard]] Outcome<void> project_profile(store::Batch& batch, const store::Document& profile);
// Deletes a profile and all that was projected.
[[nodiscard]] Outcome<void> remove_profile(store::Batch& batch, const store::Document& profile);

// One sentence for each image that the profile names and that is not there (yet).
[[nodiscard]] Outcome<std::vector<std::string>> warnings_about(const store::View& view,
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
