#pragma once
// Bytes into the caches before they are used.

#include <cstddef>

namespace rouse::tftp {

inline void prefetch_lines(const void* begin, std::size_t length) noexcept {
    constexpr std::size_t kLine = 64;
#pragma GCC unroll 8
    for (std::size_t line = 0; line < length; line += kLine)
        __builtin_prefetch(static_cast<const std::byte*>(begin) + line);
    // GCC 12 takes a function that only prefetches for one without an effect and drops its calls.
    asm volatile("");
}

}  // namespace rouse::tftp
