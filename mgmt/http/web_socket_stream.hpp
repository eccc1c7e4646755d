#pragma once
// The connection's side of a WebSocket: Beast's stream on the connection's own. For connection.cpp alone.

#include "mgmt/http/connection.hpp"
#include "mgmt/http/web_socket.hpp"

namespace rouse::http {

// Whether RESPONSE is one of accept_web_socket().
[[nodiscard]] bool is_web_socket(const Response& response) noexcept;

// Shakes hands for RESPONSE and runs its session. False: the handshake failed.
template <typename Stream>
asio::awaitable<bool> serve_web_socket(Stream& stream, const Request& request, Response& response);

extern template asio::awaitable<bool> serve_web_socket(TcpSocket&, const Request&, Response&);
extern template asio::awaitable<bool> serve_web_socket(TlsSocket&, const Request&, Response&);

}  // namespace rouse::http
