#pragma once
// One client's live stream: tells it what its filter lets through, as fast as it reads, until it goes, its
// token expires, or the process stops. All of it on the client's strand.

#include "mgmt/live/filter.hpp"
#include "mgmt/live/hub.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace rouse::live {

namespace asio = boost::asio;

// Why a stream was ended, as WebSocket close codes (RFC 6455 7.4; from 4000 on they are ours).
struct Ending {
    std::uint16_t code = 1000;
    std::string reason;
};
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kBrokenRule = 1008;
inline constexpr std::uint16_t kInternalError = 1011;
inline constexpr std::uint16_t kTokenExpired = 4401;

// How messages get to the client. False: it has gone.
class Sink {
  public:
    virtual ~Sink() = default;
    // MERGED: so many were left out before these, because newer ones made them worthless.
    virtual asio::awaitable<bool> send(std::span<const MessagePtr> messages, std::uint64_t merged) = 0;
    // About the stream itself: a JSON object with the one member NAME.
    virtual asio::awaitable<bool> say(std::string_view name, std::string_view value) = 0;
    virtual asio::awaitable<bool> keep_alive() = 0;
    virtual asio::awaitable<void> end(const Ending& ending) = 0;
};

// Lets other threads wake a coroutine on its strand.
class Waker : public std::enable_shared_from_this<Waker> {
  public:
    explicit Waker(const asio::any_io_executor& executor) : timer_(executor) {}
    // Any thread.
    void wake();
    // On the strand: wakes from here on end the next wait.
    void arm() noexcept { woken_ = false; }
    asio::awaitable<void> wait(std::chrono::steady_clock::duration longest);

  private:
    std::atomic<bool> woken_{false};
    asio::steady_timer timer_;
};

class Session {
  public:
    // EXPIRES: of the client's token, seconds since 1970.
    Session(Hub& hub, Hub::Joined joined, std::shared_ptr<Waker> waker, Filter filter,
            std::optional<std::int64_t> expires)
        : hub_(&hub),
          follower_(std::move(joined.follower)),
          must_reread_(joined.must_reread),
          waker_(std::move(waker)),
          filter_(std::move(filter)),
          expires_(expires) {}

    // Until the stream is over.
    asio::awaitable<void> run(Sink& sink);
    // What the client said: {"subscribe":…} or {"unsubscribe":…}. False: it has said too much at once.
    [[nodiscard]] bool hear(std::string_view text);

  private:
    struct CatchUp {
        std::uint64_t from = 0;
        std::uint64_t told = 0;
    };
    asio::awaitable<bool> tell(Sink& sink, std::span<const MessagePtr> messages);
    asio::awaitable<bool> say_hello(Sink& sink);
    asio::awaitable<bool> say_replies(Sink& sink);
    asio::awaitable<bool> advance(Sink& sink);
    [[nodiscard]] std::optional<Ending> ending() const;
    [[nodiscard]] std::chrono::steady_clock::duration patience() const;

    Hub* hub_;
    std::shared_ptr<Follower> follower_;
    bool must_reread_;
    std::shared_ptr<Waker> waker_;
    Filter filter_;
    std::optional<std::int64_t> expires_;
    std::optional<CatchUp> catch_up_;
    std::optional<Ending> failed_;
    bool idle_ = false;  // there is nothing to tell for now
    std::deque<std::pair<std::string, std::string>> replies_;
};

}  // namespace rouse::live
