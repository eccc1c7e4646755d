#pragma once
// rouse-dataplane, assembled: what is opened at start, in which order, and the loop.

#include "shared/config.hpp"

#include <atomic>

namespace rouse {

// Runs until STOP. An error is what kept it from serving; a store that is not there yet is waited for
// instead.
[[nodiscard]] Result<void> run_dataplane(const Config& config, const std::atomic<bool>& stop);

}  // namespace rouse
