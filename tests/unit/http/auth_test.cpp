#include "mgmt/http/auth.hpp"

#include "mgmt/http/login_limiter.hpp"
#include "mgmt/http/password.hpp"
#include "tests/unit/http/body_text.hpp"
#include "tests/unit/http/coroutine.hpp"
#include "tests/unit/http/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace rouse::http {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Password, HashesAreSaltedAndVerify) {
    const auto hash = hash_password("correct horse").value();
    EXPECT_THAT(hash, StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
    EXPECT_TRUE(verify_password("correct horse", hash));
    EXPECT_FALSE(verify_password("correct horse ", hash));
    EXPECT_FALSE(verify_password("", hash));
    EXPECT_NE(hash_password("correct horse").value(), hash);
    for (const char* broken : {"", "plain", "$argon2id$", "$argon2id$v=19$m=1,t=1,p=1$AA$AA"})
        EXPECT_FALSE(verify_password("correct horse", broken)) << broken;
    EXPECT_FALSE(hash_password(std::string(kMaxPasswordBytes + 1, 'x')));
}

TEST(LoginLimiter, BlocksAPeerForTheRestOfItsWindow) {
    LoginLimiter limiter;
    const IpAddress guesser = Ipv4Address::from_host(1);
    const IpAddress other = Ipv4Address::from_host(2);
    const LoginLimiter::Time start{};
    for (unsigned i = 0; i < LoginLimiter::kMaxFailures; ++i) {
        EXPECT_EQ(limiter.blocked_for(guesser, start), std::nullopt);
        limiter.failed(guesser, start);
    }
    EXPECT_EQ(limiter.blocked_for(guesser, start), LoginLimiter::kWindow);
    EXPECT_EQ(limiter.blocked_for(guesser, start + LoginLimiter::kWindow - std::chrono::seconds(1)),
              std::chrono::seconds(1));
    EXPECT_EQ(limiter.blocked_for(other, start), std::nullopt);
    EXPECT_EQ(limiter.blocked_for(guesser, start + LoginLimiter::kWindow), std::nullopt);
}

TEST(LoginLimiter, TakesThe64OfAnIpv6AddressForOneClient) {
    LoginLimiter limiter;
    const LoginLimiter::Time start{};
    for (unsigned i = 0; i < LoginLimiter::kMaxFailures; ++i)
        limiter.failed(*IpAddress::parse("2001:db8::" + std::to_string(i)), start);
    EXPECT_TRUE(limiter.blocked_for(*IpAddress::parse("2001:db8::ffff"), start));
    EXPECT_FALSE(limiter.blocked_for(*IpAddress::parse("2001:db8:0:1::1"), start));
    EXPECT_EQ(limiter.peers(), 1U);
}

TEST(LoginLimiter, ForgetsSlowFailuresAndBoundsItsMemory) {
    LoginLimiter limiter;
    const IpAddress slow = Ipv4Address::from_host(1);
    LoginLimiter::Time now{};
    for (int i = 0; i < 100; ++i, now += LoginLimiter::kWindow / 2) {
        limiter.failed(slow, now);
        ASSERT_EQ(limiter.blocked_for(slow, now), std::nullopt);
    }
    for (std::uint32_t i = 2; i < 3 * LoginLimiter::kMaxPeers; ++i)
        limiter.failed(Ipv4Address::from_host(i), now);
    EXPECT_EQ(limiter.peers(), LoginLimiter::kMaxPeers);
}

struct Users final : UserStore {
    std::map<std::string, User> users;
    std::map<std::string, Client> clients;
    bool broken = false;
    [[nodiscard]] Result<std::optional<User>> find(std::string_view username) const override {
        if (broken) return fail("the store cannot be read");
        const auto found = users.find(std::string(username));
        if (found == users.end()) return std::nullopt;
        return found->second;
    }
    [[nodiscard]] Result<std::optional<Client>> find_client(std::string_view id) const override {
        if (broken) return fail("the store cannot be read");
        const auto found = clients.find(std::string(id));
        if (found == clients.end()) return std::nullopt;
        return found->second;
    }
};

class AuthTest : public testing::Test {
  protected:
    AuthTest() {
        users_.users["admin"] = {hash_password("secret").value(), Role::administrator};
        auth_.install(router_);
        router_.add({.pattern = "/whoami"}, [](Request& request) -> Outcome {
            return Response::text(request.principal->user + " " + to_string(request.principal->roles, "and"));
        });
    }
    Response post(const std::string& path, const json& body) {
        BodyText text(body.dump());
        Request request;
        request.method = Method::post;
        request.path = path;
        request.peer = Ipv4Address::from_host(peer_);
        request.set_body(text);
        return run_to_end(router_.dispatch(request));
    }
    Response login(const std::string& user, const std::string& password) {
        return post("/api/token/", {{"username", user}, {"password", password}});
    }
    Response whoami(const std::string& authorization, const std::string& certificate = "") {
        Request request;
        request.path = "/whoami";
        request.certificate = certificate;
        if (!authorization.empty()) request.headers.add("authorization", authorization);
        return run_to_end(router_.dispatch(request));
    }
    static json body(const Response& response) { return json::parse(std::get<std::string>(response.body)); }

