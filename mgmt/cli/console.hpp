#pragma once
// Where a command reads and writes, and what it is told by its environment.

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

namespace rouse::cli {

enum class Format : std::uint8_t { table, json };

struct Console {
    std::istream& in;
    std::ostream& out;  // results
    std::ostream& err;  // progress and errors
    bool err_is_terminal = false;
    // Asks for a secret on the terminal, without echo; nothing when there is no terminal.
    std::function<std::optional<std::string>(const std::string& prompt)> ask_secret;
};

struct Environment {
    std::string url;         // ROUSE_URL; wins over the profile's
    std::string token;       // ROUSE_TOKEN; wins over the profile's
    std::string config_dir;  // $XDG_CONFIG_HOME/rouse or ~/.config/rouse

    [[nodiscard]] static Environment of_process();
};

}  // namespace rouse::cli
