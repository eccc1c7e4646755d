#include "mgmt/http/auth.hpp"

#include "mgmt/http/login_limiter.hpp"
#include "mgmt/http/password.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/http/token.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>
#include <spdlog/spdlog.h>

namespace rouse::http {
namespace {

using nlohmann::json;

const Schema kCredentials(
    "Credentials", "What a user logs in with",
    {
        string("username", "the user's name").required().length(1, 100),
        string("password", "the user's password").required().write_only().length(1, 1024),
    });
const Schema kRefresh("Refresh", "What a new access token is asked for with",
                      {string("refresh", "a refresh token").required().length(1, 4096)});
const Schema kTokens("Tokens", "Tokens for a user that has proven who it is",
                     {
                         string("access", "sent as \"Authorization: Bearer\"").read_only(),
                         string("refresh", "for a new access token; after a login only").read_only(),
                         integer("expires_in", "life of the access token in seconds").read_only(),
                     });

std::int64_t unix_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string sha256(std::string_view text) {
    std::string digest(SHA256_DIGEST_LENGTH, '\0');
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(digest.data()));
    return digest;
}

// Changes with the password and tells nothing about it: a refresh token dies with the password it came from.
std::string password_mark(const std::string& password_hash) {
    const std::string digest = sha256(password_hash);
    std::string out;
    for (std::size_t i = 0; i < 8; ++i) {
        const auto byte = static_cast<unsigned char>(digest[i]);
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
    }
    return out;
}

tl::unexpected<Problem> unauthorized(std::string detail, const std::string& error = "") {
    Problem problem{Status::unauthorized, std::move(detail), {}, {}};
    problem.headers.add("WWW-Authenticate",
                        "Bearer realm=\"rouse\"" + (error.empty() ? "" : ", error=\"" + error + "\""));
    return tl::unexpected(std::move(problem));
}

tl::unexpected<Problem> wait(Status status, std::string detail, std::int64_t seconds) {
    Problem problem{status, std::move(detail), {}, {}};
    problem.headers.add("Retry-After", std::to_string(seconds));
    return tl::unexpected(std::move(problem));
}

}  // namespace

class Auth::State {
  public:
    State(const AuthOptions& options, const UserStore& users, TokenKey key, std::string nobodys_hash)
        : options_(options), users_(users), key_(std::move(key)), nobodys_hash_(std::move(nobodys_hash)) {}

    asio::awaitable<Outcome> login(Request& request);
    [[nodiscard]] Outcome refresh(Request& request) const;
    OrProblem<Principal> authenticate(const Request& request);

    // Runs WORK on the hashing thread and comes back to the caller's. (Closures that own something are named
    // before a co_await takes them: GCC 12 destroys such temporaries twice.)
    template <typename F>
    asio::awaitable<std::invoke_result_t<F>> off_thread(F work) {
        auto there = [work = std::move(work)]() -> asio::awaitable<std::invoke_result_t<F>> {
            co_return work();
        };
        co_return co_await asio::co_spawn(hashing_, std::move(there), asio::use_awaitable);
    }

  private:
    static constexpr unsigned kMaxWaitingLogins = 32;
    static constexpr std::size_t kMaxKnownTokens = 4096;

    [[nodiscard]] Outcome tokens(const std::string& username, const User& user, bool with_refresh) const;

    AuthOptions options_;
    const UserStore& users_;
    TokenKey key_;
    std::string nobodys_hash_;  // verified against for users that do not exist, so that they take as long
    LoginLimiter limiter_;
    std::atomic<unsigned> waiting_ = 0;

    // A signature costs more to verify than most requests cost to answer.
    struct Known {
        Principal principal;
        std::int64_t expires = 0;
    };
    std::mutex mutex_;
    std::unordered_map<std::string, Known> known_;  // by the token's SHA-256

    asio::thread_pool hashing_{1};  // one, so that hashing takes 19 MiB at most; joined first
};

Outcome Auth::State::tokens(const std::string& username, const User& user, bool with_refresh) const {
    TokenClaims claims{username, user.roles, TokenUse::access, "", unix_now() + options_.access_life.count()};
    const auto access = key_.sign(claims);
    if (!access) return problem(Status::internal_server_error, access.error().message);
    json body = {{"access", *access}, {"expires_in", options_.access_life.count()}};
    if (with_refresh) {
        claims.use = TokenUse::refresh;
        claims.password_mark = password_mark(user.password_hash);
        claims.expires = unix_now() + options_.refresh_life.count();
        const auto refresh = key_.sign(claims);
        if (!refresh) return problem(Status::internal_server_error, refresh.error().message);
        body["refresh"] = *refresh;
    }
    auto response = Response::json(body);
    response.headers.add("Cache-Control", "no-store");  // RFC 6749 5.1
    return response;
}

