#pragma once
// When machines begin: the three ways to put load on a server.

#include "shared/clock.hpp"
#include "shared/result.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace rouse::load {

struct Scenario {
    enum class Kind {
        avalanche,  // all machines at once, each once; over when all are up or have given up
        rate,       // open loop: so many begin each second, whatever the server does
        closed,     // closed loop: so many are under way at any time
    };
    Kind kind = Kind::avalanche;
    double per_second = 1000;                          // rate
    std::uint32_t outstanding = 64;                    // closed
    std::uint64_t duration_ns = 10 * kNanosPerSecond;  // rate, closed: how long machines begin
};

[[nodiscard]] inline Result<Scenario::Kind> parse_scenario(std::string_view name) {
    if (name == "avalanche") return Scenario::Kind::avalanche;
    if (name == "rate") return Scenario::Kind::rate;
    if (name == "closed") return Scenario::Kind::closed;
    return fail("there is no scenario '" + std::string(name) + "'; there are: avalanche, rate, closed");
}

// Tells how many may begin. Times are of CLOCK_MONOTONIC.
class Pacer {
  public:
    Pacer(const Scenario& scenario, std::uint32_t machines, std::uint64_t start_ns) noexcept
        : scenario_(scenario), machines_(machines), start_ns_(start_ns) {}

    // BEGUN so far, UNDER_WAY now.
    [[nodiscard]] std::uint64_t due(std::uint64_t now_ns, std::uint64_t begun,
                                    std::uint64_t under_way) const noexcept {
        if (is_over(now_ns, begun)) return 0;
        switch (scenario_.kind) {
            case Scenario::Kind::avalanche:
                return machines_ - begun;
            case Scenario::Kind::closed:
                return scenario_.outstanding - std::min<std::uint64_t>(scenario_.outstanding, under_way);
            case Scenario::Kind::rate:
                break;
        }
        const std::uint64_t by_now = begun_by(std::min(now_ns, end_ns()));
        return by_now - std::min(by_now, begun);
    }
    // Nobody begins any more.
    [[nodiscard]] bool is_over(std::uint64_t now_ns, std::uint64_t begun) const noexcept {
        if (scenario_.kind == Scenario::Kind::avalanche) return begun >= machines_;
        if (scenario_.kind == Scenario::Kind::rate) return now_ns >= end_ns() && begun >= begun_by(end_ns());
        return now_ns >= end_ns();
    }
    // How much later than meant the exchange number BEGUN (from 0) begins at NOW_NS; 0 where nothing is
    // meant.
    [[nodiscard]] std::uint64_t lateness_ns(std::uint64_t now_ns, std::uint64_t begun) const noexcept {
        if (scenario_.kind != Scenario::Kind::rate) return 0;
        const auto meant =
            start_ns_ + static_cast<std::uint64_t>(static_cast<double>(begun) * 1e9 / scenario_.per_second);
        return now_ns - std::min(now_ns, meant);
    }

  private:
    [[nodiscard]] std::uint64_t end_ns() const noexcept { return start_ns_ + scenario_.duration_ns; }
    [[nodiscard]] std::uint64_t begun_by(std::uint64_t now_ns) const noexcept {
        return static_cast<std::uint64_t>(static_cast<double>(now_ns - start_ns_) * scenario_.per_second /
                                          1e9);
    }

    Scenario scenario_;
    std::uint64_t machines_;
    std::uint64_t start_ns_;
};

}  // namespace rouse::load
