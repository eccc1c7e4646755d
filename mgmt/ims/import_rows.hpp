#pragma once
// A bulk import's body as rows: from JSON or CSV, each checked against a schema.

#include "mgmt/http/problem.hpp"
#include "mgmt/http/schema.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::ims {

inline constexpr std::size_t kMaxImportRows = 50'000;
// So many errors are told; who has more has one kind of error mostly.
inline constexpr std::size_t kMaxImportErrors = 1000;

struct ImportRow {
    std::size_t number = 0;  // from 1; a CSV's header is not counted
    nlohmann::json fields;   // canonical
    // Why nothing new can be made of it, though it may change what is there: a required field is missing.
    std::optional<http::FieldError> incomplete{};
};

// Errors of rows as a problem, the first kMaxImportErrors of them. TOTAL: rows of the import.
[[nodiscard]] http::Problem rows_problem(http::Status status, std::vector<http::FieldError> errors,
                                         std::size_t total);

// [{...}, ...]. PARTIAL: rows need not have all that is required. KEY: the field that no two rows may share,
// and that each must have.
[[nodiscard]] http::OrProblem<std::vector<ImportRow>> rows_of_json(std::string_view text,
                                                                   const http::Schema& schema,
                                                                   const char* key, bool partial);
// A header of field names, then a row a line; an empty cell is an absent field, lists are separated by ";".
[[nodiscard]] http::OrProblem<std::vector<ImportRow>> rows_of_csv(std::string_view text,
                                                                  const http::Schema& schema, const char* key,
                                                                  bool partial);

}  // namespace rouse::ims
