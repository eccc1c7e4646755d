#pragma once
// JSON values as YAML and back.

#include "mgmt/cli/failure.hpp"

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::cli {

// One document in block style, ended by a newline. What a reader of YAML 1.1 or 1.2 could take for anything
// but a string (MAC addresses are numbers to base 60 in YAML 1.1) is quoted. Strings must be UTF-8.
[[nodiscard]] std::string to_yaml(const nlohmann::json& value);

// The documents of TEXT; YAML holds JSON. Plain scalars are what YAML 1.2's core schema says. A failure
// (usage) names the line.
[[nodiscard]] OrFailure<std::vector<nlohmann::json>> from_yaml(const std::string& text);

}  // namespace rouse::cli
