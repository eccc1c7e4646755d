#pragma once
// A listener on a free loopback port with threads of its own, for tests with real sockets.

#include "mgmt/http/listener.hpp"

#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace rouse::http {

class Server {
  public:
    explicit Server(const Router& router, ListenerOptions options = {}, unsigned threads = 2)
        : work_(io_.get_executor()) {
        if (options.name.empty()) options.name = "api";
        if (options.listen.empty()) options.listen = "127.0.0.1:0";
        listener_.emplace(Listener::open(io_, std::move(options), router).value());
        listener_->start();
        for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { io_.run(); });
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() { stop(std::chrono::milliseconds(0)); }

    // Returns when every connection has ended.
    void stop(std::chrono::milliseconds grace) {
        listener_->stop(grace);
        work_.reset();
        for (auto& thread : threads_) thread.join();
        threads_.clear();
    }
    Listener& listener() { return *listener_; }
    [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
    boost::asio::io_context& io() { return io_; }

  private:
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::optional<Listener> listener_;
    std::vector<std::thread> threads_;
};

}  // namespace rouse::http
