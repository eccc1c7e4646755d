// How Delivery talks to subscribers: as whom, through which connections, and what it does when that fails.

#include "mgmt/o2ims/delivery.hpp"

#include "mgmt/http/hmac.hpp"
#include "shared/clock.hpp"
#include "tests/unit/o2ims/outbox_fixture.hpp"

#include <atomic>
#include <cstring>
#include <sstream>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <netdb.h>
#include <openssl/sha.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace {
std::atomic<bool> slow_was_asked{false};
}

// libcurl's, too: names below .test are this machine, and slow.test's name server takes its time.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** out) {
    using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
    const std::string_view text = name != nullptr ? name : "";
    if (text == "slow.test") {
        slow_was_asked = true;
        std::this_thread::sleep_for(std::chrono::seconds(4));
    }
    return real(text.ends_with(".test") ? "127.0.0.1" : name, service, hints, out);
}

namespace rouse::o2ims {
namespace {

using namespace std::chrono_literals;

std::string hex(std::string_view octets) {
    std::string out;
    for (const char c : octets) {
        const auto octet = static_cast<unsigned char>(c);
        out.push_back("0123456789abcdef"[octet / 16]);
        out.push_back("0123456789abcdef"[octet % 16]);
    }
    return out;
}

// By the definition (RFC 2104), of keys up to 64 octets.
std::string hmac_by_definition(std::string_view key, std::string_view text) {
    const auto sha256 = [](const std::string& of) {
        std::string digest(SHA256_DIGEST_LENGTH, '\0');
        SHA256(reinterpret_cast<const unsigned char*>(of.data()), of.size(),
               reinterpret_cast<unsigned char*>(digest.data()));
        return digest;
    };
    std::string inner(64, '\x36'), outer(64, '\x5c');
    for (std::size_t i = 0; i < key.size(); ++i) {
        inner[i] = static_cast<char>(inner[i] ^ key[i]);
        outer[i] = static_cast<char>(outer[i] ^ key[i]);
    }
    return hex(sha256(outer + sha256(inner + std::string(text))));
}

// What is logged while it lives.
class Log {
  public:
    Log() {
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
    }
    ~Log() { spdlog::set_default_logger(before_); }
    // Once nothing writes any more.
    [[nodiscard]] std::size_t lines_with(const std::string& words) const {
        std::size_t count = 0;
        std::istringstream lines(text_.str());
        for (std::string line; std::getline(lines, line);) count += line.find(words) != std::string::npos;
        return count;
    }

  private:
    std::ostringstream text_;
    std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

class DeliveryTest : public OutboxTest {
  protected:
    // Tokens "token-1", "token-2", …: as many as were asked for.
    void have_tokens() {
        options_.token = [this] {
            const std::uint64_t number = token_number_;
            return std::optional(web::BearerToken{"token-" + std::to_string(number), number});
        };
        options_.renew_token = [this](std::uint64_t number) {
            ++renewals_;
            if (is_renewed_) token_number_ = number + 1;
        };
    }
    std::string authorization(const std::string& name) {
        return std::string(subscriber_.headers(name).get("Authorization"));
    }

    std::atomic<std::uint64_t> token_number_{1};
    std::atomic<unsigned> renewals_{0};
    std::atomic<bool> is_renewed_{true};
};

TEST_F(DeliveryTest, TheSmoAloneIsShownOurToken) {
    have_tokens();
    options_.policy.smo_url = "https://smo.test/registration";
    subscribe(subscriber_.url("smo", "smo.test"));
    subscribe(subscriber_.url("stranger", "stranger.test"));
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return subscriber_.count("smo") == 1 && subscriber_.count("stranger") == 1; }));
    EXPECT_EQ(authorization("smo"), "Bearer token-1");
    EXPECT_EQ(authorization("stranger"), "");
    EXPECT_TRUE(delivery_->probe(subscriber_.url("smo", "smo.test")));
    EXPECT_EQ(authorization("smo"), "Bearer token-1") << "the test of a callback, too";
    EXPECT_TRUE(delivery_->probe(subscriber_.url("stranger", "stranger.test")));
    EXPECT_EQ(authorization("stranger"), "");
}

