#pragma once
// Counts every heap allocation of the program it is linked into.

#include <cstdint>

namespace rouse::perf {

[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace rouse::perf
