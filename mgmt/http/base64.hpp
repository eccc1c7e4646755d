#pragma once
// Base64 as HTTP's Basic scheme has it (RFC 4648 4), and for URLs without padding as JWTs have it (5).

#include <optional>
#include <string>
#include <string_view>

namespace rouse::http {

[[nodiscard]] std::string base64url(std::string_view bytes);
// Nothing for what base64url() cannot have made.
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);
// With padding; nothing for what is not Base64.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace rouse::http
