#pragma once
// Counts the heap allocations of the program it is linked into, thread by thread.

#include <cstdint>

namespace rouse::perf {

// Of the calling thread, so far.
[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace rouse::perf
