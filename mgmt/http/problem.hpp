#pragma once
// Problem details (RFC 9457): how every error leaves the API. `type` is always the implied "about:blank", so
// `title` is the status code's reason phrase and is not stored.

#include "mgmt/http/headers.hpp"
#include "mgmt/http/status.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

namespace rouse::http {

// What is wrong with one member of a request's body.
struct FieldError {
    std::string pointer;  // JSON pointer (RFC 6901): "/mac", "/dns_servers/2"; "" is the whole body
    std::string detail;   // reads on after the field's name: "must be an IPv4 address"
    std::size_t row = 0;  // of a table (bulk import), from 1; 0: the body is no table
};

struct Problem {
    Status status = Status::internal_server_error;
    std::string detail;              // one sentence for a person; says what to do next where that is known
    std::vector<FieldError> errors;  // members `errors[].pointer`, `.detail` and, of tables, `.row`
    Headers headers;                 // that the status asks for: Allow, Retry-After, WWW-Authenticate
};

// A value, or the problem to answer with instead.
template <typename T>
using OrProblem = tl::expected<T, Problem>;

[[nodiscard]] inline tl::unexpected<Problem> problem(Status status, std::string detail) {
    return tl::unexpected(Problem{status, std::move(detail), {}, {}});
}

// A 400 for a body whose members are wrong, each named. ERRORS is not empty.
[[nodiscard]] tl::unexpected<Problem> invalid_body(std::vector<FieldError> errors);
// The same for a single member, for checks that need more than the body: invalid_field("/ip", "is outside
// ...").
[[nodiscard]] tl::unexpected<Problem> invalid_field(std::string pointer, std::string detail);

// {"status","title","detail","errors"?}, to be sent as application/problem+json.
[[nodiscard]] nlohmann::json to_json(const Problem& problem);
inline constexpr std::string_view kProblemType = "application/problem+json";

}  // namespace rouse::http
