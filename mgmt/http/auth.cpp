#include "mgmt/http/auth.hpp"

#include "mgmt/http/digest.hpp"
#include "mgmt/http/known_tokens.hpp"
#include "mgmt/http/login_limiter.hpp"
#include "mgmt/http/oauth.hpp"
#include "mgmt/http/password.hpp"
#include "mgmt/http/schema.hpp"

#include <array>
#include <atomic>
#include <ctime>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
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

const Schema kKey("TokenKey", "A key that tokens are or were signed with",
                  {
                      string("kid", "as in the tokens' header and in /.well-known/jwks.json").read_only(),
                      boolean("signs", "true for the one that new tokens are signed with").read_only(),
                      timestamp("made_at", "when it was made").read_only(),
                      timestamp("verifies_until",
                                "when the last token that it signed has expired; null: it signs")
                          .read_only(),
                  });

std::string to_timestamp(std::int64_t moment) {
    const std::time_t seconds = moment;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

std::int64_t unix_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// Changes with the password and tells nothing about it: a token dies with the password it came from.
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
    State(const AuthOptions& options, const UserStore& users, KeyRing keys, std::string nobodys_hash)
        : options_(options), users_(users), keys_(std::move(keys)), nobodys_hash_(std::move(nobodys_hash)) {}

    asio::awaitable<Outcome> login(Request& request);
    [[nodiscard]] Outcome refresh(Request& request) const;
    asio::awaitable<Outcome> grant(Request& request);
    OrProblem<Principal> authenticate(const Request& request);
    [[nodiscard]] Outcome list_keys() const;
    asio::awaitable<Outcome> rotate_keys(const Request& request);
    [[nodiscard]] Outcome metadata(const Request& request) const;
    [[nodiscard]] KeyRing& keys() noexcept { return keys_; }
    [[nodiscard]] KnownTokens& known() noexcept { return known_; }

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

    [[nodiscard]] OrProblem<Principal> principal(const TokenClaims& claims) const;
    [[nodiscard]] Outcome tokens(const std::string& username, const User& user, bool with_refresh) const;

    AuthOptions options_;
    const UserStore& users_;
    KeyRing keys_;
    std::string nobodys_hash_;  // verified against for users that do not exist, so that they take as long
    LoginLimiter limiter_;
    std::atomic<unsigned> waiting_ = 0;

    KnownTokens known_;
    asio::thread_pool hashing_{1};  // one, so that hashing takes 19 MiB at most; joined first
};

