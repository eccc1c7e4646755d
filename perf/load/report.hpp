#pragma once
// A run told to people, while it goes on and at its end, and to programs.

#include "perf/load/scenario.hpp"
#include "perf/load/tally.hpp"

#include <string>

namespace rouse::load {

// One line: what happened since BEFORE, SECONDS ago.
[[nodiscard]] std::string progress_line(const Tally& now, const Tally& before, double seconds);

// A few lines.
[[nodiscard]] std::string summary(const Tally& tally);

// An error when the run is not what a server that copes gives: see `rouse-load --help`.
[[nodiscard]] Result<void> judge(const Tally& tally, Scenario::Kind scenario, std::uint32_t machines);

// {"exchanges", "exchanges_per_second", "lost", …, "offer_us": {"p50", "p90", "p99", "p999", "max"}, …}
[[nodiscard]] std::string to_json(const Tally& tally);

}  // namespace rouse::load
