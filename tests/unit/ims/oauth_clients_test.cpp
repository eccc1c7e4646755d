#include "mgmt/http/base64.hpp"
#include "mgmt/http/password.hpp"
#include "tests/unit/ims/api_fixture.hpp"

namespace rouse::ims {
namespace {

class OauthClientsTest : public ApiTest {};

TEST_F(OauthClientsTest, TheSecretIsShownOnce) {
    const auto answer = post("/api/oauth-clients/", {{"client_id", "smo"}, {"roles", {"o2ims-reader"}}});
    ASSERT_EQ(answer.code, 201U) << answer.text;
    EXPECT_EQ(answer.headers.get("Cache-Control"), "no-store");
    const json made = answer.body();
    const std::string secret = made["client_secret"];
    EXPECT_EQ(http::base64url_decode(secret)->size(), 32U);
    const std::string here = path("/api/oauth-clients/", made);
    for (const auto& text :
         {get(here).text, get("/api/oauth-clients/").text, patch(here, {{"description", "the SMO"}}).text}) {
        EXPECT_EQ(text.find(secret), std::string::npos);
        EXPECT_EQ(text.find("secret"), std::string::npos);
    }
    const auto client = users_.find_client("smo");
    ASSERT_TRUE(client && *client);
    EXPECT_TRUE(http::verify_secret(secret, (*client)->secret_hash));
    EXPECT_EQ((*client)->roles, http::Roles(http::Role::o2ims_reader));
    EXPECT_FALSE(*users_.find_client("omo"));
}

TEST_F(OauthClientsTest, ARenewedSecretReplacesTheOldOne) {
    const json made = make("/api/oauth-clients/", {{"client_id", "smo"}, {"roles", {"o2ims-reader"}}});
    const auto renewed = call(Method::post, path("/api/oauth-clients/", made) + "renew-secret/");
    ASSERT_EQ(renewed.code, 200U) << renewed.text;
    const std::string secret = renewed.body()["client_secret"];
    EXPECT_TRUE(http::verify_secret(secret, (*users_.find_client("smo"))->secret_hash));
    EXPECT_FALSE(http::verify_secret(made["client_secret"].get<std::string>(),
                                     (*users_.find_client("smo"))->secret_hash));
    EXPECT_EQ(call(Method::post, "/api/oauth-clients/nothing/renew-secret/").code, 404U);
}

TEST_F(OauthClientsTest, ChangesAndDeletionCount) {
    const json made = make("/api/oauth-clients/", {{"client_id", "w1"}, {"roles", {"viewer"}}});
    const std::string here = path("/api/oauth-clients/", made);
    const std::string thumbprint = http::base64url(std::string(32, 'x'));
    EXPECT_EQ(patch(here, {{"roles", {"worker", "viewer"}}, {"certificate_thumbprint", thumbprint}}).code,
              200U);
    const auto client = users_.find_client("w1");
    EXPECT_EQ((*client)->roles, http::Roles(http::Role::worker, http::Role::viewer));
    EXPECT_EQ((*client)->certificate, thumbprint);
    EXPECT_TRUE(http::verify_secret(made["client_secret"].get<std::string>(), (*client)->secret_hash));
    EXPECT_EQ(remove(here).code, 204U);
    EXPECT_FALSE(*users_.find_client("w1"));
}

TEST_F(OauthClientsTest, BadInputNamesTheField) {
    make("/api/oauth-clients/", {{"client_id", "smo"}, {"roles", {"viewer"}}});
    struct Case {
        json body;
        unsigned code;
        const char* field;
    };
    for (const Case& wrong :
         {Case{{{"roles", {"viewer"}}}, 400, "/client_id"},
          {{{"client_id", "a"}}, 400, "/roles"},
          {{{"client_id", "a"}, {"roles", json::array()}}, 400, "/roles"},
          {{{"client_id", "a"}, {"roles", {"king"}}}, 400, "/roles/0"},
          {{{"client_id", "a:b"}, {"roles", {"viewer"}}}, 400, "/client_id"},
          {{{"client_id", "a"}, {"roles", {"viewer"}}, {"certificate_thumbprint", "ab:cd"}},
           400,
           "/certificate_thumbprint"},
          {{{"client_id", "smo"}, {"roles", {"viewer"}}}, 409, "/client_id"}}) {
        const auto answer = post("/api/oauth-clients/", wrong.body);
        EXPECT_EQ(answer.code, wrong.code) << answer.text;
        EXPECT_EQ(answer.wrong_field(), wrong.field) << answer.text;
    }
}

}  // namespace
}  // namespace rouse::ims
