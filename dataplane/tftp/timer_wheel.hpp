#pragma once
// A hashed timing wheel (Varghese and Lauck 1987, scheme 6) over session indices. Moving a deadline into the
// future, which every acknowledgement does, is a store: the node stays where it is linked and moves on when
// its old slot comes up.

#include "dataplane/tftp/index_lists.hpp"

#include <algorithm>
#include <cstdint>

namespace rouse::tftp {

// Time in the wheel's unit: 2^20 ns, about a millisecond. It wraps after 52 days; only differences count.
using Tick = std::uint32_t;
inline constexpr unsigned kTickShift = 20;

[[nodiscard]] constexpr Tick tick_of(std::uint64_t ns) noexcept {
    return static_cast<Tick>(ns >> kTickShift);
}
// The number of ticks that last at least this long.
[[nodiscard]] constexpr Tick ticks_of_ms(std::uint64_t ms) noexcept {
    return static_cast<Tick>(((ms * 1'000'000) >> kTickShift) + 1);
}
[[nodiscard]] constexpr bool is_before(Tick a, Tick b) noexcept {
    return static_cast<std::int32_t>(a - b) < 0;
}

struct Timer {
    Tick deadline = 0;
    Tick linked_at = 0;  // the tick whose slot it is in
    bool is_linked = false;
};

class TimerWheel {
  public:
    explicit TimerWheel(std::uint32_t nodes) : lists_(nodes, kSlots + 1) {}

    // The node's timer goes off in the first turn() at or after `deadline`, which is in the future.
    void arm(std::uint32_t node, Timer& timer, Tick deadline) noexcept {
        timer.deadline = deadline;
        if (timer.is_linked) {
            if (!is_before(deadline, timer.linked_at)) return;
            lists_.remove(node);
        }
        link(node, timer);
    }
    void disarm(std::uint32_t node, Timer& timer) noexcept {
        if (timer.is_linked) lists_.remove(node);
        timer.is_linked = false;
    }

    // Moves the wheel to `now` and calls go_off(node) for each timer that is due; the node is disarmed then
    // and may be armed again. At most `most` nodes are looked at per turn, the others in the next.
    // timer_of(node) gives back the node's Timer.
    template <typename TimerOf, typename GoOff>
    void turn(Tick now, std::size_t most, const TimerOf& timer_of, const GoOff& go_off) noexcept {
        if (!started_) {
            // Nodes may have been armed before the wheel knew the time: look at all of them once.
            started_ = true;
            now_ = now - kSlots;
        }
        const Tick elapsed = is_before(now_, now) ? std::min<Tick>(now - now_, kSlots) : 0;
        if (elapsed > 0) {
            for (Tick tick = now - elapsed + 1; tick != now + 1; ++tick) lists_.splice(kDue, tick % kSlots);
            now_ = now;
        }
        for (; most > 0 && !lists_.empty(kDue); --most) {
            const std::uint32_t node = lists_.front(kDue);
            lists_.remove(node);
            Timer& timer = timer_of(node);
            timer.is_linked = false;
            if (is_before(now, timer.deadline)) {
                link(node, timer);
            } else {
                go_off(node);
            }
        }
    }

  private:
    static constexpr Tick kSlots = 4096;  // 4.3 s: longer deadlines go round again
    static constexpr std::uint32_t kDue = kSlots;

    void link(std::uint32_t node, Timer& timer) noexcept {
        const Tick farthest = now_ + kSlots - 1;
        timer.linked_at = is_before(farthest, timer.deadline) ? farthest : timer.deadline;
        if (!is_before(now_, timer.linked_at)) timer.linked_at = now_ + 1;
        lists_.push_back(timer.linked_at % kSlots, node);
        timer.is_linked = true;
    }

    IndexLists lists_;
    Tick now_ = 0;
    bool started_ = false;
};

}  // namespace rouse::tftp
