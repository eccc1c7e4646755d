#pragma once
// One client's connection: reads requests one after the other, hands them to the router, writes the answers.
// Everything runs on the connection's strand, except what is marked thread safe.

#include "mgmt/http/listener.hpp"
#include "mgmt/http/request_parser.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>

#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>

namespace rouse::http {

using TcpSocket = asio::ip::tcp::socket;
using TlsSocket = asio::ssl::stream<TcpSocket>;

// What the listener knows of a connection, whatever carries it.
class AnyConnection {
  public:
    using Clock = std::chrono::steady_clock;

    virtual ~AnyConnection() = default;
    virtual void start() = 0;
    // Thread safe. Whether the client has kept us waiting for too long.
    [[nodiscard]] bool is_overdue() const noexcept {
        return Clock::now().time_since_epoch().count() > deadline_.load(std::memory_order_relaxed);
    }
    // Thread safe. What a handler waits for on the connection then fails; what else it does goes on.
    virtual void close_if_overdue() = 0;
    // Thread safe. Nothing happens when a request is under way by then.
    virtual void close_if_idle() = 0;
    // Thread safe. Whatever the handler waits for is cancelled (boost::system::system_error).
    virtual void cut() = 0;

  protected:
    void wait_at_most(std::chrono::milliseconds time) noexcept {
        deadline_.store((Clock::now() + time).time_since_epoch().count(), std::memory_order_relaxed);
    }
    void wait_forever() noexcept {
        deadline_.store(Clock::duration::max().count(), std::memory_order_relaxed);
    }

  private:
    std::atomic<Clock::rep> deadline_ = Clock::duration::max().count();
};

// What connections need of their listener; outlives them.
struct ConnectionContext {
    ListenerOptions options;
    const Router& router;
    std::atomic<bool> stopping = false;
    virtual void closed(const AnyConnection& connection) = 0;
    [[nodiscard]] std::string next_request_id();

    ConnectionContext(ListenerOptions listener_options, const Router& listener_router);
    virtual ~ConnectionContext() = default;

  private:
    std::string id_prefix_;
    std::atomic<std::uint64_t> next_id_ = 1;
};

template <typename Stream>
class Connection final : public AnyConnection,
                         public BodySource,
                         public ResponseStream,
                         public std::enable_shared_from_this<Connection<Stream>> {
  public:
    Connection(Stream stream, std::shared_ptr<ConnectionContext> context, IpAddress peer);
    ~Connection() override;

    void start() override;
    void close_if_overdue() override;
    void close_if_idle() override;
    void cut() override;

    // For the request under way. What the client takes too long for is a 408.
    asio::awaitable<OrProblem<std::size_t>> read_some(std::span<std::byte> buffer) override;
    [[nodiscard]] std::optional<std::uint64_t> length() const noexcept override { return parser_->length(); }
    asio::awaitable<bool> write(std::string_view data) override;

  private:
    static constexpr std::size_t kHeaderRead = 8 * 1024;  // bytes to ask the socket for at once
    static constexpr std::size_t kBodyRead = 64 * 1024;
    static constexpr std::size_t kCoalesce =
        16 * 1024;  // a body up to this leaves in one piece with its header
    static constexpr std::chrono::milliseconds kLinger{5000};

    asio::awaitable<void> run();
    asio::awaitable<bool> handshake();
    asio::awaitable<bool> serve_one();
    asio::awaitable<std::optional<Problem>> read_header();
    asio::awaitable<bool> fill(std::size_t bytes);
    // A part of a request: who is too slow for it is told so.
    asio::awaitable<bool> fill_request(std::size_t bytes);
    [[nodiscard]] std::chrono::milliseconds body_wait() const noexcept;
    void skip_received_body();
    asio::awaitable<Delivery> respond(Response response);
    asio::awaitable<bool> send(Response& response, Delivery& delivery);
    // Both count in DELIVERY what the kernel has taken.
    asio::awaitable<bool> run_web_socket(Response& response);
    asio::awaitable<bool> send_file(FileRange range, Delivery& delivery);
    asio::awaitable<bool> copy_file(FileRange range, Delivery& delivery);
    asio::awaitable<bool> write_all(std::string_view first, std::string_view second = {});
    asio::awaitable<void> linger();
    [[nodiscard]] std::string head(const Response& response, std::optional<std::uint64_t> length) const;
    [[nodiscard]] bool takes_chunks() const noexcept { return !parser_->is_http_1_0(); }
    TcpSocket& socket() noexcept;
    void close() noexcept;
    template <typename F>
    void on_strand(F action);

    Stream stream_;
    std::shared_ptr<ConnectionContext> context_;
    IpAddress peer_;
    beast::flat_buffer buffer_;  // received and not yet parsed; pipelined requests wait here
    asio::cancellation_signal cancel_;
    bool idle_ = true;         // between requests
    std::string certificate_;  // the client's, by its thumbprint; see Request::certificate

    // Of the request under way.
    Request request_;
    std::optional<RequestParser> parser_;
    bool continued_ = false;          // "100 Continue" has been sent
    bool keep_alive_ = false;         // for another request after this one
    bool broken_ = false;             // nothing more can be read or written
    bool awaits_request_ = false;     // the rest of one that has begun
    bool timed_out_ = false;          // that wait was ended by close_if_overdue()
    Clock::time_point body_began_{};  // when its first byte was asked for
};

extern template class Connection<TcpSocket>;
extern template class Connection<TlsSocket>;

}  // namespace rouse::http
