#pragma once
// Logging in: password to tokens, refresh token to access token, access token to principal.

#include "mgmt/http/role.hpp"
#include "mgmt/http/router.hpp"
#include "shared/result.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

namespace rouse::http {

struct User {
    std::string password_hash;  // as hash_password() made it
    Roles roles;
};

// Where users are kept; called on any thread of the io_context.
class UserStore {
  public:
    virtual ~UserStore() = default;
    // Nothing when there is no such user; an error when the store cannot be read.
    [[nodiscard]] virtual Result<std::optional<User>> find(std::string_view username) const = 0;
};

struct AuthOptions {
    std::string key_file;  // ES256 private key, made at first start (0600)
    std::chrono::seconds access_life{900};
    std::chrono::seconds refresh_life{86400};
};

// Thread safe. It must go before the io_context that its callers run on.
class Auth {
  public:
    // USERS must outlive it.
    [[nodiscard]] static Result<Auth> open(const AuthOptions& options, const UserStore& users);
    Auth(Auth&&) noexcept;
    Auth& operator=(Auth&&) noexcept;
    ~Auth();

    // POST /api/token/ and POST /api/token/refresh/, and the router's authenticator. It must outlive the
    // router.
    void install(Router& router);

    // The principal of an "Authorization: Bearer" header, or a 401 with WWW-Authenticate (RFC 6750 3).
    [[nodiscard]] OrProblem<Principal> authenticate(const Request& request) const;

    // A password's hash for the UserStore, off the caller's thread: it takes a tenth of a second on purpose.
    asio::awaitable<Result<std::string>> hash_password(std::string password);

  private:
    class State;
    explicit Auth(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace rouse::http
