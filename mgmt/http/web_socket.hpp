#pragma once
// WebSocket (RFC 6455): a connection that goes on as a stream of text messages both ways.

#include "mgmt/http/request.hpp"
#include "mgmt/http/response.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

namespace rouse::http {

// On its connection's strand. Pings a silent client, and gives it up after a while without an answer.
class WebSocket : public ResponseStream {
  public:
    static constexpr std::size_t kMaxMessage = 64 * 1024;  // bytes from the client; a longer one ends it

    // write() sends one text message. Meanwhile:
    // The next text message; nothing: the client has closed, gone, or broken the protocol.
    [[nodiscard]] virtual asio::awaitable<std::optional<std::string>> read() = 0;
    // Says goodbye with a code (RFC 6455 7.4) and a reason of at most 123 bytes. Not during write().
    virtual asio::awaitable<void> close(std::uint16_t code, std::string_view reason) = 0;
};

using WebSocketSession = std::function<asio::awaitable<void>(WebSocket&)>;

// Whether the client asks to go on as a WebSocket.
[[nodiscard]] bool asks_for_web_socket(const Request& request) noexcept;

// What a handler answers with, for SESSION to run once the hands are shaken (the 101 is not its business); it
// must not use the Request by reference. A 400 when the client's part of the handshake is wrong. Add the
// chosen Sec-WebSocket-Protocol to its headers.
[[nodiscard]] Outcome accept_web_socket(const Request& request, WebSocketSession session);

}  // namespace rouse::http
