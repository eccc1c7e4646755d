#pragma once
// How far an upload is: a bar that moves on a terminal, a line now and then elsewhere.

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace rouse::cli {

class Progress {
  public:
    using Clock = std::chrono::steady_clock;

    Progress(std::ostream& out, bool terminal, std::string name, std::uint64_t total,
             Clock::time_point start);

    // Cheap enough to be called for every block.
    void update(std::uint64_t done, Clock::time_point now);
    // Ends the bar's line; the last state stays on screen.
    void finish(std::uint64_t done, Clock::time_point now);

  private:
    [[nodiscard]] std::string figures(std::uint64_t done, Clock::time_point now) const;
    [[nodiscard]] unsigned percent(std::uint64_t done) const;

    std::ostream& out_;
    bool terminal_;
    std::string name_;
    std::uint64_t total_;
    Clock::time_point start_;
    Clock::time_point shown_;
    unsigned next_line_ = 10;  // percent at which the next plain line is due
};

}  // namespace rouse::cli
