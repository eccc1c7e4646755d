#pragma once
// Who sends a request: passwords and clients' credentials to tokens, tokens to principals.

#include "mgmt/http/key_ring.hpp"
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

// A program that has tokens of its own (OAuth2 client credentials).
struct Client {
    std::string secret_hash;  // as hash_secret() made it
    Roles roles;
    // x5t#S256 of the certificate that it must come with, to which its tokens are bound (RFC 8705); empty:
    // its secret is enough.
    std::string certificate;
};

// Where users and clients are kept; called on any thread of the io_context.
class UserStore {
  public:
    virtual ~UserStore() = default;
    // Nothing when there is no such user; an error when the store cannot be read.
    [[nodiscard]] virtual Result<std::optional<User>> find(std::string_view username) const = 0;
    [[nodiscard]] virtual Result<std::optional<Client>> find_client(std::string_view client_id) const = 0;
};

struct AuthOptions {
    std::string key_directory;    // of ES256 private keys, see KeyRing
    std::string former_key = {};  // a key file of builds that had one key
    std::chrono::seconds access_life{900};
    std::chrono::seconds refresh_life{86400};
    std::chrono::seconds key_age{30 * 86400};  // after which a new key signs; 0: only when it is asked for
};

// Thread safe. It must go before the io_context that its callers run on.
class Auth {
  public:
    // USERS must outlive it.
    [[nodiscard]] static Result<Auth> open(const AuthOptions& options, const UserStore& users);
    Auth(Auth&&) noexcept;
    Auth& operator=(Auth&&) noexcept;
    ~Auth();

    // Login, client credentials, keys and metadata (RFC 8414), and the router's authenticator. It must
    // outlive the router.
    void install(Router& router);

    // The principal of an "Authorization: Bearer" header, or a 401 with WWW-Authenticate (RFC 6750 3). What
    // was verified once is remembered until it expires.
    [[nodiscard]] OrProblem<Principal> authenticate(const Request& request) const;

    // To be called when users or clients were changed or deleted: every token is held against the store again
    // before it counts.
    void forget();

    // Changes the keys that are due; see KeyRing::tend(). Blocking.
    Result<bool> tend_keys();

    // A password's hash for the UserStore, off the caller's thread: it takes a tenth of a second on purpose.
    asio::awaitable<Result<std::string>> hash_password(std::string password);

  private:
    class State;
    explicit Auth(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace rouse::http