TEST_F(DeliveryTest, ListedHostsAreShownOurTokenToo) {
    have_tokens();
    options_.policy.hosts = {"listed.test"};
    subscribe(subscriber_.url("listed", "listed.test"));
    subscribe(subscriber_.url("former", "former.test"));  // made when the list was another
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return subscriber_.count("listed") == 1; }));
    EXPECT_EQ(authorization("listed"), "Bearer token-1");
    ASSERT_TRUE(soon([&] { return delivery_->statistics().retried > 1; }));
    EXPECT_EQ(subscriber_.count("former"), 0U) << "the list is for those that are there already, too";
}

TEST_F(DeliveryTest, WithoutATokenNothingLeavesForWhoIsToSeeIt) {
    std::atomic<bool> has_token{false};
    options_.token = [&] { return has_token ? std::optional(web::BearerToken{"t0k3n", 1}) : std::nullopt; };
    options_.policy.smo_url = "https://smo.test/";
    subscribe(subscriber_.url("smo", "smo.test"));
    subscribe(subscriber_.url("stranger", "stranger.test"));
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return subscriber_.count("stranger") == 1; }));
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(subscriber_.count("smo"), 0U);
    has_token = true;
    ASSERT_TRUE(soon([&] { return subscriber_.count("smo") == 1; }));
    EXPECT_EQ(authorization("smo"), "Bearer t0k3n");
    EXPECT_EQ(delivery_->statistics().retried, 0U) << "waiting is no failure of the subscriber";
}

TEST_F(DeliveryTest, ATokenThatIsRefusedIsRenewedOnceBeforeThatIsAFailure) {
    have_tokens();
    options_.policy.smo_url = "https://smo.test/";
    subscribe(subscriber_.url("smo", "smo.test"));
    subscriber_.fail("smo", http::Status::unauthorized, 1);
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return subscriber_.count("smo") == 1; }));
    EXPECT_EQ(authorization("smo"), "Bearer token-2");
    EXPECT_EQ(renewals_, 1U);
    EXPECT_EQ(delivery_->statistics().retried, 0U);
    subscriber_.fail("smo", http::Status::unauthorized, 3);
    happen(1, 1);
    ASSERT_TRUE(soon([&] { return subscriber_.count("smo") == 2; }));
    EXPECT_EQ(renewals_, 3U) << "once for each of two deliveries";
    EXPECT_EQ(delivery_->statistics().retried, 1U);
    EXPECT_EQ(numbers(subscriber_.told("smo")), range(0, 2));
}

TEST_F(DeliveryTest, ARefusedTokenIsNotShownAgainAndHoldsUpNobody) {
    have_tokens();
    is_renewed_ = false;
    options_.policy.smo_url = "https://smo.test/";
    subscribe(subscriber_.url("a", "smo.test"));
    subscribe(subscriber_.url("b", "smo.test"));
    subscriber_.fail("a", http::Status::unauthorized, 1000);
    begin();
    happen(0, 3);
    ASSERT_TRUE(soon([&] { return subscriber_.refused("a") == 1 && subscriber_.count("b") == 3; }));
    std::this_thread::sleep_for(600ms);
    EXPECT_EQ(subscriber_.refused("a"), 1U);
    EXPECT_EQ(renewals_, 1U);
    subscriber_.fail("a", http::Status::unauthorized, 0);
    token_number_ = 2;
    EXPECT_TRUE(soon([&] { return subscriber_.count("a") == 3; }));
}

TEST_F(DeliveryTest, A401ToOneWithoutATokenIsAFailureLikeAnyOther) {
    have_tokens();
    subscribe(subscriber_.url("stranger", "stranger.test"));
    subscriber_.fail("stranger", http::Status::unauthorized, 2);
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return subscriber_.count("stranger") == 1; }));
    EXPECT_EQ(renewals_, 0U);
    EXPECT_EQ(delivery_->statistics().retried, 2U);
}

