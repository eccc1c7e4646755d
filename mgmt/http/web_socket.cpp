#include "mgmt/http/web_socket.hpp"

#include "mgmt/http/web_socket_stream.hpp"

#include <chrono>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace rouse::http {
namespace {

namespace websocket = beast::websocket;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kHandshake{10};
constexpr std::chrono::seconds kIdle{60};  // a ping after half of it
// What the kernel may hold for a client that does not read: it would be old by the time it is read.
constexpr int kSendBuffer = 256 * 1024;

template <typename Stream>
class BeastWebSocket final : public WebSocket {
  public:
    explicit BeastWebSocket(Stream& stream) : socket_(stream) {}

    asio::awaitable<bool> accept(const Request& request, const Response& response) {
        boost::system::error_code ignored;
        beast::get_lowest_layer(socket_).set_option(asio::socket_base::send_buffer_size(kSendBuffer),
                                                    ignored);
        websocket::stream_base::timeout timeout{kHandshake, kIdle, true};
        socket_.set_option(timeout);
        socket_.set_option(
            websocket::stream_base::decorator([&request, &response](websocket::response_type& answer) {
                decorate(request, response, answer);
            }));
        socket_.read_message_max(kMaxMessage);
        socket_.auto_fragment(false);
        socket_.text(true);
        // The request was read by the connection's own parser; Beast looks at the handshake's fields again.
        beast::http::request<beast::http::empty_body> handshake(beast::http::verb::get, request.path, 11);
        for (const auto& [name, value] : request.headers) handshake.insert(name, value);
        const auto [error] = co_await socket_.async_accept(handshake, kAwait);
        co_return !error;
    }

    asio::awaitable<bool> write(std::string_view data) override {
        const auto [error, n] = co_await socket_.async_write(asio::buffer(data), kAwait);
        co_return !error;
    }

    asio::awaitable<std::optional<std::string>> read() override {
        beast::flat_buffer buffer;
        const auto [error, n] = co_await socket_.async_read(buffer, kAwait);
        if (error || !socket_.got_text()) co_return std::nullopt;
        co_return beast::buffers_to_string(buffer.data());
    }

    asio::awaitable<void> close(std::uint16_t code, std::string_view reason) override {
        const websocket::close_reason why(static_cast<websocket::close_code>(code),
                                          beast::string_view(reason.data(), reason.size()));
        co_await socket_.async_close(why, kAwait);
    }

  private:
    static void decorate(const Request& request, const Response& response, websocket::response_type& answer) {
        answer.set("X-Request-Id", request.id);
        for (const auto& [name, value] : response.headers) answer.set(name, value);
    }

    websocket::stream<Stream&> socket_;
};

bool lists(std::string_view header, std::string_view token) {
    while (!header.empty()) {
        const auto comma = std::min(header.find(','), header.size());
        auto item = header.substr(0, comma);
        while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
        while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
        if (equal_ignoring_case(item, token)) return true;
        header.remove_prefix(std::min(comma + 1, header.size()));
    }
    return false;
}

}  // namespace

template <typename Stream>
asio::awaitable<bool> serve_web_socket(Stream& stream, const Request& request, Response& response) {
    BeastWebSocket<Stream> socket(stream);
    if (!co_await socket.accept(request, response)) co_return false;
    co_await std::get<StreamBody>(response.body)(socket);
    co_return true;
}

template asio::awaitable<bool> serve_web_socket(TcpSocket&, const Request&, Response&);
template asio::awaitable<bool> serve_web_socket(TlsSocket&, const Request&, Response&);

bool is_web_socket(const Response& response) noexcept {
    return response.headers.find("Upgrade").has_value();
}

bool asks_for_web_socket(const Request& request) noexcept {
    return lists(request.headers.get("Upgrade"), "websocket");
}

Outcome accept_web_socket(const Request& request, WebSocketSession session) {
    if (request.method != Method::get || !lists(request.headers.get("Connection"), "upgrade"))
        return problem(Status::bad_request,
                       "a WebSocket begins with a GET that has \"Connection: Upgrade\" (RFC 6455 4.1)");
    if (request.headers.get("Sec-WebSocket-Version") != "13") {
        Problem wrong{Status::bad_request, "only version 13 of WebSocket is spoken here", {}, {}};
        wrong.headers.add("Sec-WebSocket-Version", "13");
        return tl::unexpected(std::move(wrong));
    }
    constexpr std::size_t kKeyLength = 24;  // 16 bytes in base64
    if (request.headers.get("Sec-WebSocket-Key").size() != kKeyLength)
        return problem(Status::bad_request, "Sec-WebSocket-Key must be 16 bytes in base64 (RFC 6455 4.1)");
    Response response;
    response.headers.add("Upgrade", "websocket");
    response.body = StreamBody([session = std::move(session)](ResponseStream& stream) {
        // The connection gives it the WebSocket that it became.
        return session(static_cast<WebSocket&>(stream));
    });
    return response;
}

}  // namespace rouse::http
