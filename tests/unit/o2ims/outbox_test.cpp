// The outbox and its delivery, to subscribers that are real servers.

#include "mgmt/o2ims/outbox.hpp"

#include "mgmt/o2ims/delivery.hpp"
#include "shared/clock.hpp"
#include "tests/unit/http/server.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <chrono>
#include <mutex>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace rouse::o2ims {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

// Waits, 20 s at most, until WHAT holds.
template <typename What>
bool soon(What&& what, std::chrono::milliseconds longest = 20s) {
    const auto end = std::chrono::steady_clock::now() + longest;
    while (!what()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

// A subscriber: remembers what it was told, and answers as it is told to.
class Subscriber {
  public:
    Subscriber() {
        router_.add({.method = http::Method::post,
                     .pattern = "/{name}",
                     .access = http::Access::anyone(),
                     .body = http::BodyKind::stream},
                    http::Handler([this](http::Request& request) { return take(request); }));
        router_.add({.method = http::Method::get, .pattern = "/{name}", .access = http::Access::anyone()},
                    [](http::Request&) -> http::Outcome { return http::Response::no_content(); });
        server_.emplace(router_);
    }
    [[nodiscard]] std::string url(const std::string& name) const {
        return "http://127.0.0.1:" + std::to_string(server_->port()) + "/" + name;
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
    [[nodiscard]] http::Headers headers() {
        const std::lock_guard lock(mutex_);
        return headers_;
    }

  private:
    boost::asio::awaitable<http::Outcome> take(http::Request& request) {
        std::string body;
        std::array<std::byte, 4096> buffer;
        for (;;) {
            const auto read = co_await request.read_some(buffer);
            if (!read) co_return tl::unexpected(read.error());
            if (*read == 0) break;
            body.append(reinterpret_cast<const char*>(buffer.data()), *read);
        }
        const std::string& name = request.parameter("name");
        const std::lock_guard lock(mutex_);
        headers_ = request.headers;
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
    std::mutex mutex_;
    std::map<std::string, std::vector<std::string>> told_;
    std::map<std::string, Failing> failing_;
    std::map<std::string, unsigned> refused_;
    http::Headers headers_;
    http::Router router_;
    std::optional<http::Server> server_;
};

class Outbox : public store::StoreTest {
  protected:
    Outbox() {
        tables_ = writer_->run([](store::Batch& batch) { return OutboxTables::open(batch); }).value();
        options_.policy.allows_http = options_.policy.allows_loopback = true;
        options_.first_retry = 20ms;
        options_.longest_retry = 100ms;
    }
    void begin() {
        delivery_.emplace(*writer_, tables_, options_);
        delivery_->add_language(kInventoryService, parse_inventory_filter);
        delivery_->start();
    }
    store::Id subscribe(const std::string& callback, json more = json::object()) {
        json fields{{"service", kInventoryService}, {"callback", callback}};
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
    // COUNT notifications with the numbers from FIRST on, in one transaction.
    void happen(int first, int count, const std::string& kind = "ResourceInfo",
                std::size_t limit = kOutboxSize) {
        const auto appended = writer_->run([&](store::Batch& batch) -> Result<void> {
            for (int i = first; i < first + count; ++i) {
                const json body{{"n", i}, {"postObjectState", {{"tags", {i % 2 == 0 ? "even" : "odd"}}}}};
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
        for (const auto& one : told) out.push_back(json::parse(one)["n"]);
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
std::string dead_url() {
    return "http://127.0.0.1:1/dead";
}

TEST_F(Outbox, ASubscriberIsToldInOrderOfWhatHappensFromNowOn) {
    happen(-5, 5);
    subscribe(subscriber_.url("a"), {{"consumerSubscriptionId", "mine \"1\""}});
    begin();
    happen(0, 300);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 300; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), range(0, 300));
    EXPECT_EQ(json::parse(subscriber_.told("a")[0])["consumerSubscriptionId"], "mine \"1\"");
    EXPECT_EQ(subscriber_.headers().get("X-O2IMS-Event-Type"), "ResourceInfo");
    EXPECT_FALSE(subscriber_.headers().find("X-O2IMS-Signature"));
    EXPECT_TRUE(soon([&] { return logged() == 0; })) << "what all were told is forgotten";
    EXPECT_EQ(delivery_->statistics().delivered, 300U);
}

TEST_F(Outbox, WhatIsNotTakenIsToldAgainBeforeAnythingElse) {
    subscribe(subscriber_.url("a"));
    subscriber_.fail("a", http::Status::service_unavailable, 3);
    begin();
    happen(0, 5);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 5; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), range(0, 5));
    EXPECT_EQ(subscriber_.refused("a"), 3U);
    EXPECT_EQ(delivery_->statistics().retried, 3U);
}

TEST_F(Outbox, WhatASubscriberNeverTakesIsGivenUpAndCounted) {
    subscribe(subscriber_.url("a"));
    subscriber_.fail("a", http::Status::bad_request, 5);
    begin();
    happen(0, 3);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 2; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), range(1, 2));
    EXPECT_EQ(delivery_->statistics().dropped, 1U);
}

TEST_F(Outbox, ARestartGoesOnWhereItWas) {
    subscribe(subscriber_.url("a"));
    begin();
    happen(0, 50);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 50; }));
    delivery_.reset();
    happen(50, 50);
    EXPECT_EQ(logged(), 50U) << "how far it came was noted when it stopped";
    begin();
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 100; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), range(0, 100));
}

