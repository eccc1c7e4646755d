#pragma once
// What may come next on a command line, for the shells' completion.

#include "mgmt/cli/command.hpp"

#include <string>
#include <vector>

namespace rouse::cli {

// Prints a line "CANDIDATE<tab>DESCRIPTION" for each continuation of the last of WORDS (the line without the
// program's name; the last one may be empty), or ":file" for names of files. Names of objects are asked from
// the appliance, for two seconds at most; nothing is said about what fails.
void complete(const CLI::App& app, Context& context, const std::vector<std::string>& words);

}  // namespace rouse::cli
