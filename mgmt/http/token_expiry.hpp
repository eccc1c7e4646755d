#pragma once
// When an access token ends, for answers that outlast their request.

#include <cstdint>
#include <optional>
#include <string_view>

namespace rouse::http {

// The member `exp` (RFC 7519 4.1.4) of a token that was verified before, seconds since 1970; nothing when it
// has none.
[[nodiscard]] std::optional<std::int64_t> token_expiry(std::string_view token);

}  // namespace rouse::http
