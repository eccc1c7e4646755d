#include "mgmt/http/problem.hpp"

#include <nlohmann/json.hpp>

namespace rouse::http {

tl::unexpected<Problem> invalid_body(std::vector<FieldError> errors) {
    Problem problem{Status::bad_request, "", std::move(errors), {}};
    const auto& first = problem.errors.front();
    const std::string what =
        (first.pointer.empty() ? "the body" : "\"" + first.pointer.substr(1) + "\"") + " " + first.detail;
    const std::size_t more = problem.errors.size() - 1;
    problem.detail =
        more == 0 ? what
                  : what + " (and " + std::to_string(more) + (more == 1 ? " more error)" : " more errors)");
    return tl::unexpected(std::move(problem));
}

tl::unexpected<Problem> invalid_field(std::string pointer, std::string detail) {
    return invalid_body({{std::move(pointer), std::move(detail)}});
}

nlohmann::json to_json(const Problem& problem) {
    nlohmann::json out = {{"status", code(problem.status)},
                          {"title", reason_phrase(problem.status)},
                          {"detail", problem.detail}};
    for (const auto& error : problem.errors) {
        nlohmann::json one = {{"pointer", error.pointer}, {"detail", error.detail}};
        if (error.row != 0) one["row"] = error.row;
        out["errors"].push_back(std::move(one));
    }
    return out;
}

}  // namespace rouse::http
