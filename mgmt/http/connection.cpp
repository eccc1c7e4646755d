#include "mgmt/http/connection.hpp"

#include "mgmt/await.hpp"
#include "mgmt/http/access_log.hpp"
#include "mgmt/http/connection_send.hpp"
#include "shared/clock.hpp"

#include <array>
#include <cstdio>
#include <random>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/error.hpp>
#include <spdlog/spdlog.h>

namespace rouse::http {
namespace {

Problem slow(std::string_view part) {
    return {
        Status::request_timeout, "the request's " + std::string(part) + " took too long to arrive", {}, {}};
}

bool is_plain_id(std::string_view id) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return !id.empty() && id.size() <= 64 && id.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

ConnectionContext::ConnectionContext(ListenerOptions listener_options, const Router& listener_router)
    : options(std::move(listener_options)), router(listener_router) {
    char prefix[16];
    std::snprintf(prefix, sizeof prefix, "%08x-", std::random_device{}());
    id_prefix_ = prefix;
}

std::string ConnectionContext::next_request_id() {
    return id_prefix_ + std::to_string(next_id_.fetch_add(1, std::memory_order_relaxed));
}

template <typename Stream>
Connection<Stream>::Connection(Stream stream, std::shared_ptr<ConnectionContext> context, IpAddress peer)
    : stream_(std::move(stream)), context_(std::move(context)), peer_(peer) {}

template <typename Stream>
Connection<Stream>::~Connection() {
    context_->closed(*this);
}

template <typename Stream>
TcpSocket& Connection<Stream>::socket() noexcept {
    if constexpr (std::is_same_v<Stream, TcpSocket>)
        return stream_;
    else
        return stream_.next_layer();
}

template <typename Stream>
void Connection<Stream>::start() {
    asio::co_spawn(
        stream_.get_executor(), [self = this->shared_from_this()] { return self->run(); },
        asio::bind_cancellation_slot(cancel_.slot(), asio::detached));
}

template <typename Stream>
void Connection<Stream>::close() noexcept {
    broken_ = true;
    beast::error_code ignored;
    socket().close(ignored);
}

template <typename Stream>
template <typename F>
void Connection<Stream>::on_strand(F action) {
    asio::post(stream_.get_executor(), [self = this->shared_from_this(), action] { action(*self); });
}

template <typename Stream>
void Connection<Stream>::close_if_overdue() {
    on_strand([](Connection& self) {
        if (!self.is_overdue()) return;
        if (!self.awaits_request_) return self.close();
        self.timed_out_ = true;  // what waits goes on, and answers
        beast::error_code ignored;
        self.socket().cancel(ignored);
    });
}

template <typename Stream>
void Connection<Stream>::close_if_idle() {
    on_strand([](Connection& self) {
        if (self.idle_) self.close();
    });
}

template <typename Stream>
void Connection<Stream>::cut() {
    on_strand([](Connection& self) {
        self.close();
        self.cancel_.emit(asio::cancellation_type::terminal);
    });
}

template <typename Stream>
asio::awaitable<void> Connection<Stream>::run() {
    // Cancellation and a lack of memory come as exceptions; either way this connection is over and no other.
    try {
        if (co_await handshake())
            while (co_await serve_one()) {
            }
        if constexpr (!std::is_same_v<Stream, TcpSocket>) {
            wait_at_most(kLinger);
            if (!broken_) co_await stream_.async_shutdown(kAwait);
        }
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted)
            spdlog::warn("{}: a connection from {} ended: {}", context_->options.name, peer_.to_string(),
                         error.what());
    } catch (const std::exception& error) {
        spdlog::error("{}: a connection from {} ended: {}", context_->options.name, peer_.to_string(),
                      error.what());
    }
    close();
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::handshake() {
    if constexpr (!std::is_same_v<Stream, TcpSocket>) {
        wait_at_most(context_->options.header_timeout);
        const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAwait);
        if (error) {
            spdlog::debug("{}: TLS handshake with {} failed: {}", context_->options.name, peer_.to_string(),
                          error.message());
            broken_ = true;
            co_return false;
        }
        certificate_ = client_thumbprint(stream_.native_handle());
    }
    co_return true;
}

// Reads and answers one request; false: the connection is over.
template <typename Stream>
asio::awaitable<bool> Connection<Stream>::serve_one() {
    request_ = Request{};
    request_.peer = peer_;
    request_.is_tls = !std::is_same_v<Stream, TcpSocket>;
    request_.certificate = certificate_;
    body_began_ = {};
    timed_out_ = false;
    parser_.emplace(request_, context_->options.max_header_bytes);
    continued_ = false;

    const auto problem = co_await read_header();
    if (broken_) co_return false;
    const auto wanted = request_.headers.get("X-Request-Id");
    request_.id = is_plain_id(wanted) ? std::string(wanted) : context_->next_request_id();
    keep_alive_ = !problem && parser_->keep_alive();
    request_.set_body(*this);
    wait_forever();  // a handler takes the time it takes
    const std::uint64_t began = monotonic_ns();

    Response response;
    if (problem)
        response = Response::from(*problem);
    else
        response = co_await context_->router.dispatch(request_);
    skip_received_body();
    if (!parser_->is_done() || context_->stopping) keep_alive_ = false;

    const Status status = response.status;
    const Delivery delivery = co_await respond(std::move(response));
    log_request(request_, status, delivery, monotonic_ns() - began);
    if (!delivery.complete) co_return false;
    if (!keep_alive_ && !parser_->is_done() && !timed_out_) co_await linger();
    co_return keep_alive_ && !context_->stopping;
}

// Fills in request_; a problem to answer with, or broken_ when there is nobody to answer.
template <typename Stream>
asio::awaitable<std::optional<Problem>> Connection<Stream>::read_header() {
    idle_ = buffer_.size() == 0;
    if (idle_) {
        if (buffer_.capacity() > 4 * kHeaderRead) buffer_.shrink_to_fit();
        wait_at_most(context_->options.idle_timeout);
        if (context_->stopping || !co_await fill(kHeaderRead)) {
            broken_ = true;
            co_return std::nullopt;
        }
        idle_ = false;
    }
    wait_at_most(context_->options.header_timeout);
    for (;;) {
        beast::error_code error = beast::http::error::need_more;
        if (buffer_.size() > 0) {
            error = {};
            buffer_.consume(parser_->put(buffer_.data(), error));
        }
        if (error && error != beast::http::error::need_more) {
            if (parser_->refusal()) co_return parser_->refusal();
            co_return RequestParser::describe_header(
                error, {static_cast<const char*>(buffer_.data().data()), buffer_.data().size()});
        }
        if (parser_->is_header_done()) co_return parser_->refusal();
        if (error && !co_await fill_request(kHeaderRead)) {
            if (timed_out_) co_return slow("header");
            broken_ = true;
            co_return std::nullopt;
        }
    }
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::fill_request(std::size_t bytes) {
    awaits_request_ = true;
    const bool filled = co_await fill(bytes);
    awaits_request_ = false;
    if (timed_out_) wait_forever();  // for the answer
    co_return filled;
}

// How long the next bytes of a body may take.
template <typename Stream>
std::chrono::milliseconds Connection<Stream>::body_wait() const noexcept {
    const auto& options = context_->options;
    // Whose body is a stream may take its time, if it has told us who it is.
    const Route* route = request_.route;
    if (route != nullptr && route->body == BodyKind::stream && route->access.roles)
        return options.stall_timeout;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(body_began_ + options.body_timeout - Clock::now());
    return std::clamp(left, std::chrono::milliseconds(0), options.stall_timeout);
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::fill(std::size_t bytes) {
    const auto [error, n] = co_await stream_.async_read_some(buffer_.prepare(bytes), kAwait);
    buffer_.commit(n);
    co_return !error;
}

template <typename Stream>
asio::awaitable<OrProblem<std::size_t>> Connection<Stream>::read_some(std::span<std::byte> buffer) {
    if (parser_->is_done() || buffer.empty()) co_return std::size_t{0};
    if (parser_->expects_continue() && !continued_) {
        continued_ = true;
        if (!co_await write_all("HTTP/1.1 100 Continue\r\n\r\n"))
            co_return problem(Status::bad_request, "the client went away before it sent its body");
    }
    if (body_began_ == Clock::time_point{}) body_began_ = Clock::now();
    parser_->set_body_buffer(buffer);
    for (;;) {
        beast::error_code error;
        while (buffer_.size() > 0 && !parser_->is_done() && !error)
            buffer_.consume(parser_->put(buffer_.data(), error));
        if (error && error != beast::http::error::need_more && error != beast::http::error::need_buffer)
            co_return tl::unexpected(RequestParser::describe(error));
        if (parser_->filled() > 0 || parser_->is_done()) break;
        // What waits here is the start of a chunk's header or of the trailer.
        if (buffer_.size() > context_->options.max_header_bytes)
            co_return problem(Status::request_header_fields_too_large,
                              "a chunk's header or the trailer is too large");
        wait_at_most(body_wait());
        if (!co_await fill_request(kBodyRead)) {
            if (timed_out_) co_return tl::unexpected(slow("body"));
            broken_ = true;
            co_return problem(Status::bad_request, "the client went away before the body was complete");
        }
    }
    wait_forever();
    co_return parser_->filled();
}

// A small body that nobody wanted has mostly arrived with its header; without it the connection can go on.
template <typename Stream>
void Connection<Stream>::skip_received_body() {
    std::array<std::byte, 4096> unwanted;
    beast::error_code error;
    while (!error && buffer_.size() > 0 && parser_->is_header_done() && !parser_->is_done()) {
        parser_->set_body_buffer(unwanted);
        buffer_.consume(parser_->put(buffer_.data(), error));
        if (error == beast::http::error::need_buffer) error = {};
    }
}

// Closing while the client still sends would reset the connection and take the answer with it, so what comes
// is read and thrown away for a while (RFC 9112 9.6).
template <typename Stream>
asio::awaitable<void> Connection<Stream>::linger() {
    if (parser_->expects_continue() && !continued_) co_return;  // then it sends no body
    wait_at_most(kLinger);
    beast::error_code ignored;
    if constexpr (std::is_same_v<Stream, TcpSocket>) stream_.shutdown(TcpSocket::shutdown_send, ignored);
    do {
        buffer_.clear();
    } while (co_await fill(kBodyRead));
}

template class Connection<TcpSocket>;
template class Connection<TlsSocket>;

}  // namespace rouse::http
