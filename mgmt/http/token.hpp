#pragma once
// Access and refresh tokens: JWT signed with ES256 (RFC 7519, RFC 7518 3.4), nothing else accepted.

#include "mgmt/http/role.hpp"
#include "shared/result.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace rouse::http {

enum class TokenUse : std::uint8_t { access, refresh };

struct TokenClaims {
    std::string user;  // sub, preferred_username
    Roles roles;       // roles, and role: the foremost; as they were when the token was made
    TokenUse use = TokenUse::access;
    // pwm, changes with the password or the client's secret: the token dies with what it was got by.
    std::string password_mark;
    std::int64_t expires = 0;  // exp, seconds since 1970
    bool is_client = false;    // client_id (RFC 9068): an OAuth2 client's and no user's
    // cnf x5t#S256 (RFC 8705): of the only certificate that it may be used with; empty: with any or none
    std::string certificate = {};
};

// Thread safe once opened.
class TokenKey {
  public:
    // Reads the P-256 private key (PEM), or makes one and keeps it there with mode 0600. An existing file
    // that others may read is refused.
    [[nodiscard]] static Result<TokenKey> open(const std::string& path);
    TokenKey(TokenKey&&) noexcept;
    TokenKey& operator=(TokenKey&&) noexcept;
    ~TokenKey();

    [[nodiscard]] const std::string& id() const noexcept;  // kid: from the public key's SHA-256
    [[nodiscard]] nlohmann::json jwk() const;              // the public half (RFC 7517, RFC 7518 6.2.1)
    [[nodiscard]] Result<std::string> sign(const TokenClaims& claims) const;
    // The claims of a token that this key signed and that has not expired at NOW (seconds since 1970); the
    // error says why not, without secrets.
    [[nodiscard]] Result<TokenClaims> verify(std::string_view token, TokenUse use, std::int64_t now) const;

  private:
    struct State;
    explicit TokenKey(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace rouse::http
