#pragma once
// The calling thread's own time: what else runs on the same cores does not count.

#include "shared/clock.hpp"

namespace rouse::perf {

[[nodiscard]] inline std::uint64_t thread_cpu_ns() noexcept {
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

}  // namespace rouse::perf
