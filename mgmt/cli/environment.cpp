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
    return {.url = variable("ROUSE_URL"),
            .token = variable("ROUSE_TOKEN"),
            .config_dir = (base.empty() ? variable("HOME") + "/.config" : base) + "/rouse",
            .context = variable("ROUSE_CONTEXT"),
            .ca = variable("ROUSE_CA")};
}

}  // namespace rouse::cli
