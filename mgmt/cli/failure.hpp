#pragma once
// How a command ends when it does not end well. Scripts rely on the exit codes.

#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace rouse::cli {

enum class ExitCode : int {
    done = 0,
    failed = 1,       // the appliance could not, or something here went wrong
    usage = 2,        // the command line is wrong
    not_found = 3,    // what it names is not there
    not_allowed = 4,  // no login, none that is accepted, or a role that may not
    conflict = 5,     // it is there already, in use, or has changed meanwhile
    unreachable = 6,  // no answer from the appliance
};

// What is wrong with one member of what was sent (the `errors` of problem details).
struct Fault {
    std::string pointer;  // "/dns_servers/2"
    std::string detail;   // reads on after its name
};

struct Failure {
    ExitCode code = ExitCode::failed;
    std::string message;  // for a person; says what to do next where that is known
    std::vector<Fault> faults = {};
};

template <typename T>
using OrFailure = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> failure(ExitCode code, std::string message) {
    return tl::unexpected(Failure{code, std::move(message)});
}

}  // namespace rouse::cli
