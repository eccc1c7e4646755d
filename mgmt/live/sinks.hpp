#pragma once
// The two forms of a live stream: WebSocket and Server-Sent Events.

#include "mgmt/http/web_socket.hpp"
#include "mgmt/live/session.hpp"

#include <string>

namespace rouse::live {

// Each text message is an object: {"events":[…],"merged":n}, or one about the stream: {"hello":{…}}.
class WebSocketSink final : public Sink {
  public:
    explicit WebSocketSink(http::WebSocket& socket) : socket_(socket) {}
    asio::awaitable<bool> send(std::span<const MessagePtr> messages, std::uint64_t merged) override;
    asio::awaitable<bool> say(std::string_view name, std::string_view value) override;
    asio::awaitable<bool> keep_alive() override { co_return true; }  // WebSocket's own pings do it
    asio::awaitable<void> end(const Ending& ending) override;

  private:
    http::WebSocket& socket_;
    std::string text_;
};

// Server-Sent Events (HTML 9.2): each change is an unnamed event whose id is its sequence; what is about the
// stream has a name.
class EventStreamSink final : public Sink {
  public:
    explicit EventStreamSink(http::ResponseStream& stream) : stream_(stream) {}
    asio::awaitable<bool> send(std::span<const MessagePtr> messages, std::uint64_t merged) override;
    asio::awaitable<bool> say(std::string_view name, std::string_view value) override;
    asio::awaitable<bool> keep_alive() override;
    asio::awaitable<void> end(const Ending& ending) override;

  private:
    http::ResponseStream& stream_;
    std::string text_;
};

// Runs SESSION: over SOCKET both ways, over STREAM as Server-Sent Events.
asio::awaitable<void> run(Session& session, http::WebSocket& socket);
asio::awaitable<void> run(Session& session, http::ResponseStream& stream);

}  // namespace rouse::live
