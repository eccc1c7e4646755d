// The registration with an SMO that is a real server, and the tokens for it.

#include "mgmt/o2ims/smo_link.hpp"

#include "tests/unit/http/server.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <chrono>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>

namespace rouse::o2ims {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

class Smo : public store::StoreTest {
  protected:
    Smo() {
        tables_ = writer_->run([](store::Batch& batch) { return OutboxTables::open(batch); }).value();
        cloud_.id = *store::Id::parse("0192f0c0-0000-7000-8000-00000000c10d");
        cloud_.global_id = "0192f0c0-0000-7000-8000-0000000000bb";
        cloud_.service_uri = "https://rouse.example";
        for (const char* path : {"/register", "/token"})
            router_.add({.method = http::Method::post,
                         .pattern = path,
                         .access = http::Access::anyone(),
                         .body = http::BodyKind::stream},
                        http::Handler([this](http::Request& request) { return take(request); }));
        server_.emplace(router_);
        const std::string base = "http://127.0.0.1:" + std::to_string(server_->port());
        options_.url = base + "/register";
        token_url_ = base + "/token";
        options_.first_retry = 10ms;
        options_.longest_retry = 20ms;
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
        const std::lock_guard lock(mutex_);
        const bool is_token = request.path == "/token";
        if (is_token)
            token_requests_.push_back(std::string(request.headers.get("Authorization")) + " " + body);
        if (refusals_ > 0) {
            --refusals_;
            co_return http::problem(http::Status::service_unavailable, "not now");
        }
        if (is_token)
            co_return http::Response::json(
                {{"access_token", "t0k3n-" + std::to_string(++tokens_)}, {"expires_in", 3600}});
        authorization_ = request.headers.get("Authorization");
        if (authorization_ == "Bearer " + refused_)
            co_return http::problem(http::Status::unauthorized, "not that one");
        registrations_.push_back(json::parse(body));
        co_return http::Response::no_content();
    }
    std::size_t registrations() {
        const std::lock_guard lock(mutex_);
        return registrations_.size();
    }
    std::size_t token_requests() {
        const std::lock_guard lock(mutex_);
        return token_requests_.size();
    }
    // Waits, 20 s at most, until WHAT holds.
    template <typename What>
    static bool soon(What&& what) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!what() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
        return what();
    }
    // Runs a link until it has registered.
    void run_until_registered() {
        SmoLink link(*writer_, tables_, cloud_, options_);
        link.start();
        EXPECT_TRUE(soon([&] { return link.is_registered(); }));
    }

    OutboxTables tables_;
    Cloud cloud_;
    SmoOptions options_;
    std::string token_url_;
    std::mutex mutex_;
    unsigned refusals_ = 0;
    unsigned tokens_ = 0;  // that were given
    std::string refused_;
    std::vector<json> registrations_;
    std::vector<std::string> token_requests_;
    std::string authorization_;
    http::Router router_;
    std::optional<http::Server> server_;
};

TEST_F(Smo, IsToldUntilItTakesItAndAgainWhenThatChanges) {
    refusals_ = 3;
    run_until_registered();
    const json expected{{"globalCloudId", cloud_.global_id},
                        {"oCloudId", cloud_.id.to_string()},
                        {"IMS_EP", cloud_.service_uri}};
    ASSERT_EQ(registrations(), 1U);
    EXPECT_EQ(registrations_[0], expected);
    EXPECT_EQ(refusals_, 0U);
    EXPECT_EQ(authorization_, "");
    run_until_registered();
    EXPECT_EQ(registrations(), 1U) << "a restart is no news";
    cloud_.service_uri = "https://other.example";
    run_until_registered();
    ASSERT_EQ(registrations(), 2U);
    EXPECT_EQ(registrations_[1]["IMS_EP"], "https://other.example");
}

TEST_F(Smo, HasAFormWithATokenInIt) {
    options_.form = RegistrationForm::starlingx;
    run_until_registered();
    ASSERT_EQ(registrations(), 1U);
    EXPECT_EQ(registrations_[0]["smo_token_data"]["iss"], "o2ims");
    EXPECT_EQ(registrations_[0]["smo_token_data"]["smo_token_algo"], "RS256");
}

TEST_F(Smo, IsShownATokenThatIsFetchedOnce) {
    options_.token_url = token_url_;
    options_.client_id = "rouse";
    options_.client_secret = "s3cret:";
    options_.scope = "o2 notify";
    refusals_ = 1;
    run_until_registered();
    EXPECT_EQ(authorization_, "Bearer t0k3n-1");
    ASSERT_EQ(token_requests_.size(), 2U);
    EXPECT_THAT(token_requests_[1], testing::HasSubstr("grant_type=client_credentials&scope=o2%20notify"));
    // base64 of "rouse:s3cret%3A": percent-encoded before (RFC 6749 2.3.1)
    EXPECT_THAT(token_requests_[1], testing::HasSubstr("Basic cm91c2U6czNjcmV0JTNB"));
}

TEST_F(Smo, GivesAnotherTokenForOneThatWasRefused) {
    options_.url = "";
    options_.token_url = token_url_;
    SmoLink link(*writer_, tables_, cloud_, options_);
    link.start();
    ASSERT_TRUE(soon([&] { return link.token().has_value(); }));
    const auto first = *link.token();
    EXPECT_EQ(first.text, "t0k3n-1");
    link.renew_token(first.number);
    ASSERT_TRUE(soon([&] { return link.token()->number != first.number; }));
    const auto second = *link.token();
    EXPECT_EQ(second.text, "t0k3n-2");
    // Somebody else was refused the first, too, and knows nothing of the second yet.
    link.renew_token(first.number);
    link.renew_token(0);
    std::this_thread::sleep_for(300ms);
    EXPECT_EQ(link.token()->number, second.number);
    EXPECT_EQ(token_requests(), 2U);
    {
        const std::lock_guard lock(mutex_);
        refusals_ = 1;
    }
    link.renew_token(second.number);
    ASSERT_TRUE(soon([&] { return link.token()->text == "t0k3n-3"; }));
    EXPECT_EQ(token_requests(), 4U) << "it is asked for until it is given";
}

TEST_F(Smo, IsRegisteredWithAnotherTokenWhenItRefusesTheFirst) {
    options_.token_url = token_url_;
    refused_ = "t0k3n-1";
    run_until_registered();
    EXPECT_EQ(authorization_, "Bearer t0k3n-2");
    EXPECT_EQ(token_requests(), 2U);
}

TEST_F(Smo, ThatIsNotThereDoesNotHoldUpTheEnd) {
    options_.url = "http://127.0.0.1:1/register";
    SmoLink link(*writer_, tables_, cloud_, options_);
    link.start();
    std::this_thread::sleep_for(50ms);
    const auto start = std::chrono::steady_clock::now();
    link.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
    EXPECT_FALSE(link.is_registered());
}

}  // namespace
}  // namespace rouse::o2ims
