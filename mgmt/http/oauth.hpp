#pragma once
// OAuth2 client credentials (RFC 6749 4.4) as it is on the wire: the form that a client sends and the errors
// it gets. Who may have a token is decided in auth.cpp.

#include "mgmt/http/request.hpp"
#include "mgmt/http/response.hpp"
#include "mgmt/http/role.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

namespace rouse::http::oauth {

// An error response (RFC 6749 5.2), ready to be sent.
[[nodiscard]] Response error(std::string_view code, const std::string& description,
                             Status status = Status::bad_request);
// 401 invalid_client, with the challenge that RFC 6749 5.2 asks for.
[[nodiscard]] Response invalid_client(const std::string& description);

struct TokenRequest {
    std::string client;
    std::string secret;  // empty: none was sent, the client's certificate has to do
    std::string scope;
};

// Reads the form and the credentials in it or in the Authorization field (Basic). What is malformed is an
// error response; a body that is too large or breaks off is a Problem.
asio::awaitable<OrProblem<tl::expected<TokenRequest, Response>>> read(Request& request);

// Those of HELD that a scope asks for, each by its name or as O-RAN writes it, "role:o2ims-reader"; all when
// it asks for none. Nothing: it asks for more.
[[nodiscard]] std::optional<Roles> scoped(Roles held, std::string_view scope);
// The other way round.
[[nodiscard]] std::string scope(Roles roles);

// The authorization server's metadata (RFC 8414). ISSUER is its URL, without a slash at the end.
[[nodiscard]] nlohmann::json metadata(const std::string& issuer);

}  // namespace rouse::http::oauth
