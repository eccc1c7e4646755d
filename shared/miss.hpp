#pragma once
// What it means that a name is not there, by TFTP and by HTTP.

#include "shared/event.hpp"

#include <string_view>

namespace rouse {

// Loaders ask for more than they need. Tells their habits from a file that somebody should be missing. NAME
// is in the catalogue's spelling.
[[nodiscard]] MissKind classify_miss(std::string_view name) noexcept;

}  // namespace rouse
