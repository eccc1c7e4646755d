#pragma once
// From bytes to a JSON document that can be trusted: limited in size and depth, valid UTF-8, without
// duplicate keys, NaN or numbers beyond a double. Anything else is a 400, 413 or 415 that says what and
// where.

#include "mgmt/http/request.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json_fwd.hpp>

namespace rouse::http {

inline constexpr std::size_t kMaxJsonDepth = 32;

[[nodiscard]] OrProblem<nlohmann::json> parse_json(std::string_view text);

// Reads the whole body, of at most LIMIT bytes: more is a 413.
asio::awaitable<OrProblem<std::string>> read_text(Request& request, std::size_t limit);
// The media type alone, without parameters, in lower case; empty when the request has none.
[[nodiscard]] std::string media_type(const Request& request);

// Reads the whole body, of at most LIMIT bytes, and parses it. Its Content-Type, if there is one, must be
// JSON (application/json or any +json).
asio::awaitable<OrProblem<nlohmann::json>> read_json(Request& request, std::size_t limit);

}  // namespace rouse::http
