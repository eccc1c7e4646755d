#pragma once
// From a refused operation to the problem that REST answers with.

#include "mgmt/http/problem.hpp"
#include "mgmt/store/failure.hpp"

namespace rouse::ims {

[[nodiscard]] http::Problem to_problem(const Failure& failure);

// `return refused(failure)` in a handler.
template <typename E>
[[nodiscard]] tl::unexpected<http::Problem> refused(const E& error) {
    return tl::unexpected(to_problem(Failure(error)));
}

// 400 about a parameter of the query; DETAIL goes on after its name, such as "must be a number".
[[nodiscard]] tl::unexpected<http::Problem> bad_query(const std::string& name, const std::string& detail);

}  // namespace rouse::ims
