#include "perf/load/scenario.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

namespace rouse::load {
namespace {

constexpr std::array<std::pair<std::string_view, Scenario::Kind>, 5> kNames{{
    {"avalanche", Scenario::Kind::avalanche},
    {"rate", Scenario::Kind::rate},
    {"ramp", Scenario::Kind::ramp},
    {"poisson", Scenario::Kind::poisson},
    {"closed", Scenario::Kind::closed},
}};

}  // namespace

Result<Scenario::Kind> parse_scenario(std::string_view name) {
    std::string names;
    for (const auto& [known, kind] : kNames) {
        if (known == name) return kind;
        names += (names.empty() ? "" : ", ") + std::string(known);
    }
    return fail("there is no scenario '" + std::string(name) + "'; there are: " + names);
}

Pacer::Pacer(const Scenario& scenario, std::uint32_t machines, std::uint64_t start_ns,
             std::uint64_t seed) noexcept
    : scenario_(scenario), machines_(machines), start_ns_(start_ns), random_(seed), next_ns_(start_ns) {}

bool Pacer::is_open_loop() const noexcept {
    return scenario_.kind != Scenario::Kind::avalanche && scenario_.kind != Scenario::Kind::closed;
}

std::uint64_t Pacer::due(std::uint64_t now_ns, std::uint64_t begun, std::uint64_t under_way) noexcept {
    if (is_over(now_ns, begun)) return 0;
    if (scenario_.kind == Scenario::Kind::avalanche) return machines_ - begun;
    if (scenario_.kind == Scenario::Kind::closed)
        return scenario_.outstanding - std::min<std::uint64_t>(scenario_.outstanding, under_way);
    if (scenario_.kind == Scenario::Kind::poisson) {
        std::exponential_distribution<double> gap(scenario_.per_second / 1e9);
        for (; next_ns_ <= std::min(now_ns, end_ns()); ++arrived_)
            next_ns_ += static_cast<std::uint64_t>(gap(random_)) + 1;
        return arrived_ - std::min(arrived_, begun);
    }
    std::uint64_t count = 0;
    constexpr std::uint64_t kEnough = 64;  // more than begin in one turn
    while (count < kEnough && meant_ns(begun + count) <= std::min(now_ns, end_ns() - 1)) ++count;
    return count;
}

bool Pacer::is_over(std::uint64_t now_ns, std::uint64_t begun) const noexcept {
    if (scenario_.kind == Scenario::Kind::avalanche) return begun >= machines_;
    if (now_ns < end_ns()) return false;
    if (scenario_.kind == Scenario::Kind::closed) return true;
    // Who was due before the end still begins.
    return scenario_.kind == Scenario::Kind::poisson ? next_ns_ > end_ns() && begun >= arrived_
                                                     : meant_ns(begun) >= end_ns();
}

std::uint64_t Pacer::lateness_ns(std::uint64_t now_ns, std::uint64_t begun) const noexcept {
    if (!is_open_loop() || scenario_.kind == Scenario::Kind::poisson) return 0;
    return now_ns - std::min(now_ns, meant_ns(begun));
}

std::uint64_t Pacer::meant_ns(std::uint64_t begun) const noexcept {
    const double seconds = static_cast<double>(scenario_.duration_ns) / 1e9;
    const auto count = static_cast<double>(begun);
    // A ramp has begun rate * t^2 / (2 * duration) machines at time t.
    const double after = scenario_.kind == Scenario::Kind::ramp
                             ? std::sqrt(2 * seconds * count / scenario_.per_second)
                             : count / scenario_.per_second;
    return start_ns_ + static_cast<std::uint64_t>(after * 1e9);
}

}  // namespace rouse::load
