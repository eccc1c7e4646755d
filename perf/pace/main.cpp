// rouse-pace: asks an HTTP server at moments that are drawn at random around a steady rate (Poisson),
// whatever it answers, and measures each answer from the moment at which its request was due. Clients that
// wait for whole milliseconds ask in bursts, and measure those. The first half second, in which connections
// are made, does not count. Prints one JSON object. Keeps a core busy.

#include "perf/load/histogram.hpp"
#include "shared/clock.hpp"

#include <cstdio>
#include <deque>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

struct Options {
    std::uint16_t port = 0;
    double rate = 1000;  // requests per second
    unsigned connections = 64;
    unsigned seconds = 10;
    std::string list;  // a file; each line: method, path, body
    std::vector<std::string> headers;
};

constexpr std::uint64_t kWarmUpNs = rouse::kNanosPerSecond / 2;

struct Totals {
    std::uint64_t counted_from_ns = 0;
    rouse::load::Histogram latency_ns;
    std::uint64_t answers = 0;  // those before that included
    std::uint64_t failed = 0;   // answers that are no success
};

std::vector<std::string> read_requests(const Options& options) {
    std::string headers;
    for (const auto& header : options.headers) headers += header + "\r\n";
    std::vector<std::string> out;
    std::ifstream list(options.list);
    std::string method, path, body;
    while (list >> method >> path && std::getline(list, body)) {
        if (body.starts_with(' ')) body.erase(0, 1);
        out.push_back(method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers +
                      (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
                      "\r\n" + body);
    }
    if (out.empty()) throw std::runtime_error(options.list + " has no requests");
    return out;
}

// The length of the first answer in TEXT; 0: there is more of it to come.
std::size_t answer_length(std::string_view text) {
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    constexpr std::string_view kName = "\r\nContent-Length: ";
    const auto field = text.substr(0, end + 2).find(kName);
    if (field == std::string_view::npos) throw std::runtime_error("an answer has no Content-Length");
    const std::size_t length = end + 4 + std::stoul(std::string(text.substr(field + kName.size(), 20)));
    return length <= text.size() ? length : 0;
}

class Connection {
  public:
    Connection(asio::io_context& io, const Options& options, Totals& totals) : socket_(io), totals_(totals) {
        socket_.connect({asio::ip::address_v4::loopback(), options.port});
        socket_.set_option(tcp::no_delay(true));
    }
    [[nodiscard]] bool is_free() const noexcept { return is_free_; }

    // REQUEST stays where it is until it is answered.
    void ask(const std::string& request, std::uint64_t due_ns) {
        is_free_ = false;
        due_ns_ = due_ns;
        asio::async_write(socket_, asio::buffer(request),
                          [this](boost::system::error_code error, std::size_t) {
                              if (error)
                                  throw std::runtime_error("a request could not be sent: " + error.message());
                              read();
                          });
    }

  private:
    void read() {
        constexpr std::size_t kAtOnce = 64 << 10;
        const std::size_t had = answer_.size();
        answer_.resize(had + kAtOnce);
        socket_.async_read_some(asio::buffer(answer_.data() + had, kAtOnce),
                                [this, had](boost::system::error_code error, std::size_t n) {
                                    if (error)
                                        throw std::runtime_error("an answer is missing: " + error.message());
                                    answer_.resize(had + n);
                                    if (answer_length(answer_) == 0) return read();
                                    finish();
                                });
    }
    void finish() {
        ++totals_.answers;
        if (due_ns_ >= totals_.counted_from_ns) totals_.latency_ns.count(rouse::monotonic_ns() - due_ns_);
        if (!answer_.starts_with("HTTP/1.1 2")) ++totals_.failed;
        answer_.clear();
        is_free_ = true;
    }

    tcp::socket socket_;
    Totals& totals_;
    std::string answer_;
    std::uint64_t due_ns_ = 0;
    bool is_free_ = true;
};

// Who is due while all connections wait for answers waits, too, and that is measured.
void pace(const Options& options, Totals& totals) {
    const auto requests = read_requests(options);
    asio::io_context io(1);
    std::vector<std::unique_ptr<Connection>> connections;
    for (unsigned i = 0; i < options.connections; ++i)
        connections.push_back(std::make_unique<Connection>(io, options, totals));
    std::mt19937_64 random(1);
    std::exponential_distribution<double> gap(options.rate / static_cast<double>(rouse::kNanosPerSecond));
    std::deque<std::uint64_t> due;
    const std::uint64_t began = rouse::monotonic_ns();
    const std::uint64_t end = began + kWarmUpNs + options.seconds * rouse::kNanosPerSecond;
    totals.counted_from_ns = began + kWarmUpNs;
    std::uint64_t next = began;
    std::size_t turn = 0;
    for (std::uint64_t asked = 0; totals.answers < asked || next < end; io.poll()) {
        const std::uint64_t now = rouse::monotonic_ns();
        if (now > end + 10 * rouse::kNanosPerSecond) throw std::runtime_error("the server does not keep up");
        for (; next <= now && next < end; next += static_cast<std::uint64_t>(gap(random)) + 1) {
            due.push_back(next);
            ++asked;
        }
        for (std::size_t looked = 0; !due.empty() && looked < connections.size(); ++looked) {
            Connection& one = *connections[turn++ % connections.size()];
            if (!one.is_free()) continue;
            one.ask(requests[random() % requests.size()], due.front());
            due.pop_front();
        }
        io.restart();
    }
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Asks an HTTP server on the loopback address at a steady mean rate.");
    app.add_option("--port", options.port)->required();
    app.add_option("--list", options.list, "file of requests: method, path, body; one is drawn at a time")
        ->required();
    app.add_option("--header", options.headers, "of every request: \"Name: value\"");
    app.add_option("--rate", options.rate, "requests per second")->check(CLI::Range(1.0, 1e6));
    app.add_option("--connections", options.connections)->check(CLI::Range(1, 1000));
    app.add_option("--seconds", options.seconds)->check(CLI::Range(1, 600));
    CLI11_PARSE(app, argc, argv);
    Totals totals;
    try {
        pace(options, totals);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rouse-pace: %s\n", error.what());
        return EXIT_FAILURE;
    }
    const auto us = [&totals](double share) {
        return static_cast<double>(totals.latency_ns.percentile(share)) / 1e3;
    };
    const nlohmann::json report{{"requests", totals.latency_ns.total()},
                                {"failed", totals.failed},
                                {"p50", us(0.5)},
                                {"p99", us(0.99)},
                                {"p999", us(0.999)}};
    std::puts(report.dump().c_str());
    return EXIT_SUCCESS;
}
