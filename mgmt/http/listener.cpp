#include "mgmt/http/listener.hpp"

#include "mgmt/await.hpp"
#include "mgmt/http/connection.hpp"
#include "mgmt/http/scoped_netns.hpp"

#include <charconv>
#include <mutex>
#include <unordered_map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

namespace rouse::http {
namespace {

using asio::ip::tcp;
constexpr std::chrono::seconds kLookEvery{1};  // at whether the certificate's files have changed

IpAddress to_ip(const asio::ip::address& address) {
    if (address.is_v4()) return Ipv4Address::from_host(address.to_v4().to_uint());
    IpAddress out;
    out.octets = address.to_v6().to_bytes();
    return out;
}

// "address:port", IPv6 addresses in brackets.
Result<tcp::endpoint> parse_endpoint(const ListenerOptions& options) {
    const std::string_view text = options.listen;
    const auto colon = text.rfind(':');
    const auto wrong = [&] {
        return fail(options.name + ".listen \"" + options.listen +
                    "\" is not an address and a port, such as 127.0.0.1:30205 or [::1]:30205");
    };
    if (colon == std::string_view::npos) return wrong();
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    const bool brackets = host.starts_with('[') && host.ends_with(']');
    if (brackets) host = host.substr(1, host.size() - 2);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    boost::system::error_code bad_address;
    const auto address = asio::ip::make_address(std::string(host), bad_address);
    if (error != std::errc{} || end != digits.data() + digits.size() || bad_address ||
        brackets != address.is_v6())
        return wrong();
    return tcp::endpoint(address, port);
}

Result<std::unique_ptr<TlsIdentity>> make_tls(const ListenerOptions& options) {
    const auto& name = options.name;
    if (options.tls_certificate.empty() && options.tls_key.empty()) {
        if (options.tls_client_ca.empty()) return nullptr;
        return fail(name + ".tls_client_ca needs " + name + ".tls_certificate and " + name + ".tls_key");
    }
    if (options.tls_certificate.empty() || options.tls_key.empty())
        return fail(name + ".tls_certificate and " + name + ".tls_key go together: set both or none");
    return TlsIdentity::open({name, options.tls_certificate, options.tls_key, options.tls_client_ca});
}

Result<void> listen_on(tcp::acceptor& acceptor, const tcp::endpoint& endpoint,
                       const ListenerOptions& options) {
    const auto netns = ScopedNetns::enter(options.netns);
    if (!netns) return tl::unexpected(netns.error());
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
    if (!error && !options.interface.empty() &&
        ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_BINDTODEVICE, options.interface.data(),
                     static_cast<socklen_t>(options.interface.size())) != 0)
        return fail_errno("cannot listen on interface " + options.interface);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        return fail("cannot listen on " + options.listen + " (" + options.name +
                    ".listen): " + error.message());
    return {};
}

}  // namespace

class Listener::State final : public ConnectionContext, public std::enable_shared_from_this<State> {
  public:
    State(asio::io_context& io, ListenerOptions listener_options, const Router& listener_router,
          std::unique_ptr<TlsIdentity> tls)
        : ConnectionContext(std::move(listener_options), listener_router),
          tls_(std::move(tls)),
          io_(io),
          strand_(asio::make_strand(io)),
          acceptor_(strand_),
          tick_(strand_),
          grace_(strand_) {}

    Result<void> open() {
        const auto endpoint = parse_endpoint(options);
        if (!endpoint) return tl::unexpected(endpoint.error());
        if (!is_tls() && !options.plain_anywhere && !endpoint->address().is_loopback())
            return fail(options.name + ".listen " + options.listen +
                        " is not a loopback address, and plain HTTP is for loopback only: set " +
                        options.name + ".tls_certificate and " + options.name +
                        ".tls_key, or listen on 127.0.0.1");
        if (auto listening = listen_on(acceptor_, *endpoint, options); !listening) return listening;
        port_ = acceptor_.local_endpoint().port();
        return {};
    }

    void start() {
        asio::co_spawn(strand_, accept(shared_from_this()), asio::detached);
        asio::co_spawn(strand_, watch(shared_from_this()), asio::detached);
    }

    void stop(std::chrono::milliseconds grace) {
        stopping = true;
        asio::post(strand_, [self = shared_from_this(), grace] {
            boost::system::error_code ignored;
            self->acceptor_.close(ignored);
            self->tick_.cancel();
            for (const auto& connection : self->all()) connection->close_if_idle();
            if (self->connections() == 0) return;
            self->grace_.expires_after(grace);
            self->grace_.async_wait([self](const boost::system::error_code& error) {
                if (error) return;
                for (const auto& connection : self->all()) connection->cut();
            });
        });
    }

    void closed(const AnyConnection& connection) override {
        std::size_t left = 0;
        {
            const std::lock_guard lock(mutex_);
            connections_.erase(&connection);
            left = connections_.size();
        }
        if (left == 0 && stopping)
            asio::post(strand_, [self = shared_from_this()] { self->grace_.cancel(); });
    }

