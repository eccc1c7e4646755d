#pragma once
// What a login leaves behind for the commands after it: a file that only its owner can read.

#include "mgmt/cli/failure.hpp"

#include <optional>
#include <string>

namespace rouse::cli {

struct Profile {
    std::string url = {};
    std::string user = {};
    std::string access = {};
    std::string refresh = {};
    std::string ca = {};  // file of certificates to trust; empty: the system's
};

// Nothing when nobody has logged in yet.
[[nodiscard]] OrFailure<std::optional<Profile>> load_profile(const std::string& config_dir);
// Mode 0600 in a directory of mode 0700; the old one stays until the new one is complete.
[[nodiscard]] OrFailure<void> save_profile(const std::string& config_dir, const Profile& profile);

}  // namespace rouse::cli
