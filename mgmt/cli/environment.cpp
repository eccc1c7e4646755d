#include "mgmt/cli/console.hpp"

#include <cstdlib>

namespace rouse::cli {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}  // namespace

Environment Environment::of_process() {
    const std::string base = variable("XDG_CONFIG_HOME");
    return {variable("ROUSE_URL"), variable("ROUSE_TOKEN"),
            (base.empty() ? variable("HOME") + "/.config" : base) + "/rouse"};
}

}  // namespace rouse::cli