asio::awaitable<Outcome> Auth::State::login(Request& request) {
    const auto username = request.json().at("username").get<std::string>();
    const auto password = request.json().at("password").get<std::string>();
    if (const auto blocked = limiter_.blocked_for(request.peer, LoginLimiter::Time::clock::now()))
        co_return wait(Status::too_many_requests, "too many failed logins from here; wait a little",
                       blocked->count());
    if (waiting_.load() >= kMaxWaitingLogins)
        co_return wait(Status::service_unavailable, "too many logins at once; try again", 1);

    const auto user = users_.find(username);
    if (!user) co_return problem(Status::internal_server_error, user.error().message);
    const std::string hash = *user ? (*user)->password_hash : nobodys_hash_;
    const auto verify = [password, hash] { return verify_password(password, hash); };
    ++waiting_;
    bool matches = false;
    try {
        matches = co_await off_thread(verify);
    } catch (...) {
        --waiting_;
        throw;
    }
    --waiting_;
    if (!*user || !matches) {
        limiter_.failed(request.peer, LoginLimiter::Time::clock::now());
        spdlog::warn("request {}: a login from {} failed", request.id, request.peer.to_string());
        co_return unauthorized("the user name or the password is wrong");
    }
    co_return tokens(username, **user, true);
}

Outcome Auth::State::refresh(Request& request) const {
    const auto& token = request.json().at("refresh").get_ref<const std::string&>();
    const auto claims = key_.verify(token, TokenUse::refresh, unix_now());
    if (!claims) return unauthorized(claims.error().message + "; log in again", "invalid_token");
    const auto user = users_.find(claims->user);
    if (!user) return problem(Status::internal_server_error, user.error().message);
    if (!*user || password_mark((*user)->password_hash) != claims->password_mark)
        return unauthorized("the user has gone or has a new password; log in again", "invalid_token");
    return tokens(claims->user, **user, false);
}

OrProblem<Principal> Auth::State::authenticate(const Request& request) {
    const auto header = request.headers.get("Authorization");
    constexpr std::string_view kScheme = "Bearer ";
    if (header.size() <= kScheme.size() || !equal_ignoring_case(header.substr(0, kScheme.size()), kScheme))
        return unauthorized(
            "this needs an access token: POST a username and password to /api/token/, then send "
            "\"Authorization: Bearer <access>\"");
    const auto token = header.substr(kScheme.size());
    const std::string digest = sha256(token);
    const auto now = unix_now();
    {
        const std::lock_guard lock(mutex_);
        const auto known = known_.find(digest);
        if (known != known_.end() && known->second.expires > now) return known->second.principal;
    }
    auto claims = key_.verify(token, TokenUse::access, now);
    if (!claims) return unauthorized(claims.error().message, "invalid_token");
    Principal principal{std::move(claims->user), claims->roles};
    const std::lock_guard lock(mutex_);
    if (known_.size() >= kMaxKnownTokens) known_.clear();
    known_.insert_or_assign(digest, Known{principal, claims->expires});
    return principal;
}

Result<Auth> Auth::open(const AuthOptions& options, const UserStore& users) {
    auto key = TokenKey::open(options.key_file);
    if (!key) return tl::unexpected(key.error());
    auto nobodys_hash = http::hash_password("a password that nobody has");
    if (!nobodys_hash) return tl::unexpected(nobodys_hash.error());
    return Auth(std::make_unique<State>(options, users, std::move(*key), std::move(*nobodys_hash)));
}

Auth::Auth(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Auth::Auth(Auth&&) noexcept = default;
Auth& Auth::operator=(Auth&&) noexcept = default;
Auth::~Auth() = default;

void Auth::install(Router& router) {
    State* state = state_.get();
    router.authenticate_with([state](const Request& request) { return state->authenticate(request); });
    Route login{Method::post, "/api/token/",  Access::anyone(), "Tokens",
                "Log in",     BodyKind::json, &kCredentials,    &kTokens};
    router.add(std::move(login), Handler([state](Request& request) { return state->login(request); }));
    Route refresh{Method::post,
                  "/api/token/refresh/",
                  Access::anyone(),
                  "Tokens",
                  "Get a new access token",
                  BodyKind::json,
                  &kRefresh,
                  &kTokens};
    router.add(std::move(refresh), [state](Request& request) { return state->refresh(request); });
}

OrProblem<Principal> Auth::authenticate(const Request& request) const {
    return state_->authenticate(request);
}

asio::awaitable<Result<std::string>> Auth::hash_password(std::string password) {
    const auto hash = [password = std::move(password)] { return http::hash_password(password); };
    co_return co_await state_->off_thread(hash);
}

}  // namespace rouse::http