TEST_F(Outbox, ACrashTellsAgainButLosesNothing) {
    const auto id = subscribe(subscriber_.url("a"));
    begin();
    subscribe(dead_url());  // keeps the log
    happen(0, 20);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 20; }));
    delivery_.reset();
    // As if the last note had not come to be stored.
    ASSERT_TRUE(writer_->run([&](store::Batch& batch) { return move_cursors(batch, tables_, {{id, 15}}); }));
    begin();
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 25; }));
    const auto told = subscriber_.told("a");
    EXPECT_EQ(std::vector<std::string>(told.begin() + 15, told.begin() + 20),
              std::vector<std::string>(told.begin() + 20, told.end()))
        << "the same, word for word";
}

TEST_F(Outbox, ADeadSubscriberHoldsUpNobodyAndIsBounded) {
    subscribe(dead_url());
    subscribe(subscriber_.url("a"));
    begin();
    for (int i = 0; i < 20; ++i) {
        happen(i * 10, 10, "ResourceInfo", 100);
        ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= static_cast<std::size_t>(i * 10 + 10); }));
    }
    EXPECT_EQ(numbers(subscriber_.told("a")), range(0, 200));
    EXPECT_EQ(logged(), 100U);
    EXPECT_GE(delivery_->statistics().waiting, 100U);
    EXPECT_GT(delivery_->statistics().oldest_ns, 0U);
    delivery_.reset();
    begin();
    EXPECT_TRUE(soon([&] { return delivery_->statistics().dropped == 100U; }))
        << delivery_->statistics().dropped;
}

TEST_F(Outbox, OfADeletedSubscriptionNothingStays) {
    const auto id = subscribe(dead_url());
    begin();
    happen(0, 10);
    EXPECT_EQ(logged(), 10U);
    const auto deleted = writer_->run([&](store::Batch& batch) -> rouse::Outcome<bool> {
        if (auto ended = end_cursor(batch, tables_, id); !ended) return pass_on(ended.error());
        return store::erase(batch, store::kSubscriptions, id);
    });
    ASSERT_TRUE(deleted);
    EXPECT_TRUE(soon([&] { return logged() == 0; }));
    EXPECT_TRUE(soon([&] { return delivery_->statistics().subscriptions == 0; }));
    happen(10, 10);
    EXPECT_EQ(logged(), 0U) << "nobody is to be told";
}