    TemporaryDirectory directory_;
    Users users_;
    Auth auth_ = Auth::open({.key_directory = directory_ / "keys"}, users_).value();
    Router router_;
    std::uint32_t peer_ = 1;
};

TEST_F(AuthTest, FromPasswordToAccess) {
    const auto response = login("admin", "secret");
    ASSERT_EQ(response.status, Status::ok);
    EXPECT_EQ(response.headers.get("Cache-Control"), "no-store");
    const auto tokens = body(response);
    EXPECT_EQ(tokens["expires_in"], 900);
    const auto answer = whoami("Bearer " + tokens["access"].get<std::string>());
    EXPECT_EQ(std::get<std::string>(answer.body), "admin administrator");
    // The second time it is known; the answer is the same.
    EXPECT_EQ(std::get<std::string>(whoami("bearer " + tokens["access"].get<std::string>()).body),
              "admin administrator");
}

TEST_F(AuthTest, WrongCredentialsAre401AndTellNothing) {
    const auto wrong = login("admin", "wrong");
    const auto unknown = login("nobody", "secret");
    EXPECT_EQ(wrong.status, Status::unauthorized);
    EXPECT_EQ(unknown.status, Status::unauthorized);
    EXPECT_EQ(std::get<std::string>(wrong.body), std::get<std::string>(unknown.body));
    EXPECT_EQ(wrong.headers.get("WWW-Authenticate"), "Bearer realm=\"rouse\"");
}

TEST_F(AuthTest, IncompleteCredentialsNameTheField) {
    const auto response = post("/api/token/", {{"username", "admin"}});
    EXPECT_EQ(response.status, Status::bad_request);
    EXPECT_EQ(body(response)["errors"][0]["pointer"], "/password");
}

TEST_F(AuthTest, GuessingIsSlowedDownPerPeer) {
    for (unsigned i = 0; i < LoginLimiter::kMaxFailures; ++i)
        EXPECT_EQ(login("admin", "guess").status, Status::unauthorized);
    const auto blocked = login("admin", "secret");
    EXPECT_EQ(blocked.status, Status::too_many_requests);
    EXPECT_GT(std::stoi(std::string(blocked.headers.get("Retry-After"))), 0);
    peer_ = 2;
    EXPECT_EQ(login("admin", "secret").status, Status::ok);
}

TEST_F(AuthTest, RefreshGivesANewAccessToken) {
    const auto tokens = body(login("admin", "secret"));
    users_.users["admin"].roles = Role::viewer;
    const auto refreshed = post("/api/token/refresh", {{"refresh", tokens["refresh"]}});
    ASSERT_EQ(refreshed.status, Status::ok);
    EXPECT_FALSE(body(refreshed).contains("refresh"));
    EXPECT_EQ(std::get<std::string>(whoami("Bearer " + body(refreshed)["access"].get<std::string>()).body),
              "admin viewer");
}

TEST_F(AuthTest, RefreshEndsWithThePasswordAndTheUser) {
    const auto tokens = body(login("admin", "secret"));
    const json request = {{"refresh", tokens["refresh"]}};
    EXPECT_EQ(post("/api/token/refresh/", {{"refresh", tokens["access"]}}).status, Status::unauthorized);
    users_.users["admin"].password_hash = hash_password("changed").value();
    EXPECT_EQ(post("/api/token/refresh/", request).status, Status::unauthorized);
    users_.users.clear();
    EXPECT_EQ(post("/api/token/refresh/", request).status, Status::unauthorized);
}

TEST_F(AuthTest, BadTokensAre401WithAChallenge) {
    const auto refresh = body(login("admin", "secret"))["refresh"].get<std::string>();
    for (const std::string& header :
         {std::string(), std::string("Basic YTpi"), std::string("Bearer"), std::string("Bearer ")})
        EXPECT_EQ(whoami(header).headers.get("WWW-Authenticate"), "Bearer realm=\"rouse\"") << header;
    for (const std::string& token : {std::string("x"), std::string("a.b.c"), refresh}) {
        const auto response = whoami("Bearer " + token);
        EXPECT_EQ(response.status, Status::unauthorized);
        EXPECT_EQ(response.headers.get("WWW-Authenticate"),
                  "Bearer realm=\"rouse\", error=\"invalid_token\"");
    }
}

