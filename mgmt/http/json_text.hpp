#pragma once
// JSON as it is sent.

#include <string>

#include <nlohmann/json.hpp>

namespace rouse::http {

// Without white space. What reached us as text may hold broken UTF-8 (a header, a file name); an answer never
// fails for it.
[[nodiscard]] inline std::string to_text(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace rouse::http
