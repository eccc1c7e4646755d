#pragma once
// What rouse-load is told to do.

#include "perf/load/rack.hpp"

#include <string>
#include <variant>

namespace rouse::load {

struct Command {
    std::string port;
    RackOptions rack;
    std::uint64_t drain_ns = 0;  // how long to wait for those still under way at the end
    std::string json;            // file for the result; empty: none
    int cpu = -1;                // core to run on; -1: any
    bool quiet = false;
    bool allows_failures = false;  // machines that do not come up are no error
};

// Either a command or the code that main() must exit with (--help, a usage error: already printed).
[[nodiscard]] std::variant<Command, int> parse_command_line(int argc, char** argv);

}  // namespace rouse::load