TEST_F(Outbox, AFilterNamesWhatIsNotTold) {
    subscribe(subscriber_.url("a"), {{"filter", "[(eq,tags,odd)|(eq,objectType,ResourceTypeInfo)]"}});
    subscribe(subscriber_.url("b"));
    begin();
    happen(0, 10);
    happen(10, 2, "ResourceTypeInfo");
    happen(12, 1, "ResourcePoolInfo");
    ASSERT_TRUE(soon([&] { return subscriber_.count("b") >= 13 && subscriber_.count("a") >= 6; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), (std::vector<int>{0, 2, 4, 6, 8, 12}));
    EXPECT_FALSE(parse_inventory_filter("(eq,tagz,x)"));
    EXPECT_FALSE(parse_inventory_filter("(eq,objectType,Sofa)"));
}

TEST_F(Outbox, NotificationsAreSignedAndBearAToken) {
    options_.secret = "key";
    std::atomic<bool> has_token{false};
    options_.token = [&]() { return has_token ? std::optional<std::string>("t0k3n") : std::nullopt; };
    subscribe(subscriber_.url("a"));
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return delivery_->statistics().retried > 0; }));
    EXPECT_EQ(subscriber_.count("a"), 0U) << "without a token nothing leaves";
    has_token = true;
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 1; }));
    EXPECT_EQ(subscriber_.headers().get("Authorization"), "Bearer t0k3n");
    EXPECT_EQ(subscriber_.headers().get("X-O2IMS-Signature").size(), 64U);
}

TEST_F(Outbox, TheAddressIsCheckedWhenAConnectionIsMade) {
    options_.policy.allows_loopback = false;  // "localhost" is a name like any other to the policy of hosts
    subscribe(subscriber_.url("a"));
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return delivery_->statistics().retried > 1; }));
    EXPECT_EQ(subscriber_.count("a"), 0U);
    EXPECT_FALSE(delivery_->probe(subscriber_.url("a")));
}

TEST_F(Outbox, AProbeWantsAnAnswer) {
    begin();
    EXPECT_TRUE(delivery_->probe(subscriber_.url("a")));
    const auto none = delivery_->probe(dead_url());
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message, testing::HasSubstr("cannot be reached"));
}

TEST_F(Outbox, TenThousandChangesToTenSubscribersOfWhomOneIsDead) {
    for (int i = 0; i < 9; ++i) subscribe(subscriber_.url("s" + std::to_string(i)));
    subscribe(dead_url());
    begin();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i) happen(i * 1000, 1000);
    for (int i = 0; i < 9; ++i)
        ASSERT_TRUE(soon([&] { return subscriber_.count("s" + std::to_string(i)) >= 10'000; }, 120s));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("90 000 notifications in %.2f s\n", took.count());
    for (int i = 0; i < 9; ++i)
        EXPECT_EQ(numbers(subscriber_.told("s" + std::to_string(i))), range(0, 10'000));
    const auto stopping = std::chrono::steady_clock::now();
    delivery_->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - stopping, 1s);
}

TEST(CallbackPolicy, RefusesWhatLeadsToOurselves) {
    const CallbackPolicy strict;
    EXPECT_TRUE(strict.check("https://smo.example/callback"));
    for (const char* url :
         {"http://smo.example/", "ftp://smo.example/", "smo", "/x", "https://127.0.0.1/", "https://[::1]/",
          "https://localhost/", "https://169.254.169.254/latest", "https://[fe80::1]/", "https://0.0.0.0/",
          "https://[::ffff:127.0.0.1]/", "https://2130706433/", "https://[64:ff9b::7f00:1]/",
          "https://[fd00:ec2::254]/", "https://user:secret@smo.example/", "https://224.0.0.1/", ""})
        EXPECT_FALSE(strict.check(url)) << url;
    CallbackPolicy listed;
    listed.hosts = {"smo.example", ".ran.example", "10.0.0.7"};
    for (const char* url : {"https://SMO.example/", "https://a.ran.example:8443/x", "https://10.0.0.7/"})
        EXPECT_TRUE(listed.check(url)) << url;
    for (const char* url : {"https://ran.example/", "https://smo.example.evil/", "https://10.0.0.70/"})
        EXPECT_FALSE(listed.check(url)) << url;
    CallbackPolicy lax{.hosts = {}, .allows_http = true, .allows_loopback = true, .allows_link_local = true};
    for (const char* url : {"http://127.0.0.1:9/", "http://localhost/", "http://169.254.1.1/"})
        EXPECT_TRUE(lax.check(url)) << url;
    EXPECT_FALSE(lax.check("http://0.0.0.0/"));
}

}  // namespace
}  // namespace rouse::o2ims
