// Secrets are neither logged nor returned: everything that a busy day says is searched for them.

#include "tests/unit/server/server_fixture.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace rouse::mgmt {
namespace {

class Secrets : public ServerTest {
  protected:
    Secrets() {
        spdlog::set_default_logger(
            std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
        spdlog::set_level(spdlog::level::trace);
    }
    ~Secrets() override { spdlog::set_default_logger(before_); }

    Answer tell(Answer answer) {
        said_ += answer.text;
        for (const auto& [name, value] : answer.headers) said_ += name + ": " + value + "\n";
        return answer;
    }

    std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
    std::ostringstream log_;
    std::string said_;
};

TEST_F(Secrets, AreNeitherLoggedNorReturned) {
    std::map<std::string, std::string> secrets;  // what it is, by what it looks like
    secrets["the administrator's password"] = admin_password_;
    secrets["a password"] = "a-password-of-bob";
    secrets["a new password"] = "another-password-of-bob";
    secrets["a wrong password"] = "a-guess-at-bobs";
    secrets["a password's hash"] = "$argon2id$";
    secrets["a private key"] = "PRIVATE KEY";

    const auto bob =
        tell(post("/api/users/",
                  {{"username", "bob"}, {"password", secrets["a password"]}, {"role", "viewer"}}, admin_));
    ASSERT_EQ(bob.code, 201U) << bob.text;
    const std::string bobs_path = "/api/users/" + bob.body()["id"].get<std::string>() + "/";
    ASSERT_EQ(
        tell(ask(Method::patch, bobs_path, admin_, json{{"password", secrets["a new password"]}}.dump()))
            .code,
        200U);
    EXPECT_EQ(
        tell(post("/api/token/", {{"username", "bob"}, {"password", secrets["a wrong password"]}}, "")).code,
        401U);
    EXPECT_EQ(tell(post("/api/token/", {{"username", secrets["a wrong password"]}}, "")).code, 400U);
    const auto tokens =
        post("/api/token/", {{"username", "bob"}, {"password", secrets["a new password"]}}, "").body();
    secrets["an access token"] = tokens["access"];
    secrets["a refresh token"] = tokens["refresh"];
    secrets["the administrator's token"] = admin_.substr(7);

    const auto made =
        post("/api/oauth-clients/", {{"client_id", "smo"}, {"roles", {"o2ims-reader"}}}, admin_);
    ASSERT_EQ(made.code, 201U) << made.text;
    secrets["a client's secret"] = made.body()["client_secret"];
    const auto granted =
        ask(Method::post, "/api/oauth2/token", "",
            "grant_type=client_credentials&client_id=smo&client_secret=" + secrets["a client's secret"],
            "application/x-www-form-urlencoded");
    ASSERT_EQ(granted.code, 200U) << granted.text;
    secrets["a client's token"] = granted.body()["access_token"];
    const std::string clients_path = "/api/oauth-clients/" + made.body()["id"].get<std::string>();
    const auto renewed = ask(Method::post, clients_path + "/renew-secret/", admin_);
    ASSERT_EQ(renewed.code, 200U) << renewed.text;
    secrets["a client's new secret"] = renewed.body()["client_secret"];
    tell(ask(Method::patch, clients_path + "/", admin_, R"({"description": "the SMO"})"));
    tell(ask(Method::post, "/api/token-keys/rotate/", admin_));
    tell(ask(Method::get, "/api/machines/", "Bearer " + secrets["an access token"] + "x"));
    tell(ask(Method::delete_, bobs_path, "Bearer " + secrets["an access token"]));

    // Everything that can be read without a parameter, and the objects that were made.
    for (const auto& route : server_->api().routes())
        if (route.method == Method::get && route.pattern.find('{') == std::string::npos)
            tell(ask(Method::get, path_of(route.pattern), admin_));
    tell(ask(Method::get, bobs_path, admin_));
    tell(ask(Method::get, clients_path, admin_));

    EXPECT_THAT(said_, testing::HasSubstr("\"refused\"")) << "the audit log was among it";
    EXPECT_THAT(log_.str(), testing::HasSubstr("a login from 127.0.0.1 failed"));
    for (const auto& [what, secret] : secrets) {
        ASSERT_GE(secret.size(), 8U) << what;
        EXPECT_EQ(log_.str().find(secret), std::string::npos) << what << " is in the log";
        EXPECT_EQ(said_.find(secret), std::string::npos) << what << " is in an answer";
    }
}

}  // namespace
}  // namespace rouse::mgmt