    [[nodiscard]] bool is_tls() const noexcept { return tls_ != nullptr; }
    [[nodiscard]] TlsIdentity* tls() const noexcept { return tls_.get(); }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::size_t connections() {
        const std::lock_guard lock(mutex_);
        return connections_.size();
    }

  private:
    // SELF keeps the state alive as long as the coroutine runs.
    asio::awaitable<void> accept([[maybe_unused]] std::shared_ptr<State> self) {
        while (!stopping) {
            auto [error, socket] = co_await acceptor_.async_accept(asio::make_strand(io_), kAwait);
            if (!error) {
                welcome(std::move(socket));
            } else if (!stopping) {
                // Out of descriptors or memory: what is open goes on, what comes waits in the backlog.
                spdlog::warn("{}: cannot accept a connection: {}", options.name, error.message());
                asio::steady_timer pause(strand_, std::chrono::milliseconds(100));
                co_await pause.async_wait(kAwait);
            }
        }
    }

    void welcome(TcpSocket socket) {
        boost::system::error_code error;
        const auto peer = socket.remote_endpoint(error);
        if (error) return;  // gone already
        socket.set_option(tcp::no_delay(true), error);
        if (connections() >= options.max_connections) return turn_away(std::move(socket));
        const std::shared_ptr<State> self = shared_from_this();
        std::shared_ptr<AnyConnection> connection;
        if (is_tls())
            connection = std::make_shared<Connection<TlsSocket>>(
                TlsSocket(std::move(socket), *tls_->context()), self, to_ip(peer.address()));
        else
            connection =
                std::make_shared<Connection<TcpSocket>>(std::move(socket), self, to_ip(peer.address()));
        {
            const std::lock_guard lock(mutex_);
            connections_.emplace(connection.get(), connection);
        }
        connection->start();
        if (stopping) connection->close_if_idle();  // stop() may have looked before it was there
    }

    // One attempt without waiting; a client that is not reading its first bytes gets the close alone.
    void turn_away(TcpSocket socket) {
        boost::system::error_code ignored;
        socket.non_blocking(true, ignored);
        constexpr std::string_view kFull =
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: "
            "close\r\n\r\n";
        if (!is_tls()) socket.write_some(asio::buffer(kFull), ignored);
    }

    // One timer for all connections is cheaper than one each, per operation.
    asio::awaitable<void> watch([[maybe_unused]] std::shared_ptr<State> self) {
        const auto shortest = std::min(
            {options.header_timeout, options.idle_timeout, options.stall_timeout, options.body_timeout});
        const auto tick =
            std::clamp(shortest / 4, std::chrono::milliseconds(10), std::chrono::milliseconds(1000));
        using Clock = std::chrono::steady_clock;
        auto looked = Clock::now();
        while (!stopping) {
            tick_.expires_after(tick);
            co_await tick_.async_wait(kAwait);
            for (const auto& connection : all())
                if (connection->is_overdue()) connection->close_if_overdue();
            if (tls_ && Clock::now() - looked >= kLookEvery) {
                tls_->reload(false);
                looked = Clock::now();
            }
        }
    }

    std::vector<std::shared_ptr<AnyConnection>> all() {
        std::vector<std::shared_ptr<AnyConnection>> out;
        const std::lock_guard lock(mutex_);
        out.reserve(connections_.size());
        for (const auto& [key, weak] : connections_)
            if (auto connection = weak.lock()) out.push_back(std::move(connection));
        return out;
    }

    std::unique_ptr<TlsIdentity> tls_;
    asio::io_context& io_;
    asio::strand<asio::io_context::executor_type> strand_;
    tcp::acceptor acceptor_;
    asio::steady_timer tick_;
    asio::steady_timer grace_;
    std::uint16_t port_ = 0;
    std::mutex mutex_;
    std::unordered_map<const AnyConnection*, std::weak_ptr<AnyConnection>> connections_;
};

Result<Listener> Listener::open(asio::io_context& io, ListenerOptions options, const Router& router) {
    auto tls = make_tls(options);
    if (!tls) return tl::unexpected(tls.error());
    auto state = std::make_shared<State>(io, std::move(options), router, std::move(*tls));
    if (auto opened = state->open(); !opened) return tl::unexpected(opened.error());
    return Listener(std::move(state));
}

Listener::Listener(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
}
Listener::~Listener() {
    if (state_) state_->stop(std::chrono::milliseconds(0));
}

void Listener::start() {
    state_->start();
}
std::uint16_t Listener::port() const noexcept {
    return state_->port();
}
bool Listener::is_tls() const noexcept {
    return state_->is_tls();
}
std::optional<TlsStatus> Listener::tls_status() const {
    if (!state_->is_tls()) return std::nullopt;
    return state_->tls()->status();
}
void Listener::reload_tls() {
    if (state_->is_tls()) state_->tls()->reload(true);
}
std::size_t Listener::connections() const {
    return state_->connections();
}
void Listener::stop(std::chrono::milliseconds grace) {
    state_->stop(grace);
}

}  // namespace rouse::http
