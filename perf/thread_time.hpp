#pragma once
// The calling thread's own time: what else runs on the same cores does not count.

#include "shared/clock.hpp"

namespace rouse::perf {

[[nodiscard]] inline std::uint64_t thread_cpu_ns() noexcept {
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

class Stopwatch {
  public:
    void start() noexcept { started_ = thread_cpu_ns(); }
    void stop() noexcept { elapsed_ns_ += thread_cpu_ns() - started_; }
    [[nodiscard]] std::uint64_t elapsed_ns() const noexcept { return elapsed_ns_; }

  private:
    std::uint64_t started_ = 0;
    std::uint64_t elapsed_ns_ = 0;
};

}  // namespace rouse::perf
