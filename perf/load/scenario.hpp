#pragma once
// When machines begin: the ways to put load on a server.

#include "shared/clock.hpp"
#include "shared/result.hpp"

#include <cstdint>
#include <random>
#include <string_view>

namespace rouse::load {

struct Scenario {
    enum class Kind : std::uint8_t {
        avalanche,  // all machines at once, each once; over when all are up or have given up
        rate,       // open loop: so many begin each second, whatever the server does
        ramp,       // likewise, from none to so many a second
        poisson,    // likewise, at random: so many a second on average
        closed,     // closed loop: so many are under way at any time
    };
    Kind kind = Kind::avalanche;
    double per_second = 1000;                          // rate, poisson; ramp: at its end
    std::uint32_t outstanding = 64;                    // closed
    std::uint64_t duration_ns = 10 * kNanosPerSecond;  // all but avalanche: how long machines begin
};

[[nodiscard]] Result<Scenario::Kind> parse_scenario(std::string_view name);

// Tells how many may begin. Times are of CLOCK_MONOTONIC and never go back.
class Pacer {
  public:
    Pacer(const Scenario& scenario, std::uint32_t machines, std::uint64_t start_ns,
          std::uint64_t seed) noexcept;

    // BEGUN so far, UNDER_WAY now.
    [[nodiscard]] std::uint64_t due(std::uint64_t now_ns, std::uint64_t begun,
                                    std::uint64_t under_way) noexcept;
    // Nobody begins any more.
    [[nodiscard]] bool is_over(std::uint64_t now_ns, std::uint64_t begun) const noexcept;
    // How much later than meant the next one begins at NOW_NS, after BEGUN others; 0 where nothing is meant.
    [[nodiscard]] std::uint64_t lateness_ns(std::uint64_t now_ns, std::uint64_t begun) const noexcept;

  private:
    [[nodiscard]] bool is_open_loop() const noexcept;
    [[nodiscard]] std::uint64_t end_ns() const noexcept { return start_ns_ + scenario_.duration_ns; }
    // Rate and ramp: when the one after BEGUN others is meant to begin.
    [[nodiscard]] std::uint64_t meant_ns(std::uint64_t begun) const noexcept;

    Scenario scenario_;
    std::uint64_t machines_;
    std::uint64_t start_ns_;
    std::mt19937_64 random_;
    std::uint64_t next_ns_ = 0;  // poisson: when the next one is due
    std::uint64_t arrived_ = 0;  // poisson: so many were due by then
};

}  // namespace rouse::load
