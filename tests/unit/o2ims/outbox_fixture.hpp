#pragma once
// An outbox, its delivery, and subscribers that are real servers.

#include "mgmt/o2ims/delivery.hpp"
#include "tests/unit/http/server.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

// Waits, LONGEST at most, until WHAT holds.
template <typename What>
bool soon(What&& what, std::chrono::milliseconds longest = std::chrono::seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + longest;
    while (!what()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

// Remembers what it was told, by the last segment of the URL, and answers as it is told to.
class Subscriber {
  public:
    explicit Subscriber(http::ListenerOptions options = {}) : is_tls_(!options.tls_certificate.empty()) {
        router_.add({.method = http::Method::post,
                     .pattern = "/{name}",
                     .access = http::Access::anyone(),
                     .body = http::BodyKind::stream},
                    http::Handler([this](http::Request& request) { return take(request); }));
        router_.add({.method = http::Method::get, .pattern = "/{name}", .access = http::Access::anyone()},
                    [this](http::Request& request) -> http::Outcome {
                        note(request);
                        return http::Response::no_content();
                    });
        server_.emplace(router_, std::move(options));
    }
    // HOST leads here (see the tests' getaddrinfo).
    [[nodiscard]] std::string url(const std::string& name, const std::string& host = "127.0.0.1") const {
        return (is_tls_ ? "https://" : "http://") + host + ":" + std::to_string(server_->port()) + "/" + name;
    }
    // Answers for NAME: STATUS the next TIMES times.
    void fail(const std::string& name, http::Status status, unsigned times) {
        const std::lock_guard lock(mutex_);
        failing_[name] = {status, times};
    }
    [[nodiscard]] std::vector<std::string> told(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return told_[name];
    }
    [[nodiscard]] std::size_t count(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return told_[name].size();
    }
    [[nodiscard]] unsigned refused(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return refused_[name];
    }
    // Of the last request for NAME.
    [[nodiscard]] http::Headers headers(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return headers_[name];
    }
    // Of the client, in that request.
    [[nodiscard]] std::string certificate(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return certificates_[name];
    }

  private:
    void note(const http::Request& request) {
        const std::lock_guard lock(mutex_);
        headers_[request.parameter("name")] = request.headers;
        certificates_[request.parameter("name")] = request.certificate;
    }
    boost::asio::awaitable<http::Outcome> take(http::Request& request) {
        std::string body;
        std::array<std::byte, 4096> buffer;
        for (;;) {
            const auto read = co_await request.read_some(buffer);
            if (!read) co_return tl::unexpected(read.error());
            if (*read == 0) break;
            body.append(reinterpret_cast<const char*>(buffer.data()), *read);
        }
        note(request);
        const std::string& name = request.parameter("name");
        const std::lock_guard lock(mutex_);
        auto& failing = failing_[name];
        if (failing.times > 0) {
            --failing.times;
            ++refused_[name];
            co_return http::problem(failing.status, "not now");
        }
        told_[name].push_back(std::move(body));
        co_return http::Response::no_content();
    }

    struct Failing {
        http::Status status = http::Status::internal_server_error;
        unsigned times = 0;
    };
    bool is_tls_;
    std::mutex mutex_;
    std::map<std::string, std::vector<std::string>> told_;
    std::map<std::string, Failing> failing_;
    std::map<std::string, unsigned> refused_;
    std::map<std::string, http::Headers> headers_;
    std::map<std::string, std::string> certificates_;
    http::Router router_;
    std::optional<http::Server> server_;
};

class OutboxTest : public store::StoreTest {
  protected:
    OutboxTest() {
        open_tables();
        options_.policy.allows_http = options_.policy.allows_loopback = true;
        options_.first_retry = std::chrono::milliseconds(20);
        options_.longest_retry = std::chrono::milliseconds(100);
    }
    void open_tables() {
        tables_ = writer_->run([](store::Batch& batch) { return OutboxTables::open(batch); }).value();
    }
    void begin() { begin(tables_); }
    void begin(const OutboxTables& tables) {
        delivery_.emplace(*writer_, tables, options_);
        delivery_->add_language(kInventoryService, parse_inventory_filter);
        delivery_->start();
    }
    store::Id subscribe(const std::string& callback, nlohmann::json more = nlohmann::json::object()) {
        nlohmann::json fields{{"service", kInventoryService}, {"callback", callback}};
        fields.update(more);
        return writer_
            ->run([&](store::Batch& batch) -> rouse::Outcome<store::Id> {
                const auto made = store::insert(batch, store::kSubscriptions, fields);
                if (!made) return tl::unexpected(made.error());
                if (auto begun = begin_cursor(batch, tables_, made->id); !begun)
                    return pass_on(begun.error());
                return made->id;
            })
            .value();
    }
    void unsubscribe(store::Id id) {
        const auto deleted = writer_->run([&](store::Batch& batch) -> rouse::Outcome<bool> {
            if (auto ended = end_cursor(batch, tables_, id); !ended) return pass_on(ended.error());
            return store::erase(batch, store::kSubscriptions, id);
        });
        ASSERT_TRUE(deleted);
    }
    // COUNT notifications with the numbers from FIRST on, in one transaction.
    void happen(int first, int count, const std::string& kind = "ResourceInfo",
                std::size_t limit = kOutboxSize) {
        const auto appended = writer_->run([&](store::Batch& batch) -> Result<void> {
            for (int i = first; i < first + count; ++i) {
                const nlohmann::json body{{"n", i},
                                          {"postObjectState", {{"tags", {i % 2 == 0 ? "even" : "odd"}}}}};
                if (auto put = append(batch, tables_, {kInventoryService, kind, body.dump()}, limit); !put)
                    return put;
            }
            return {};
        });
        ASSERT_TRUE(appended);
        if (delivery_) delivery_->wake();
    }
    static std::vector<int> numbers(const std::vector<std::string>& told) {
        std::vector<int> out;
        for (const auto& one : told) out.push_back(nlohmann::json::parse(one)["n"]);
        return out;
    }
    static std::vector<int> range(int first, int count) {
        std::vector<int> out(static_cast<std::size_t>(count));
        std::iota(out.begin(), out.end(), first);
        return out;
    }
    std::size_t logged() {
        const auto snapshot = store_->snapshot();
        return snapshot->txn().count(tables_.log).value();
    }

    OutboxTables tables_;
    DeliveryOptions options_;
    Subscriber subscriber_;
    std::optional<Delivery> delivery_;
};

// Nobody listens there.
inline std::string dead_url() {
    return "http://127.0.0.1:1/dead";
}

}  // namespace rouse::o2ims
