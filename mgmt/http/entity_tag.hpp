#pragma once
// Entity tags and the lists of them that conditional requests carry (RFC 9110 8.8.3, 13.1).

#include <cstdint>
#include <string>
#include <string_view>

namespace rouse::http {

// "17" in quotes: the strong tag of an object's revision.
[[nodiscard]] std::string revision_tag(std::uint64_t revision);

// Whether HEADER, of If-None-Match, is "*" or lists TAG, be it as a weak one (weak comparison, 8.8.3.2).
[[nodiscard]] bool lists_tag(std::string_view header, std::string_view tag);
// The same by strong comparison, as If-Match wants it: a weak tag equals none.
[[nodiscard]] bool lists_strong_tag(std::string_view header, std::string_view tag);

}  // namespace rouse::http
