#pragma once
// Moments as clients write them.

#include <cstdint>
#include <optional>
#include <string>

namespace rouse::http {

// RFC 3339 in milliseconds since 1970; nothing for what is not, or is before 1970. A space may stand for the
// "+" of an offset: that is what a bare + in a query becomes.
[[nodiscard]] std::optional<std::uint64_t> parse_moment(const std::string& text);

}  // namespace rouse::http
