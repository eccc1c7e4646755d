#include "mgmt/http/rate_limiter.hpp"

#include "mgmt/http/router.hpp"
#include "tests/unit/http/coroutine.hpp"

#include <gtest/gtest.h>

namespace rouse::http {
namespace {

using namespace std::chrono_literals;

Request from(const char* address, std::optional<Principal> principal = {}) {
    Request request;
    request.peer = *IpAddress::parse(address);
    request.principal = std::move(principal);
    return request;
}

class RateLimiterTest : public testing::Test {
  protected:
    // How many of COUNT requests are admitted at once.
    int admitted(const Request& request, int count) {
        int out = 0;
        for (int i = 0; i < count; ++i) out += limiter_.admit(request, now_) ? 1 : 0;
        return out;
    }
    RateLimiter limiter_{{.per_second = 10, .at_once = 20, .local_per_second = 1000}};
    RateLimiter::Clock::time_point now_{};
};

TEST_F(RateLimiterTest, GivesWhatIsSavedUpAndThenTheRate) {
    const auto request = from("192.0.2.1");
    EXPECT_EQ(admitted(request, 30), 20);
    now_ += 1s;
    EXPECT_EQ(admitted(request, 30), 10);
    now_ += 1h;
    EXPECT_EQ(admitted(request, 30), 20);
    EXPECT_EQ(limiter_.refused(), 40U);
}

TEST_F(RateLimiterTest, SaysHowLongToWait) {
    RateLimiter slow({.per_second = 0.1, .at_once = 1});
    const auto request = from("192.0.2.1");
    ASSERT_TRUE(slow.admit(request, now_));
    const auto refused = slow.admit(request, now_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().status, Status::too_many_requests);
    EXPECT_EQ(refused.error().headers.get("Retry-After"), "10");
    EXPECT_FALSE(slow.admit(request, now_ + 9s));
    EXPECT_TRUE(slow.admit(request, now_ + 11s));
}

TEST_F(RateLimiterTest, CountsByPrincipalElseByAddress) {
    EXPECT_EQ(admitted(from("192.0.2.1", Principal{"bob", Role::viewer}), 30), 20);
    EXPECT_EQ(admitted(from("192.0.2.2", Principal{"bob", Role::viewer}), 30), 0) << "wherever it is";
    EXPECT_EQ(admitted(from("192.0.2.1", Principal{"bob", Role::viewer, true}), 30), 20) << "a client";
    EXPECT_EQ(admitted(from("192.0.2.1"), 30), 20);
    EXPECT_EQ(admitted(from("192.0.2.2"), 30), 20);
    EXPECT_EQ(admitted(from("2001:db8::1"), 30), 20);
    EXPECT_EQ(admitted(from("2001:db8::2"), 30), 0) << "the same /64";
    EXPECT_EQ(admitted(from("2001:db8:0:1::1"), 30), 20);
}

TEST_F(RateLimiterTest, TheAppliancesOwnToolsMayAskForMore) {
    EXPECT_EQ(admitted(from("127.0.0.1", Principal{"admin", Role::administrator}), 2000), 1000);
    EXPECT_EQ(admitted(from("127.0.0.1"), 2000), 1000);
    EXPECT_EQ(admitted(from("::1"), 2000), 1000);
    EXPECT_EQ(admitted(from("127.0.0.1", Principal{"bob", Role::operator_}), 2000), 20);
    EXPECT_EQ(admitted(from("192.0.2.1", Principal{"root", Role::administrator}), 2000), 20);
}

TEST_F(RateLimiterTest, ZeroIsNoLimit) {
    RateLimiter none({.per_second = 0});
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(none.admit(from("192.0.2.1"), now_));
}

TEST_F(RateLimiterTest, BoundsItsMemory) {
    for (std::uint32_t i = 0; i < 2 * RateLimiter::kMostClients; ++i) {
        Request request;
        request.peer = Ipv4Address::from_host(0xc000'0000 + i);
        ASSERT_TRUE(limiter_.admit(request, now_ + std::chrono::microseconds(i)));
    }
    EXPECT_LE(limiter_.clients(), RateLimiter::kMostClients);
    EXPECT_GT(limiter_.clients(), 0U);
    now_ += 1h;
    for (std::uint32_t i = 0; limiter_.clients() < RateLimiter::kMostClients; ++i) {
        Request request;
        request.peer = Ipv4Address::from_host(0x0a00'0000 + i);
        ASSERT_TRUE(limiter_.admit(request, now_));
    }
    now_ += 1h;
    ASSERT_TRUE(limiter_.admit(from("192.0.2.1"), now_));
    EXPECT_EQ(limiter_.clients(), 1U) << "who has saved up all is forgotten first";
}

TEST(RouterLimits, AreAskedOnceItIsKnownWhoseARequestIs) {
    RateLimiter limiter({.per_second = 1, .at_once = 1});
    Router router;
    router.limit_with([&](const Request& request) { return limiter.admit(request, {}); });
    router.authenticate_with([](const Request& request) -> OrProblem<Principal> {
        if (request.headers.get("Authorization").empty()) return problem(Status::unauthorized, "who?");
        return Principal{std::string(request.headers.get("Authorization")), Role::viewer};
    });
    router.add({.pattern = "/x"}, [](Request&) -> Outcome { return Response::no_content(); });
    const auto ask = [&](const char* who) {
        auto request = from("192.0.2.1");
        request.path = "/x";
        if (*who != 0) request.headers.add("Authorization", who);
        return run_to_end(router.dispatch(request)).status;
    };
    EXPECT_EQ(ask("a"), Status::no_content);
    EXPECT_EQ(ask("a"), Status::too_many_requests);
    EXPECT_EQ(ask("b"), Status::no_content);
    EXPECT_EQ(ask(""), Status::unauthorized);
    EXPECT_EQ(ask(""), Status::too_many_requests) << "guessing tokens is limited too";
}

}  // namespace
}  // namespace rouse::http
