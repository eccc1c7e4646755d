#include "mgmt/cli/progress.hpp"

#include "mgmt/cli/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

namespace rouse::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr unsigned kBarWidth = 30;

std::string minutes(double seconds) {
    const auto whole = static_cast<unsigned long>(std::ceil(seconds));
    char text[32];
    std::snprintf(text, sizeof text, "%lu:%02lu", whole / 60, whole % 60);
    return text;
}

}  // namespace

Progress::Progress(std::ostream& out, bool terminal, std::string name, std::uint64_t total,
                   Clock::time_point start)
    : out_(out), terminal_(terminal), name_(std::move(name)), total_(total), start_(start), shown_(start) {}

unsigned Progress::percent(std::uint64_t done) const {
    return total_ == 0
               ? 100
               : static_cast<unsigned>(100.0 * static_cast<double>(done) / static_cast<double>(total_));
}

std::string Progress::figures(std::uint64_t done, Clock::time_point now) const {
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
    std::string out = std::to_string(percent(done)) + "%  " + human_size(static_cast<double>(done)) + " of " +
                      human_size(static_cast<double>(total_)) + "  " + human_size(rate) + "/s";
    if (done < total_ && rate > 0) out += "  ETA " + minutes(static_cast<double>(total_ - done) / rate);
    return out;
}

void Progress::update(std::uint64_t done, Clock::time_point now) {
    if (terminal_) {
        if (now - shown_ < kRedraw) return;
        shown_ = now;
        const unsigned filled = std::min(kBarWidth, percent(done) * kBarWidth / 100);
        out_ << '\r' << name_ << "  [" << std::string(filled, '#') << std::string(kBarWidth - filled, '.')
             << "]  " << figures(done, now) << "\x1b[K" << std::flush;
    } else if (percent(done) >= next_line_ && done < total_) {
        next_line_ = percent(done) / 10 * 10 + 10;
        out_ << name_ << ": " << figures(done, now) << std::endl;
    }
}

void Progress::finish(std::uint64_t done, Clock::time_point now) {
    if (terminal_) {
        shown_ = {};
        update(done, now);
        out_ << '\n' << std::flush;
    } else {
        out_ << name_ << ": " << figures(done, now) << std::endl;
    }
}

}  // namespace rouse::cli
