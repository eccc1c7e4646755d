#pragma once
// Where a command reads and writes, and what it is told by its environment.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

namespace rouse::cli {

enum class Format : std::uint8_t { table, wide, json, yaml, name };

struct Console {
    // Asks on the terminal; nothing when there is none.
    using Ask = std::function<std::optional<std::string>(const std::string& prompt)>;

    std::istream& in;
    std::ostream& out;  // results
    std::ostream& err;  // progress and errors
    bool err_is_terminal = false;
    Ask ask_secret = {};  // without echo
    Ask ask = {};
    bool out_is_terminal = false;
    bool colours = false;   // on `out`
    std::size_t width = 0;  // characters in a line of `out`; 0: no limit
};

struct Environment {
    std::string url;           // ROUSE_URL; wins over the context's
    std::string token;         // ROUSE_TOKEN; wins over the context's
    std::string config_dir;    // $XDG_CONFIG_HOME/rouse or ~/.config/rouse
    std::string context = {};  // ROUSE_CONTEXT; instead of the current one
    std::string ca = {};       // ROUSE_CA; wins over the context's

    [[nodiscard]] static Environment of_process();
};

}  // namespace rouse::cli
