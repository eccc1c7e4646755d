// /api/oauth-clients/: programs that get tokens of their own (an SMO, a worker, a script).

#include "mgmt/http/base64.hpp"
#include "mgmt/http/password.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/users.hpp"
#include "mgmt/ims/words.hpp"

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using nlohmann::json;

namespace {

constexpr const char* kSecret = "_secret";  // on its way from prepare() to the answer, never stored

bool is_client_id(std::string_view text) {
    constexpr std::string_view kAllowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@";
    return text.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool is_thumbprint(std::string_view text) {
    const auto bytes = http::base64url_decode(text);
    return text.empty() || (bytes && bytes->size() == 32);
}

const http::Schema& client_schema() {
    static const http::Schema schema(
        "OauthClient", "A program that gets tokens by client credentials (RFC 6749 4.4)",
        {http::uuid("id", "identifies the client's registration").read_only(),
         http::string("client_id", "unique; what it says it is")
             .length(1, 100)
             .check(is_client_id, "must consist of letters, digits and - _ . @")
             .required(),
         http::string("client_secret", "made here, shown once: in the answer to its creation or renewal")
             .read_only(),
         http::string("description", "for people").default_to(""),
         http::array(http::choice("roles", "what the client may do", words(http::kRoleNames)))
             .items(1, http::kRoleNames.size())
             .required(),
         http::string("certificate_thumbprint",
                      "of the certificate that it must come with and that its tokens are bound to "
                      "(x5t#S256, RFC 8705): SHA-256 of the DER form in base64url")
             .check(is_thumbprint, "must be a SHA-256 in base64url: 43 characters")
             .default_to(""),
         http::timestamp("created_at", "when it was made").read_only(),
         http::timestamp("updated_at", "when it last changed").read_only()});
    return schema;
}

Resource clients(const Services& services) {
    Resource resource{.paths = {"/api/oauth-clients"},
                      .tag = "Users",
                      .collection = kOauthClients,
                      .schema = client_schema(),
                      .reads = http::Role::administrator,
                      .writes = http::Role::administrator,
                      .indexed = {{"client_id", &kOauthClientByClientId}}};
    resource.prepare = [](json fields) -> boost::asio::awaitable<http::OrProblem<json>> {
        fields[kSecret] = http::make_secret();
        co_return fields;
    };
    resource.create = [](Batch& batch, json fields) {
        fields[kSecretHash] = http::hash_secret(fields[kSecret].get<std::string>());
        fields.erase(kSecret);
        return insert(batch, kOauthClients, std::move(fields));
    };
    resource.change = [](Batch& batch, const Document& current, json fields) {
        fields.erase(kSecret);
        return update(batch, kOauthClients, Document{current.id, current.revision, std::move(fields)});
    };
    resource.remove = [](Batch& batch, const Document& current, bool) -> Outcome<void> {
        if (auto erased = erase(batch, kOauthClients, current.id); !erased) return pass_on(erased.error());
        return {};
    };
    resource.reveal = [](const json& prepared, json& answer) { answer["client_secret"] = prepared[kSecret]; };
    resource.committed = [&auth = services.auth] { auth.forget(); };
    return resource;
}

boost::asio::awaitable<http::Outcome> renew_secret(const Services& services, const http::Request& request) {
    const std::string secret = http::make_secret();
    const std::string& id = request.parameter("id");
    const auto renewed = co_await services.change(request, [&](Batch& batch) -> Outcome<Document> {
        auto client = require(batch, kOauthClients, id);
        if (!client) return pass_on(client.error());
        client->fields[kSecretHash] = http::hash_secret(secret);
        return update(batch, kOauthClients, std::move(*client));
    });
    if (!renewed) co_return refused(renewed.error());
    services.auth.forget();
    json out = visible(renewed->fields);
    out["client_secret"] = secret;
    auto response = http::Response::json(out);
    response.headers.set("Cache-Control", "no-store");
    co_return response;
}

}  // namespace

void add_oauth_clients(http::Router& router, const Services& services) {
    add_resource(router, services, clients(services));
    router.add({.method = http::Method::post,
                .pattern = "/api/oauth-clients/{id}/renew-secret/",
                .access = http::Access::of(http::Role::administrator),
                .tag = "Users",
                .summary = "Give a client a new secret; the old one and its tokens are void at once",
                .response = &client_schema()},
               http::Handler([services](http::Request& request) { return renew_secret(services, request); }));
}

}  // namespace rouse::ims
