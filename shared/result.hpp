#pragma once
// Errors outside the packet path: values that carry what went wrong and what to do next.

#include <cerrno>
#include <cstring>
#include <string>

#include <tl/expected.hpp>

namespace rouse {

struct Error {
    std::string message;  // one sentence for a person; says what to do next where that is known
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(std::string message) {
    return tl::unexpected(Error{std::move(message)});
}

// "WHAT: No such file or directory"; reads errno, so call it before anything else can change it.
[[nodiscard]] inline tl::unexpected<Error> fail_errno(const std::string& what, int error = errno) {
    return fail(what + ": " + std::strerror(error));
}

}  // namespace rouse
