#pragma once
// Who is to be waited for no longer. Everybody who sends the same try of the same message waits equally long,
// so each try has a queue of its own and its first is the first that is due: no heap, no wheel.

#include <array>
#include <cstdint>
#include <deque>

namespace rouse::load {

class ResendQueue {
  public:
    static constexpr std::size_t kMaxKinds = 8;
    static constexpr std::size_t kMaxTries = 16;

    struct Waiting {
        std::uint64_t due_ns;
        std::uint32_t machine;
        std::uint32_t message;  // the machine's number of it: when it has sent another, nobody waits for this
    };
    // ATTEMPT counts from 1, to kMaxTries.
    void add(std::uint8_t kind, bool is_request, unsigned attempt, const Waiting& waiting) {
        queue(kind, is_request, attempt).push_back(waiting);
    }
    // Calls RESEND(waiting) -> bool for each that is due, until it returns false: that one stays.
    template <typename Resend>
    void take_due(std::uint64_t now_ns, Resend&& resend) {
        for (auto& waiting : queues_) {
            while (!waiting.empty() && waiting.front().due_ns <= now_ns) {
                if (!resend(waiting.front())) return;
                waiting.pop_front();
            }
        }
    }

  private:
    std::deque<Waiting>& queue(std::uint8_t kind, bool is_request, unsigned attempt) {
        return queues_[(std::size_t{kind} * 2 + (is_request ? 1 : 0)) * kMaxTries + attempt - 1];
    }
    std::array<std::deque<Waiting>, kMaxKinds * 2 * kMaxTries> queues_;
};

}  // namespace rouse::load