TEST_F(AuthTest, AKnownTokenExpiresToo) {
    users_.users["short"] = users_.users["admin"];
    auto brief = Auth::open({.key_directory = directory_ / "keys",
                             .access_life = std::chrono::seconds(2),
                             .refresh_life = std::chrono::seconds(2)},
                            users_)
                     .value();
    Router router;
    brief.install(router);
    BodyText text(R"({"username":"short","password":"secret"})");
    Request request;
    request.method = Method::post;
    request.path = "/api/token/";
    request.set_body(text);
    const auto token = body(run_to_end(router.dispatch(request)))["access"].get<std::string>();
    Request use;
    use.headers.add("Authorization", "Bearer " + token);
    EXPECT_TRUE(brief.authenticate(use));
    std::this_thread::sleep_for(std::chrono::milliseconds(2100));
    EXPECT_EQ(brief.authenticate(use).error().detail, "the token has expired");
}

TEST_F(AuthTest, AStoreThatCannotBeReadIsNotAWrongPassword) {
    users_.broken = true;
    EXPECT_EQ(login("admin", "secret").status, Status::internal_server_error);
}

TEST_F(AuthTest, ADeletedUsersTokensEnd) {
    const auto token = "Bearer " + body(login("admin", "secret"))["access"].get<std::string>();
    EXPECT_EQ(whoami(token).status, Status::ok);
    const auto kept = users_.users["admin"];
    users_.users.clear();
    auth_.forget();
    EXPECT_EQ(whoami(token).status, Status::unauthorized);
    users_.users["admin"] = kept;
    EXPECT_EQ(whoami(token).status, Status::ok) << "a refusal is not remembered";
    users_.users["admin"].password_hash = hash_password("changed").value();
    auth_.forget();
    EXPECT_EQ(whoami(token).status, Status::unauthorized) << "the token dies with the password";
}

TEST_F(AuthTest, RolesThatWereTakenAwayCountNoMore) {
    users_.users["admin"].roles = {Role::operator_, Role::worker};
    const auto token = "Bearer " + body(login("admin", "secret"))["access"].get<std::string>();
    EXPECT_EQ(std::get<std::string>(whoami(token).body), "admin operator and worker");
    users_.users["admin"].roles = {Role::operator_, Role::administrator};
    auth_.forget();
    EXPECT_EQ(std::get<std::string>(whoami(token).body), "admin operator and worker")
        << "administrators are workers, and this token is no administrator's";
    users_.users["admin"].roles = Role::operator_;
    auth_.forget();
    EXPECT_EQ(std::get<std::string>(whoami(token).body), "admin operator");
    users_.users["admin"].roles = Role::viewer;
    auth_.forget();
    EXPECT_EQ(whoami(token).status, Status::unauthorized);
}

TEST_F(AuthTest, KeysRotateWhileTokensStayGood) {
    const auto token = "Bearer " + body(login("admin", "secret"))["access"].get<std::string>();
    const auto ask = [&](Method method, const char* path) {
        Request request;
        request.method = method;
        request.path = path;
        request.headers.add("Authorization", token);
        return run_to_end(router_.dispatch(request));
    };
    const auto before = body(ask(Method::get, "/api/token-keys/"));
    ASSERT_EQ(before.size(), 1U);
    const auto rotated = ask(Method::post, "/api/token-keys/rotate/");
    ASSERT_EQ(rotated.status, Status::ok);
    const auto after = body(rotated);
    ASSERT_EQ(after.size(), 2U);
    EXPECT_TRUE(after[0]["signs"]);
    EXPECT_EQ(after[1]["kid"], before[0]["kid"]);
    EXPECT_FALSE(after[1]["verifies_until"].is_null());
    auth_.forget();
    EXPECT_EQ(whoami(token).status, Status::ok);
    EXPECT_EQ(whoami("Bearer " + body(login("admin", "secret"))["access"].get<std::string>()).status,
              Status::ok);
    EXPECT_EQ(body(ask(Method::get, "/.well-known/jwks.json"))["keys"].size(), 2U);

    for (std::size_t keys = 3; keys <= KeyRing::kMost; ++keys)
        ASSERT_EQ(ask(Method::post, "/api/token-keys/rotate/").status, Status::ok);
    EXPECT_EQ(ask(Method::post, "/api/token-keys/rotate/").status, Status::conflict);
    EXPECT_EQ(body(ask(Method::get, "/api/token-keys/")).size(), KeyRing::kMost);
}

TEST_F(AuthTest, HashesForTheStore) {
    const auto hash = run_to_end(auth_.hash_password("new"));
    EXPECT_TRUE(verify_password("new", hash.value()));
}

}  // namespace
}  // namespace rouse::http
