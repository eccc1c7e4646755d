#pragma once
// What an image may be called: a relative path with "/" between its segments, as clients ask for it by TFTP
// and HTTP.

#include "shared/result.hpp"

#include <string_view>

namespace rouse::boot {

// 1 to 127 bytes of UTF-8; no empty, "." or ".." segment, no control character, no backslash.
[[nodiscard]] Result<void> check_image_name(std::string_view name);

}  // namespace rouse::boot
