#include "mgmt/http/oauth.hpp"

#include "mgmt/http/base64.hpp"
#include "mgmt/http/uri.hpp"

#include <array>
#include <set>

#include <nlohmann/json.hpp>

namespace rouse::http::oauth {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxForm = 16 * 1024;
constexpr std::size_t kMaxClientId = 100;  // as clients are registered

asio::awaitable<OrProblem<std::string>> read_form(Request& request) {
    std::string text;
    std::array<std::byte, 4096> chunk;
    for (;;) {
        const auto n = co_await request.read_some(chunk);
        if (!n) co_return tl::unexpected(n.error());
        if (*n == 0) co_return text;
        if (*n > kMaxForm - text.size())
            co_return problem(Status::content_too_large,
                              "the form is larger than " + std::to_string(kMaxForm) + " bytes");
        text.append(reinterpret_cast<const char*>(chunk.data()), *n);
    }
}

bool is_form(std::string_view content_type) {
    auto type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    return equal_ignoring_case(type, "application/x-www-form-urlencoded");
}

// "Basic" credentials, each part form-encoded before they were joined (RFC 6749 2.3.1).
tl::expected<void, Response> take_basic(std::string_view header, TokenRequest& out) {
    constexpr std::string_view kScheme = "Basic ";
    if (header.empty()) return {};
    if (!equal_ignoring_case(header.substr(0, kScheme.size()), kScheme))
        return tl::unexpected(invalid_client("the Authorization field takes the Basic scheme here"));
    const auto pair = base64_decode(header.substr(kScheme.size()));
    const auto colon = pair ? pair->find(':') : std::string::npos;
    const auto client = percent_decode(colon == std::string::npos ? "%" : pair->substr(0, colon), true);
    const auto secret = percent_decode(colon == std::string::npos ? "%" : pair->substr(colon + 1), true);
    if (!client || !secret || client->empty() || secret->empty())
        return tl::unexpected(
            invalid_client("the Authorization field does not hold a client_id and its secret in Base64"));
    if (!out.secret.empty() || (!out.client.empty() && out.client != *client))
        return tl::unexpected(error("invalid_request",
                                    "the client's credentials belong in the Authorization field or in the "
                                    "form, not in both"));
    out.client = *client;
    out.secret = *secret;
    return {};
}

tl::expected<TokenRequest, Response> parse(const Request& request, std::string_view text) {
    const auto invalid = [](const std::string& why) { return tl::unexpected(error("invalid_request", why)); };
    if (!is_form(request.headers.get("Content-Type")))
        return invalid("the request's Content-Type must be application/x-www-form-urlencoded");
    const auto form = Query::parse(text);
    if (!form) return invalid("the form is malformed: it must be URL-encoded UTF-8");
    std::set<std::string_view> seen;
    for (const auto& [name, value] : form->pairs())
        if (!seen.insert(name).second) return invalid("the parameter " + name + " appears twice");
    const auto value = [&form](std::string_view name) { return std::string(form->find(name).value_or("")); };
    const std::string grant_type = value("grant_type");
    if (grant_type.empty()) return invalid("the parameter grant_type is missing; send client_credentials");
    if (grant_type != "client_credentials")
        return tl::unexpected(error("unsupported_grant_type", "the only grant type is client_credentials"));
    TokenRequest out{value("client_id"), value("client_secret"), value("scope")};
    if (auto taken = take_basic(request.headers.get("Authorization"), out); !taken)
        return tl::unexpected(std::move(taken.error()));
    if (out.client.empty())
        return tl::unexpected(invalid_client(
            "the client's credentials are missing: send them by HTTP Basic or as client_id and "
            "client_secret"));
    if (out.client.size() > kMaxClientId)
        return tl::unexpected(
            invalid_client("a client_id has at most " + std::to_string(kMaxClientId) + " bytes"));
    return out;
}

}  // namespace

Response error(std::string_view code, const std::string& description, Status status) {
    auto response = Response::json({{"error", code}, {"error_description", description}}, status);
    response.headers.add("Cache-Control", "no-store");
    return response;
}

Response invalid_client(const std::string& description) {
    auto response = error("invalid_client", description, Status::unauthorized);
    response.headers.add("WWW-Authenticate", "Basic realm=\"rouse\", charset=\"UTF-8\"");
    return response;
}

asio::awaitable<OrProblem<tl::expected<TokenRequest, Response>>> read(Request& request) {
    const auto text = co_await read_form(request);
    if (!text) co_return tl::unexpected(text.error());
    co_return parse(request, *text);
}

std::optional<Roles> scoped(Roles held, std::string_view scope) {
    Roles asked;
    while (!scope.empty()) {
        const auto end = std::min(scope.find(' '), scope.size());
        auto word = scope.substr(0, end);
        scope.remove_prefix(std::min(end + 1, scope.size()));
        if (word.empty()) continue;
        if (word.starts_with("role:")) word.remove_prefix(5);
        const auto role = parse_role(word);
        if (!role || !allows(held, *role)) return std::nullopt;
        asked.add(*role);
    }
    return asked.empty() ? held : asked;
}

std::string scope(Roles roles) {
    std::string out;
    for (const auto& name : roles.names()) out += (out.empty() ? "" : " ") + name;
    return out;
}

json metadata(const std::string& issuer) {
    return {{"issuer", issuer},
            {"token_endpoint", issuer + "/api/oauth2/token"},
            {"jwks_uri", issuer + "/.well-known/jwks.json"},
            {"service_documentation", issuer + "/docs"},
            {"grant_types_supported", {"client_credentials"}},
            {"response_types_supported", json::array()},
            {"scopes_supported", kRoleNames},
            {"token_endpoint_auth_methods_supported",
             {"client_secret_basic", "client_secret_post", "self_signed_tls_client_auth"}},
            {"tls_client_certificate_bound_access_tokens", true}};
}

}  // namespace rouse::http::oauth
