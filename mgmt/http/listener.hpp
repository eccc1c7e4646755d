#pragma once
// An HTTP/1.1 server socket and its connections: the API's (TLS, or plain on loopback) and the rack side's
// (plain, because firmware knows no other), each with its own router.

#include "mgmt/http/router.hpp"
#include "mgmt/http/tls.hpp"
#include "shared/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace rouse::http {

struct ListenerOptions {
    std::string name = {};             // for messages: "api", "rack"
    std::string listen = {};           // "127.0.0.1:30205", "[::1]:30205"; port 0: any free one
    std::string netns = {};            // network namespace to listen in (a path); empty: the process's own
    std::string interface = {};        // only for what comes in there; empty: from anywhere
    std::string tls_certificate = {};  // PEM chain and key; both or none
    std::string tls_key = {};
    std::string tls_client_ca = {};  // PEM; with TLS: client certificates are asked for and checked
    bool plain_anywhere = false;     // the rack side: plain HTTP on other than loopback addresses

    std::size_t max_connections = 16384;               // more are answered 503
    std::uint32_t max_header_bytes = 16384;            // request line and header; more is a 431
    std::chrono::milliseconds header_timeout{10'000};  // from the first byte of a request to its header's end
    std::chrono::milliseconds idle_timeout{75'000};    // between requests
    std::chrono::milliseconds stall_timeout{30'000};   // without a byte of progress, either way
    // From a body's first byte to its last, unless its route asks for a role and reads it as a stream: a
    // client cannot hold a request open by sending a byte now and then.
    std::chrono::milliseconds body_timeout{60'000};
};

// Thread safe. Connections live on strands of the io_context, which one or more threads run.
class Listener {
  public:
    // Binds and listens; connections wait in the backlog until start(). ROUTER must outlive the io_context's
    // last run. Errors say what to change in the configuration.
    [[nodiscard]] static Result<Listener> open(asio::io_context& io, ListenerOptions options,
                                               const Router& router);
    Listener(Listener&&) noexcept;
    Listener& operator=(Listener&&) noexcept;
    ~Listener();  // like stop(0)

    void start();
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] bool is_tls() const noexcept;
    // Nothing when it is plain.
    [[nodiscard]] std::optional<TlsStatus> tls_status() const;
    // Reads certificate and key again, for new connections; a change of their files is noticed without it.
    void reload_tls();
    [[nodiscard]] std::size_t connections() const;

    // Takes no more connections, closes idle ones, lets requests under way finish, and cuts what is left
    // after GRACE. Returns at once; the io_context runs out of this listener's work when all is done.
    void stop(std::chrono::milliseconds grace);

  private:
    class State;
    explicit Listener(std::shared_ptr<State> state) noexcept;
    std::shared_ptr<State> state_;
};

}  // namespace rouse::http
