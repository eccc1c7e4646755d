#pragma once
// Coroutines that wait for a machine's timeline to grow: the long poll now, live connections later. No timers
// of their own: the consumer's thread, which wakes every few ms anyway, sends home those whose time is up.

#include "mgmt/store/id.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <boost/asio/awaitable.hpp>

namespace rouse::events {

// Any thread.
class Waiters {
  public:
    // The machine's last sequence as the store has it now.
    using LastSequence = std::function<std::uint64_t(const store::Id& machine)>;

    explicit Waiters(LastSequence last_sequence) : last_sequence_(std::move(last_sequence)) {}
    ~Waiters() { close(); }
    Waiters(const Waiters&) = delete;
    Waiters& operator=(const Waiters&) = delete;

    // True: the timeline has entries after AFTER. False: the time was up, too many wait already, or the
    // process is about to stop. UNTIL: CLOCK_MONOTONIC. Resumes on the caller's executor.
    boost::asio::awaitable<bool> wait(store::Id machine, std::uint64_t after, std::uint64_t until_ns);

    // Wakes who waits for less than SEQUENCE. After the commit, never before.
    void publish(const store::Id& machine, std::uint64_t sequence);
    // Wakes those whose time is up at NOW (CLOCK_MONOTONIC).
    void expire(std::uint64_t now_ns);
    // Wakes everybody; from now on nobody waits.
    void close();

    [[nodiscard]] std::size_t size() const;

  private:
    static constexpr std::size_t kMaxWaiters = 10'000;
    using Resume = std::function<void(bool)>;
    struct Waiter {
        std::uint64_t after;
        std::uint64_t until_ns;
        Resume resume;
    };
    struct HashId {
        std::size_t operator()(const store::Id& id) const noexcept;
    };

    void add(const store::Id& machine, Waiter waiter);
    // Takes out those for which DUE holds and resumes them with OUTCOME, outside the lock.
    template <typename Due>
    void release(bool outcome, Due due);

    LastSequence last_sequence_;
    mutable std::mutex mutex_;
    bool closed_ = false;
    std::uint64_t earliest_ns_ = UINT64_MAX;
    std::unordered_multimap<store::Id, Waiter, HashId> waiters_;
};

}  // namespace rouse::events
