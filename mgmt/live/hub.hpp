#pragma once
// Live events: follows the store's changes while anybody is interested, makes each into messages once, and
// keeps the newest of them in a ring that all followers read at their own pace. A follower is no more than a
// place in it: whoever falls behind the ring reads the feed of changes instead, where each object stands once
// (catch_up). So memory does not depend on how slow anybody is, nor on how many machines boot.

#include "mgmt/live/message.hpp"
#include "mgmt/live/renderer.hpp"
#include "mgmt/store/writer.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

namespace rouse::live {

class Hub;

// Whether the hub is still there, for followers whose coroutine is destroyed after it.
struct Gate {
    std::mutex mutex;
    Hub* hub = nullptr;
};

// One follower's place. On its own thread or strand.
class Follower {
  public:
    ~Follower();
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    // The sequence up to which this follower has been told everything.
    [[nodiscard]] std::uint64_t position() const noexcept { return position_; }

    struct Batch {
        std::vector<MessagePtr> messages;  // oldest first; neither filtered nor without the stale ones
        bool more = false;                 // call again at once
    };
    // What follows position(), LIMIT messages at most. Nothing: it fell off the ring, catch_up().
    [[nodiscard]] std::optional<Batch> next(std::size_t limit);
    // The same from the feed of changes.
    [[nodiscard]] Result<Batch> catch_up(std::size_t limit);

  private:
    friend class Hub;
    Follower(Hub& hub, std::shared_ptr<Gate> gate, std::uint64_t key) noexcept
        : hub_(&hub), gate_(std::move(gate)), key_(key) {}
    Hub* hub_;
    std::shared_ptr<Gate> gate_;
    std::uint64_t key_;
    std::uint64_t position_ = 0;
};

// Any thread.
class Hub {
  public:
    static constexpr std::size_t kMaxFollowers = 256;
    static constexpr std::size_t kMaxMessages = 32'768;              // in the ring
    static constexpr std::size_t kMaxBytes = std::size_t{16} << 20;  // of their text

    // A gauge or counts since the start; read by /metrics.
    struct Statistics {
        std::atomic<std::uint64_t> followers{0};
        std::atomic<std::uint64_t> refused{0};    // followers that were too many
        std::atomic<std::uint64_t> messages{0};   // made
        std::atomic<std::uint64_t> sent{0};       // to all followers together
        std::atomic<std::uint64_t> merged{0};     // not sent, because a newer one about the object was
        std::atomic<std::uint64_t> catch_ups{0};  // times that a follower fell off the ring
    };

    Hub(store::Writer& writer, events::EventTables tables, Visible visible);
    // No follower is in use any more.
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    struct Joined {
        std::shared_ptr<Follower> follower;
        // AFTER was too long ago, or is not of this store: the follower must read everything anew. It begins
        // with what happens now.
        bool must_reread = false;
    };
    // Follows from now on, or from AFTER. WAKE is called from another thread whenever there may be something
    // to read; it must return at once. Nothing: there are too many followers.
    [[nodiscard]] Result<std::optional<Joined>> follow(std::optional<std::uint64_t> after,
                                                       std::function<void()> wake);
    // Wakes everybody; from now on is_closed().
    void close();
    // Whether a newer message makes MESSAGE worthless at NOW (monotonic). Of a timeline every entry is worth
    // telling, unless the follower is far behind.
    [[nodiscard]] static bool is_stale(const Message& message, std::uint64_t now_ns) noexcept;
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }

    [[nodiscard]] const Statistics& statistics() const noexcept { return statistics_; }
    [[nodiscard]] Statistics& statistics() noexcept { return statistics_; }

  private:
    friend class Follower;
    struct Object {
        store::Kind kind;
        store::Id id;
        friend auto operator<=>(const Object&, const Object&) = default;
    };

    void note(std::span<const store::Change> changes);
    void loop();
    void publish(std::vector<store::Change> changes);
    void append(MessagePtr message);
    void wake_all();
    void leave(std::uint64_t key);
    std::optional<Follower::Batch> read_ring(std::uint64_t& position, std::size_t limit);

    std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
    store::Writer* writer_;
    events::EventTables tables_;
    Visible visible_;
    Renderer renderer_;  // the thread's
    Statistics statistics_;
    std::atomic<bool> closed_{false};
    std::atomic<bool> active_{false};  // somebody follows

    std::mutex pending_mutex_;  // what the thread has to do
    std::condition_variable arrived_;
    std::map<Object, store::Change> pending_;
    bool begin_anew_ = false;
    bool stopping_ = false;

    std::mutex mutex_;  // the ring and the followers
    std::deque<MessagePtr> ring_;
    std::size_t ring_bytes_ = 0;
    std::uint64_t lost_ = 0;  // the newest sequence that may be missing in the ring
    std::map<Object, Message*> newest_;
    std::map<std::uint64_t, std::function<void()>> wakes_;
    std::uint64_t next_key_ = 1;

    store::ChangeHub::Subscription subscription_;
    std::thread thread_;
};

}  // namespace rouse::live
