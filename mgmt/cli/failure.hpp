#pragma once
// How a command ends when it does not end well. Scripts rely on the exit codes.

#include <string>

#include <tl/expected.hpp>

namespace rouse::cli {

enum class ExitCode : int {
    done = 0,
    failed = 1,         // the appliance refused, or something here went wrong
    usage = 2,          // the command line is wrong
    not_logged_in = 3,  // no token, or none that is accepted
    unreachable = 4,    // no answer from the appliance
};

struct Failure {
    ExitCode code = ExitCode::failed;
    std::string message;  // for a person; says what to do next where that is known
};

template <typename T>
using OrFailure = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> failure(ExitCode code, std::string message) {
    return tl::unexpected(Failure{code, std::move(message)});
}

}  // namespace rouse::cli
