#pragma once
// When a worker that finds nothing to do sleeps. To sleep at once costs every packet a wake-up; to poll on
// costs a core. So it polls on for about as long as has paid lately: a sleep that a little more polling would
// have spared doubles that time, a longer one halves it (as the kernel's halt_poll_ns does for virtual
// machines). While others want the core, polling on only delays them, the senders of the next packets
// perhaps among them: then it sleeps soon. Pure: time and facts are arguments.

#include <algorithm>
#include <cstdint>

namespace rouse::worker {

class Rest {
  public:
    static constexpr std::uint64_t kShortestPollNs = 10'000;
    static constexpr std::uint64_t kLongestPollNs = 500'000;
    static constexpr std::uint64_t kContentionNs = 100'000'000;  // for how long one sign of it counts

    // After every turn. True: sleep now.
    [[nodiscard]] bool is_due(std::uint64_t now_ns, bool was_busy) noexcept {
        if (was_busy) busy_at_ns_ = now_ns;
        return now_ns - busy_at_ns_ >= poll_ns_;
    }
    // It slept from BEGAN to NOW, and something to do ended that, or time did.
    void slept(std::uint64_t began_ns, std::uint64_t now_ns) noexcept {
        const bool was_short = now_ns - began_ns < kLongestPollNs;
        poll_ns_ = was_short ? poll_ns_ * 2 : poll_ns_ / 2;
        poll_ns_ = std::clamp(poll_ns_, kShortestPollNs,
                              now_ns < contended_until_ns_ ? kShortestPollNs : kLongestPollNs);
        busy_at_ns_ = now_ns;
    }
    // PREEMPTIONS: how often the kernel took the core away from this thread, ever.
    void look(std::uint64_t now_ns, std::uint64_t preemptions) noexcept {
        if (preemptions != preemptions_) {
            contended_until_ns_ = now_ns + kContentionNs;
            poll_ns_ = kShortestPollNs;
        }
        preemptions_ = preemptions;
    }
    [[nodiscard]] std::uint64_t poll_ns() const noexcept { return poll_ns_; }

  private:
    std::uint64_t busy_at_ns_ = 0;
    std::uint64_t poll_ns_ = kShortestPollNs;
    std::uint64_t contended_until_ns_ = 0;
    std::uint64_t preemptions_ = 0;
};

}  // namespace rouse::worker