TEST_F(DeliveryTest, SignaturesAreTheHmacOfTimeAndBody) {
    // RFC 4231 4.3
    constexpr const char* kVector = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    EXPECT_EQ(http::hmac_sha256_hex("Jefe", "what do ya want for nothing?"), kVector);
    EXPECT_EQ(hmac_by_definition("Jefe", "what do ya want for nothing?"), kVector);
    options_.secret = "k\xc3\xa9y of ours";
    subscribe(subscriber_.url("a"), {{"consumerSubscriptionId", "it's \"mine\""}});
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") == 1; }));
    const std::string time(subscriber_.headers("a").get("X-O2IMS-Timestamp"));
    EXPECT_EQ(subscriber_.headers("a").get("X-O2IMS-Signature"),
              hmac_by_definition(options_.secret, time + "." + subscriber_.told("a")[0]));
    const auto now = static_cast<double>(realtime_ns() / kNanosPerSecond);
    EXPECT_NEAR(std::stod(time), now, 60);
}

TEST_F(DeliveryTest, TheAddressIsCheckedWhenAConnectionIsMade) {
    options_.policy.allows_loopback = false;  // to the policy of hosts, any.test is a name like any other
    subscribe(subscriber_.url("a", "any.test"));
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return delivery_->statistics().retried > 1; }));
    EXPECT_EQ(subscriber_.count("a"), 0U);
    EXPECT_FALSE(delivery_->probe(subscriber_.url("a", "any.test")));
}

TEST_F(DeliveryTest, AProbeWantsAnAnswer) {
    begin();
    EXPECT_TRUE(delivery_->probe(subscriber_.url("a")));
    const auto none = delivery_->probe(dead_url());
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message, testing::HasSubstr("cannot be reached"));
}

TEST_F(DeliveryTest, ALogThatCannotBeReadIsLeftAloneForAWhileAndSaidOnce) {
    subscribe(subscriber_.url("a"));
    happen(0, 1);
    OutboxTables damaged = tables_;
    damaged.log = {.handle = 60'000};
    const Log log;
    begin(damaged);
    std::this_thread::sleep_for(100ms);
    const std::uint64_t before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    std::this_thread::sleep_for(1s);
    EXPECT_LT(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before, 300 * kNanosPerMilli);
    delivery_.reset();
    EXPECT_EQ(log.lines_with("the outbox cannot be read"), 1U);
}

TEST_F(DeliveryTest, AStoreThatCanBeReadAgainIs) {
    subscribe(subscriber_.url("a"));
    happen(0, 3);
    const Log log;
    {
        std::vector<store::Snapshot> all;  // that there can be at once
        for (auto one = store_->snapshot(); one; one = store_->snapshot()) all.push_back(std::move(*one));
        begin();
        std::this_thread::sleep_for(600ms);
        EXPECT_EQ(subscriber_.count("a"), 0U);
    }
    EXPECT_TRUE(soon([&] { return subscriber_.count("a") == 3; }, 5s));
    EXPECT_EQ(numbers(subscriber_.told("a")), range(0, 3));
    delivery_.reset();
    EXPECT_EQ(log.lines_with("the outbox cannot be read"), 1U);
    EXPECT_EQ(log.lines_with("the outbox can be read again"), 1U);
}

TEST_F(DeliveryTest, ANameThatIsLookedUpForLongHoldsUpNobody) {
    const auto slow = subscribe(subscriber_.url("slow", "slow.test"));
    subscribe(subscriber_.url("a"));
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return slow_was_asked && subscriber_.count("a") == 1; }));
    unsubscribe(slow);
    ASSERT_TRUE(soon([&] { return delivery_->statistics().subscriptions == 1; }, 1s));
    happen(1, 1);
    EXPECT_TRUE(soon([&] { return subscriber_.count("a") == 2; }, 1s));
    const auto stopping = std::chrono::steady_clock::now();
    delivery_->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - stopping, 1s);
}

}  // namespace
}  // namespace rouse::o2ims
