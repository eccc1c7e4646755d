#include "mgmt/live/sinks.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <nlohmann/json.hpp>

namespace rouse::live {

asio::awaitable<bool> WebSocketSink::send(std::span<const MessagePtr> messages, std::uint64_t merged) {
    text_.assign(R"({"events":[)");
    for (const MessagePtr& message : messages) {
        if (text_.back() != '[') text_ += ',';
        text_ += message->json;
    }
    text_ += ']';
    if (merged != 0) text_.append(R"(,"merged":)").append(std::to_string(merged));
    text_ += '}';
    co_return co_await socket_.write(text_);
}

asio::awaitable<bool> WebSocketSink::say(std::string_view name, std::string_view value) {
    text_.assign("{\"").append(name).append("\":").append(value).append("}");
    co_return co_await socket_.write(text_);
}

asio::awaitable<void> WebSocketSink::end(const Ending& ending) {
    co_await socket_.close(ending.code, ending.reason);
}

asio::awaitable<bool> EventStreamSink::send(std::span<const MessagePtr> messages, std::uint64_t merged) {
    text_.clear();
    if (merged != 0)
        text_.append("event: merged\ndata: {\"merged\":").append(std::to_string(merged)).append("}\n\n");
    for (const MessagePtr& message : messages)
        text_.append("id: ")
            .append(std::to_string(message->sequence))
            .append("\ndata: ")
            .append(message->json)
            .append("\n\n");
    co_return co_await stream_.write(text_);
}

asio::awaitable<bool> EventStreamSink::say(std::string_view name, std::string_view value) {
    text_.assign("event: ").append(name).append("\ndata: ").append(value).append("\n\n");
    co_return co_await stream_.write(text_);
}

asio::awaitable<bool> EventStreamSink::keep_alive() {
    co_return co_await stream_.write(": still here\n\n");
}

asio::awaitable<void> EventStreamSink::end(const Ending& ending) {
    const nlohmann::json why{{"code", ending.code}, {"reason", ending.reason}};
    co_await say("end", why.dump());
}

namespace {

asio::awaitable<void> listen(Session& session, http::WebSocket& socket) {
    while (const auto text = co_await socket.read())
        if (!session.hear(*text)) co_return;
}

asio::awaitable<void> talk(Session& session, http::WebSocket& socket) {
    WebSocketSink sink(socket);
    co_await session.run(sink);
}

}  // namespace

asio::awaitable<void> run(Session& session, http::WebSocket& socket) {
    using namespace asio::experimental::awaitable_operators;
    // When either ends, so does the other.
    co_await (talk(session, socket) || listen(session, socket));
}

asio::awaitable<void> run(Session& session, http::ResponseStream& stream) {
    EventStreamSink sink(stream);
    co_await session.run(sink);
}

}  // namespace rouse::live
