// OAuth2 client credentials over the router: RFC 6749 4.4 and 5.2, RFC 8414, RFC 8705.

#include "mgmt/http/auth.hpp"
#include "mgmt/http/base64.hpp"
#include "mgmt/http/login_limiter.hpp"
#include "mgmt/http/password.hpp"
#include "mgmt/http/token.hpp"
#include "tests/unit/http/body_text.hpp"
#include "tests/unit/http/coroutine.hpp"
#include "tests/unit/http/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

namespace rouse::http {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

struct Clients final : UserStore {
    std::map<std::string, Client, std::less<>> clients;
    [[nodiscard]] Result<std::optional<User>> find(std::string_view) const override { return std::nullopt; }
    [[nodiscard]] Result<std::optional<Client>> find_client(std::string_view id) const override {
        const auto found = clients.find(id);
        if (found == clients.end()) return std::nullopt;
        return found->second;
    }
};

std::string base64(const std::string& text) {
    std::string out(4 * ((text.size() + 2) / 3), '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                    reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    return out;
}

class OauthTest : public testing::Test {
  protected:
    OauthTest() {
        clients_.clients["smo"] = {hash_secret(secret_), {Role::o2ims_reader, Role::o2ims_subscriber}, ""};
        clients_.clients["bound"] = {hash_secret(secret_), Role::worker, certificate_};
        auth_.install(router_);
        router_.add({.pattern = "/whoami", .access = Access::of({Role::o2ims_reader, Role::worker})},
                    [](Request& request) -> Outcome {
                        EXPECT_TRUE(request.principal->is_client);
                        return Response::text(request.principal->user + " " +
                                              to_string(request.principal->roles, "and"));
                    });
    }
    struct Asked {
        std::string form = "grant_type=client_credentials";
        std::string authorization = "";
        std::string certificate = "";
        std::string type = "application/x-www-form-urlencoded";
    };
    Response token(const Asked& asked) {
        BodyText text(asked.form);
        Request request;
        request.method = Method::post;
        request.path = "/api/oauth2/token";
        request.peer = Ipv4Address::from_host(++peer_);
        request.certificate = asked.certificate;
        request.headers.add("Content-Type", asked.type);
        if (!asked.authorization.empty()) request.headers.add("Authorization", asked.authorization);
        request.set_body(text);
        return run_to_end(router_.dispatch(request));
    }
    static json body(const Response& response) { return json::parse(std::get<std::string>(response.body)); }
    Response get(const std::string& path, const std::string& authorization = "",
                 const std::string& certificate = "") {
        Request request;
        request.path = path;
        request.is_tls = true;
        request.certificate = certificate;
        request.headers.add("Host", "rouse.example:30205");
        if (!authorization.empty()) request.headers.add("Authorization", authorization);
        return run_to_end(router_.dispatch(request));
    }
    [[nodiscard]] std::string basic(const std::string& id) const {
        return "Basic " + base64(id + ":" + secret_);
    }

    TemporaryDirectory directory_;
    std::string secret_ = make_secret();
    std::string certificate_ = base64url(std::string(32, 'c'));
    Clients clients_;
    Auth auth_ = Auth::open({.key_directory = directory_ / "keys"}, clients_).value();
    Router router_;
    std::uint32_t peer_ = 1;
};

TEST_F(OauthTest, SecretsAreRandomAndKeptAsHashes) {
    EXPECT_EQ(base64url_decode(secret_)->size(), 32U);
    EXPECT_NE(make_secret(), secret_);
    EXPECT_TRUE(verify_secret(secret_, hash_secret(secret_)));
    EXPECT_FALSE(verify_secret(secret_ + "x", hash_secret(secret_)));
    EXPECT_FALSE(verify_secret("", ""));
}

TEST_F(OauthTest, CredentialsBecomeATokenEitherWay) {
    for (const Asked& asked :
         {Asked{.authorization = basic("smo")},
          Asked{.form = "grant_type=client_credentials&client_id=smo&client_secret=" + secret_},
          Asked{.form = "grant_type=client_credentials&client_id=smo", .authorization = basic("smo")},
          Asked{.authorization = basic("smo"), .type = "application/x-www-form-urlencoded; charset=utf-8"}}) {
        const auto response = token(asked);
        ASSERT_EQ(response.status, Status::ok) << std::get<std::string>(response.body);
        EXPECT_EQ(response.headers.get("Cache-Control"), "no-store");
        const auto answer = body(response);
        EXPECT_EQ(answer["token_type"], "Bearer");
        EXPECT_EQ(answer["expires_in"], 900);
        EXPECT_EQ(answer["scope"], "o2ims-reader o2ims-subscriber");
        const auto who = get("/whoami", "Bearer " + answer["access_token"].get<std::string>());
        EXPECT_EQ(std::get<std::string>(who.body), "smo o2ims-reader and o2ims-subscriber");
    }
}

TEST_F(OauthTest, TheTokenIsAsRfc9068HasIt) {
    const auto access = body(token({.authorization = basic("smo")}))["access_token"].get<std::string>();
    const auto dot = access.find('.');
    const auto header = json::parse(*base64url_decode(access.substr(0, dot)));
    EXPECT_EQ(header["alg"], "ES256");
    const auto claims = json::parse(*base64url_decode(access.substr(dot + 1, access.rfind('.') - dot - 1)));
    EXPECT_EQ(claims["sub"], "smo");
    EXPECT_EQ(claims["client_id"], "smo");
    EXPECT_EQ(claims["preferred_username"], "smo");
    EXPECT_EQ(claims["aud"], "rouse");
    EXPECT_EQ(claims["roles"], json({"o2ims-reader", "o2ims-subscriber"}));
    for (const char* claim : {"iss", "iat", "exp", "jti"}) EXPECT_TRUE(claims.contains(claim)) << claim;
}

TEST_F(OauthTest, AScopeAsksForLess) {
    const auto less = token(
        {.form = "grant_type=client_credentials&scope=role%3Ao2ims-reader", .authorization = basic("smo")});
    EXPECT_EQ(body(less)["scope"], "o2ims-reader");
    const auto more = token({.form = "grant_type=client_credentials&scope=o2ims-reader+administrator",
                             .authorization = basic("smo")});
    EXPECT_EQ(more.status, Status::bad_request);
    EXPECT_EQ(body(more)["error"], "invalid_scope");
}

TEST_F(OauthTest, ErrorsAreThoseOfRfc6749) {
    struct Case {
        Asked asked;
        Status status;
        const char* error;
    };
    const std::string in_form = "grant_type=client_credentials&client_id=smo&client_secret=";
    for (const Case& wrong : {
             Case{{.form = "", .authorization = basic("smo")}, Status::bad_request, "invalid_request"},
             {{.form = "grant_type=password", .authorization = basic("smo")},
              Status::bad_request,
              "unsupported_grant_type"},
             {{.form = "grant_type=client_credentials&grant_type=client_credentials",
             .authorization = basic("smo")},
              Status::bad_request,
              "invalid_request"},
             {{.form = in_form + secret_, .authorization = basic("smo")},
              Status::bad_request,
              "invalid_request"},
             {{.authorization = basic("smo"), .type = "application/json"},
              Status::bad_request,
              "invalid_request"},
             {{.form = "grant_type=client_credentials&x=%zz"}, Status::bad_request, "invalid_request"},
             {{}, Status::unauthorized, "invalid_client"},
             {{.form = in_form + "wrong"}, Status::unauthorized, "invalid_client"},
             {{.form = "grant_type=client_credentials&client_id=smo"},
              Status::unauthorized,
              "invalid_client"},
             {{.authorization = basic("nobody")}, Status::unauthorized, "invalid_client"},
             {{.authorization = basic(std::string(101, 'x'))}, Status::unauthorized, "invalid_client"},
             {{.authorization = "Basic !!!!"}, Status::unauthorized, "invalid_client"},
             {{.authorization = "Basic " + base64("smo")}, Status::unauthorized, "invalid_client"},
             {{.authorization = "Bearer x"}, Status::unauthorized, "invalid_client"},
         }) {
        const auto response = token(wrong.asked);
        EXPECT_EQ(response.status, wrong.status) << wrong.asked.form << " " << wrong.asked.authorization;
        EXPECT_EQ(body(response)["error"], wrong.error) << wrong.asked.form << wrong.asked.authorization;
        EXPECT_FALSE(body(response).value("error_description", "").empty());
        if (wrong.status == Status::unauthorized) {
            EXPECT_THAT(std::string(response.headers.get("WWW-Authenticate")), StartsWith("Basic realm="));
        }
    }
    EXPECT_EQ(token({.form = std::string(100'000, 'x')}).status, Status::content_too_large);
}

TEST_F(OauthTest, GuessingSecretsIsSlowedDown) {
    const auto guess = [this] {
        --peer_;
        return token({.form = "grant_type=client_credentials&client_id=smo&client_secret=guess"}).status;
    };
    for (unsigned i = 0; i < LoginLimiter::kMaxFailures; ++i) EXPECT_EQ(guess(), Status::unauthorized);
    EXPECT_EQ(guess(), Status::too_many_requests);
}

TEST_F(OauthTest, ABoundTokenIsGoodWithItsCertificateAlone) {
    EXPECT_EQ(token({.authorization = basic("bound")}).status, Status::unauthorized);
    EXPECT_EQ(token({.authorization = basic("bound"), .certificate = base64url(std::string(32, 'd'))}).status,
              Status::unauthorized);
    for (const Asked& asked :
         {Asked{.authorization = basic("bound"), .certificate = certificate_},
          Asked{.form = "grant_type=client_credentials&client_id=bound", .certificate = certificate_}}) {
        const auto response = token(asked);
        ASSERT_EQ(response.status, Status::ok) << std::get<std::string>(response.body);
        const auto bearer = "Bearer " + body(response)["access_token"].get<std::string>();
        EXPECT_EQ(std::get<std::string>(get("/whoami", bearer, certificate_).body), "bound worker");
        for (const auto& other : {std::string(), base64url(std::string(32, 'd'))}) {
            const auto refused = get("/whoami", bearer, other);
            EXPECT_EQ(refused.status, Status::unauthorized);
            EXPECT_THAT(std::string(refused.headers.get("WWW-Authenticate")), HasSubstr("invalid_token"));
        }
    }
    EXPECT_EQ(token({.form = "grant_type=client_credentials&client_id=bound&client_secret=wrong",
                     .certificate = certificate_})
                  .status,
              Status::unauthorized)
        << "a secret that is sent must be right";
}

TEST_F(OauthTest, ADeletedClientsTokensEnd) {
    const auto bearer =
        "Bearer " + body(token({.authorization = basic("smo")}))["access_token"].get<std::string>();
    EXPECT_EQ(get("/whoami", bearer).status, Status::ok);
    clients_.clients["smo"].secret_hash = hash_secret("another");
    auth_.forget();
    EXPECT_EQ(get("/whoami", bearer).status, Status::unauthorized);
    clients_.clients.erase("smo");
    EXPECT_EQ(get("/whoami", bearer).status, Status::unauthorized);
}

TEST_F(OauthTest, MetadataNamesWhatIsThere) {
    const auto metadata = body(get("/.well-known/oauth-authorization-server"));
    EXPECT_EQ(metadata["issuer"], "https://rouse.example:30205");
    EXPECT_EQ(metadata["token_endpoint"], "https://rouse.example:30205/api/oauth2/token");
    EXPECT_EQ(metadata["jwks_uri"], "https://rouse.example:30205/.well-known/jwks.json");
    EXPECT_EQ(metadata["grant_types_supported"], json({"client_credentials"}));
    EXPECT_EQ(body(get("/.well-known/jwks.json"))["keys"].size(), 1U);
}

}  // namespace
}  // namespace rouse::http
