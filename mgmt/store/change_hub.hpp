#pragma once
// Tells whoever listens in this process what a commit changed, once it is durable, so that nobody has to look
// into the store again and again.

#include "mgmt/store/change.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>

#include <boost/asio/awaitable.hpp>

namespace rouse::store {

// Any thread.
class ChangeHub {
    struct State;

  public:
    // The changes of one commit, oldest first. Called on the Writer's thread, which everybody waits for: it
    // must return at once, and neither throw, nor use the hub, nor wait for the Writer.
    using Listener = std::function<void(std::span<const Change> changes)>;

    // Ends with its life; the listener is then not called any more, and no call is under way.
    class Subscription {
      public:
        Subscription() = default;
        Subscription(Subscription&& other) noexcept = default;
        Subscription& operator=(Subscription&& other) noexcept;
        ~Subscription() { end(); }

      private:
        friend class ChangeHub;
        Subscription(std::shared_ptr<State> state, std::uint64_t key) : state_(std::move(state)), key_(key) {}
        void end() noexcept;

        std::shared_ptr<State> state_;
        std::uint64_t key_ = 0;
    };

    // LAST: the newest change that is stored already.
    explicit ChangeHub(std::uint64_t last);
    ~ChangeHub();
    ChangeHub(const ChangeHub&) = delete;
    ChangeHub& operator=(const ChangeHub&) = delete;

    [[nodiscard]] Subscription subscribe(Listener listener);

    // For long polls: waits, LONGEST at most, until documents changed after SEQUENCE; timelines do not count.
    // True: there are. False: the time was up, or the process is about to stop. On a strand or an executor
    // with one thread.
    [[nodiscard]] boost::asio::awaitable<bool> wait(std::uint64_t sequence,
                                                    std::chrono::milliseconds longest);

    // The newest change of a document that is durable.
    [[nodiscard]] std::uint64_t last() const;
    // Wakes everybody; from now on nobody waits.
    void close();

    // For the Writer: after the commit, never before.
    void publish(std::span<const Change> changes);

  private:
    std::shared_ptr<State> state_;
};

}  // namespace rouse::store