Outcome Auth::State::tokens(const std::string& username, const User& user, bool with_refresh) const {
    TokenClaims claims{username, user.roles, TokenUse::access, password_mark(user.password_hash),
                       unix_now() + options_.access_life.count()};
    const auto access = keys_.sign(claims);
    if (!access) return problem(Status::internal_server_error, access.error().message);
    json body = {{"access", *access}, {"expires_in", options_.access_life.count()}};
    if (with_refresh) {
        claims.use = TokenUse::refresh;
        claims.expires = unix_now() + options_.refresh_life.count();
        const auto refresh = keys_.sign(claims);
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
    request.claimed = username;
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
    const auto claims = keys_.verify(token, TokenUse::refresh, unix_now());
    if (!claims) return unauthorized(claims.error().message + "; log in again", "invalid_token");
    request.claimed = claims->user;
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
    auto known = known_.find(digest, now);
    if (!known) {
        const auto epoch = known_.epoch();
        const auto claims = keys_.verify(token, TokenUse::access, now);
        if (!claims) return unauthorized(claims.error().message, "invalid_token");
        auto whose = principal(*claims);
        if (!whose) return tl::unexpected(whose.error());
        known.emplace(std::move(*whose), claims->certificate, claims->expires);
        known_.add(digest, *known, epoch);
    }
    if (!known->certificate.empty() && known->certificate != request.certificate)
        return unauthorized("the token is bound to a client certificate that this connection does not have",
                            "invalid_token");
    return std::move(known->principal);
}

// Whose token with CLAIMS is by now: of somebody who is still there, with the roles that are left.
OrProblem<Principal> Auth::State::principal(const TokenClaims& claims) const {
    Roles left;
    std::string mark;
    if (claims.is_client) {
        const auto client = users_.find_client(claims.user);
        if (!client) return problem(Status::internal_server_error, client.error().message);
        if (!*client) return unauthorized("the client has been deleted", "invalid_token");
        if ((*client)->certificate != claims.certificate)
            return unauthorized("the client has another certificate now; get a new token", "invalid_token");
        left = (*client)->roles;
        mark = password_mark((*client)->secret_hash);
    } else {
        const auto user = users_.find(claims.user);
        if (!user) return problem(Status::internal_server_error, user.error().message);
        if (!*user) return unauthorized("the user has been deleted", "invalid_token");
        left = (*user)->roles;
        mark = password_mark((*user)->password_hash);
    }
    left = left.with_included() & claims.roles;
    if (mark != claims.password_mark || left.empty())
        return unauthorized("the password, the secret or the roles have changed; log in again",
                            "invalid_token");
    return Principal{claims.user, left, claims.is_client};
}

namespace {

// A client that is registered with a certificate has proven by the handshake that it has its key.
bool proves(const Client& client, const oauth::TokenRequest& asked, const std::string& certificate) {
    if (!asked.secret.empty() && !verify_secret(asked.secret, client.secret_hash)) return false;
    if (!client.certificate.empty()) return client.certificate == certificate;
    return !asked.secret.empty();
}

}  // namespace

asio::awaitable<Outcome> Auth::State::grant(Request& request) {
    const auto read = co_await oauth::read(request);
    if (!read) co_return tl::unexpected(read.error());
    if (!*read) co_return read->error();
    const oauth::TokenRequest& asked = **read;
    request.claimed = asked.client;
    if (const auto blocked = limiter_.blocked_for(request.peer, LoginLimiter::Time::clock::now()))
        co_return wait(Status::too_many_requests, "too many failed logins from here; wait a little",
                       blocked->count());
    const auto client = users_.find_client(asked.client);
    if (!client) co_return problem(Status::internal_server_error, client.error().message);
    if (!*client || !proves(**client, asked, request.certificate)) {
        limiter_.failed(request.peer, LoginLimiter::Time::clock::now());
        spdlog::warn("request {}: a client's login from {} failed", request.id, request.peer.to_string());
        co_return oauth::invalid_client(
            "the client is not known, or its secret is wrong, or it is registered with a certificate and "
            "came without it");
    }
    const auto roles = oauth::scoped((*client)->roles, asked.scope);
    if (!roles)
        co_return oauth::error("invalid_scope",
                               "the client may ask for " + oauth::scope((*client)->roles.with_included()));
    const TokenClaims claims{.user = asked.client,
                             .roles = *roles,
                             .use = TokenUse::access,
                             .password_mark = password_mark((*client)->secret_hash),
                             .expires = unix_now() + options_.access_life.count(),
                             .is_client = true,
                             .certificate = (*client)->certificate};
    const auto token = keys_.sign(claims);
    if (!token) co_return problem(Status::internal_server_error, token.error().message);
    auto response = Response::json({{"access_token", *token},
                                    {"token_type", "Bearer"},
                                    {"expires_in", options_.access_life.count()},
                                    {"scope", oauth::scope(*roles)}});
    response.headers.add("Cache-Control", "no-store");
    co_return response;
}

Outcome Auth::State::list_keys() const {
    json out = json::array();
    for (const auto& key : keys_.keys()) {
        const bool signs = key.verifies_until == 0;
        out.push_back({{"kid", key.id},
                       {"signs", signs},
                       {"made_at", to_timestamp(key.made)},
                       {"verifies_until", signs ? json() : json(to_timestamp(key.verifies_until))}});
    }
    return Response::json(out);
}

asio::awaitable<Outcome> Auth::State::rotate_keys(const Request& request) {
    if (keys_.keys().size() >= KeyRing::kMost)
        co_return problem(Status::conflict,
                          "there are " + std::to_string(KeyRing::kMost) +
                              " keys already, which still verify tokens; wait until some have expired");
    const auto rotate = [this] { return keys_.rotate(unix_now()); };
    const auto rotated = co_await off_thread(rotate);
    if (!rotated) co_return problem(Status::insufficient_storage, rotated.error().message);
    spdlog::info("request {}: {} rotated the token key", request.id, request.principal->user);
    co_return list_keys();
}

Outcome Auth::State::metadata(const Request& request) const {
    const auto host = request.headers.get("Host");
    if (host.empty()) return problem(Status::bad_request, "the request has no Host field");
    return Response::json(oauth::metadata((request.is_tls ? "https://" : "http://") + std::string(host)));
}

Result<Auth> Auth::open(const AuthOptions& options, const UserStore& users) {
    auto keys = KeyRing::open({.directory = options.key_directory,
                               .former_key = options.former_key,
                               .token_life = std::max(options.access_life, options.refresh_life),
                               .max_age = options.key_age},
                              unix_now());
    if (!keys) return tl::unexpected(keys.error());
    auto nobodys_hash = http::hash_password("a password that nobody has");
    if (!nobodys_hash) return tl::unexpected(nobodys_hash.error());
    return Auth(std::make_unique<State>(options, users, std::move(*keys), std::move(*nobodys_hash)));
}

Auth::Auth(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Auth::Auth(Auth&&) noexcept = default;
Auth& Auth::operator=(Auth&&) noexcept = default;
Auth::~Auth() = default;

void Auth::install(Router& router) {
    State* state = state_.get();
    router.authenticate_with([state](const Request& request) { return state->authenticate(request); });
    const auto route = [](Method method, const char* pattern, const char* summary,
                          std::vector<std::string> answer = {}) {
        return Route{.method = method,
                     .pattern = pattern,
                     .access = Access::anyone(),
                     .tag = "Tokens",
                     .summary = summary,
                     .answer_media = std::move(answer)};
    };
    Route login = route(Method::post, "/api/token/", "Log in");
    login.body = BodyKind::json;
    login.request = &kCredentials;
    login.response = &kTokens;
    router.add(std::move(login), Handler([state](Request& request) { return state->login(request); }));
    Route refresh = route(Method::post, "/api/token/refresh/", "Get a new access token");
    refresh.body = BodyKind::json;
    refresh.request = &kRefresh;
    refresh.response = &kTokens;
    router.add(std::move(refresh), [state](Request& request) { return state->refresh(request); });
    Route grant =
        route(Method::post, "/api/oauth2/token",
              "Get an access token with a client's credentials (RFC 6749 4.4)", {"application/json"});
    grant.body = BodyKind::stream;
    grant.media = {"application/x-www-form-urlencoded"};
    router.add(std::move(grant), Handler([state](Request& request) { return state->grant(request); }));
    router.add(route(Method::get, "/.well-known/oauth-authorization-server",
                     "What OAuth2 clients need to know of this server (RFC 8414)", {"application/json"}),
               [state](Request& request) { return state->metadata(request); });
    router.add(route(Method::get, "/.well-known/jwks.json", "The keys that verify tokens (RFC 7517)",
                     {"application/json"}),
               [state](Request&) -> Outcome { return Response::json(state->keys().jwks()); });

    Route keys = route(Method::get, "/api/token-keys/", "List: each key that tokens are verified with");
    keys.access = Access::of(Role::administrator);
    keys.response = &kKey;
    keys.response_is_list = true;
    router.add(keys, [state](Request&) { return state->list_keys(); });
    keys.method = Method::post;
    keys.pattern = "/api/token-keys/rotate/";
    keys.summary = "Sign with a new key from now on; old tokens stay good until they expire";
    router.add(std::move(keys), Handler([state](Request& request) { return state->rotate_keys(request); }));
}

OrProblem<Principal> Auth::authenticate(const Request& request) const {
    return state_->authenticate(request);
}

void Auth::forget() {
    state_->known().forget();
}

Result<bool> Auth::tend_keys() {
    return state_->keys().tend(unix_now());
}

asio::awaitable<Result<std::string>> Auth::hash_password(std::string password) {
    const auto hash = [password = std::move(password)] { return http::hash_password(password); };
    co_return co_await state_->off_thread(hash);
}

}  // namespace rouse::http
