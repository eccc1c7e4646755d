#include "mgmt/http/connection.hpp"

#include "mgmt/await.hpp"
#include "mgmt/http/access_log.hpp"
#include "mgmt/http/response_head.hpp"
#include "mgmt/http/web_socket_stream.hpp"
#include "shared/clock.hpp"

#include <cstdio>
#include <random>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <spdlog/spdlog.h>
#include <sys/sendfile.h>
#include <unistd.h>

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
            co_return RequestParser::describe(error);
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

template <typename Stream>
std::string Connection<Stream>::head(const Response& response, std::optional<std::uint64_t> length) const {
    return response_head(response, {length, parser_->is_http_1_0(), keep_alive_}, request_.id);
}

// Not complete: the connection can carry nothing more.
template <typename Stream>
asio::awaitable<Delivery> Connection<Stream>::respond(Response response) {
    // Told however it ends: a connection that is cut ends by an exception.
    struct Report {
        std::function<void(const Delivery&)> on_end;
        Delivery delivery{};
        ~Report() {
            if (on_end) on_end(delivery);
        }
    };
    Report report{std::move(response.on_end)};
    report.delivery.complete = co_await send(response, report.delivery);
    co_return report.delivery;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::send(Response& response, Delivery& delivery) {
    if (is_web_socket(response)) co_return co_await run_web_socket(response);
    const bool silent = request_.method == Method::head || has_no_body(response.status);
    if (auto* text = std::get_if<std::string>(&response.body)) {
        std::string out = head(response, text->size());
        if (silent) co_return co_await write_all(out);
        const bool separate = text->size() > kCoalesce;
        if (!separate) out += *text;
        if (!co_await write_all(out, separate ? std::string_view(*text) : std::string_view{}))
            co_return false;
        delivery.bytes = text->size();
        co_return true;
    }
    if (auto* range = std::get_if<FileRange>(&response.body)) {
        const std::string out = head(response, range->length);
        if (!co_await write_all(out)) co_return false;
        if (silent) co_return true;
        if constexpr (std::is_same_v<Stream, TcpSocket>)
            co_return co_await send_file(std::move(*range), delivery);
        else
            co_return co_await copy_file(std::move(*range), delivery);
    }
    if (!takes_chunks()) keep_alive_ = false;  // HTTP/1.0 knows the end of such a body by the connection's
    const std::string out = head(response, std::nullopt);
    if (!co_await write_all(out)) co_return false;
    if (silent) co_return true;
    co_await std::get<StreamBody>(response.body)(*this);
    if (broken_) co_return false;
    if (takes_chunks()) co_return co_await write_all("0\r\n\r\n");
    co_return true;
}

// True when it ended as it should: then there is nothing more to say, in HTTP or otherwise.
template <typename Stream>
asio::awaitable<bool> Connection<Stream>::run_web_socket(Response& response) {
    keep_alive_ = false;
    // Frames before the answer break the protocol (RFC 6455 4.1), and Beast would never see them.
    const bool served = buffer_.size() == 0 && co_await serve_web_socket(stream_, request_, response);
    broken_ = true;
    co_return served;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::write(std::string_view data) {
    if (broken_ || context_->stopping) co_return false;
    if (data.empty()) co_return true;  // an empty chunk would end the body
    bool sent = false;
    if (takes_chunks()) {
        char size[24];
        const int n = std::snprintf(size, sizeof size, "%zx\r\n", data.size());
        std::string framed(size, static_cast<std::size_t>(n));
        framed.append(data).append("\r\n");
        sent = co_await write_all(framed);
    } else {
        sent = co_await write_all(data);
    }
    wait_forever();
    co_return sent;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::write_all(std::string_view first, std::string_view second) {
    std::array<asio::const_buffer, 2> buffers{asio::buffer(first), asio::buffer(second)};
    while (asio::buffer_size(buffers) > 0) {
        wait_at_most(context_->options.stall_timeout);
        auto [error, n] = co_await stream_.async_write_some(buffers, kAwait);
        if (error) {
            broken_ = true;
            co_return false;
        }
        const std::size_t of_first = std::min(n, buffers[0].size());
        buffers[0] += of_first;
        buffers[1] += n - of_first;
    }
    co_return true;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::send_file(FileRange range, Delivery& delivery) {
    // Bounded, so that one fast client and a large file do not keep the thread from all others.
    constexpr std::uint64_t kAtOnce = 1 << 20;
    socket().native_non_blocking(true);
    auto offset = static_cast<off_t>(range.offset);
    while (range.length > 0) {
        wait_at_most(context_->options.stall_timeout);
        const std::uint64_t asked = std::min(range.length, kAtOnce);
        const ssize_t n = ::sendfile(socket().native_handle(), range.file->descriptor(), &offset, asked);
        if (n < 0 && errno == EINTR) continue;
        bool goes_on = n > 0 || (n < 0 && errno == EAGAIN);
        const std::uint64_t taken = n > 0 ? static_cast<std::uint64_t>(n) : 0;
        range.length -= taken;
        delivery.bytes += taken;
        if (goes_on && taken == asked) {
            if (range.length > 0) co_await asio::post(stream_.get_executor(), asio::use_awaitable);
        } else if (goes_on) {
            // The socket is full. Until the kernel calls it writable, when a good part of it is free: trying
            // sooner would send a few kilobytes at a time, which costs several times as much per byte.
            const auto [error] = co_await socket().async_wait(TcpSocket::wait_write, kAwait);
            goes_on = !error;
        }
        if (!goes_on) {  // the client has gone, or the file is shorter than announced
            broken_ = true;
            co_return false;
        }
    }
    co_return true;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::copy_file(FileRange range, Delivery& delivery) {
    std::string chunk(kBodyRead, '\0');
    while (range.length > 0) {
        const ssize_t n =
            ::pread(range.file->descriptor(), chunk.data(),
                    std::min<std::uint64_t>(range.length, chunk.size()), static_cast<off_t>(range.offset));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            broken_ = true;
            co_return false;
        }
        range.offset += static_cast<std::uint64_t>(n);
        range.length -= static_cast<std::uint64_t>(n);
        if (!co_await write_all(std::string_view(chunk.data(), static_cast<std::size_t>(n)))) co_return false;
        delivery.bytes += static_cast<std::uint64_t>(n);
    }
    co_return true;
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
