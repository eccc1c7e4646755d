#pragma once
// Which core each worker runs on. Start-up only.

#include "shared/result.hpp"

#include <vector>

namespace rouse::worker {

// Cores that this process may use, ascending (sched_getaffinity(2): a cgroup or taskset may have taken some).
[[nodiscard]] std::vector<unsigned> usable_cores();

// A core for each of WORKERS: those WANTED, which must be as many, different and usable; else, for several
// workers, the last ones of USABLE, since interrupts and other programs favour the first. Empty: the kernel
// may move them; so it is for one worker, and for more workers than cores.
[[nodiscard]] Result<std::vector<unsigned>> choose_cores(const std::vector<unsigned>& wanted,
                                                         std::size_t workers,
                                                         const std::vector<unsigned>& usable);

// The calling thread stays on CORE.
[[nodiscard]] Result<void> stay_on(unsigned core);

}  // namespace rouse::worker
