#pragma once
// From method and path to a handler. Patterns: "/api/machines/{id}" with percent-decoded parameters,
// "/api/images/{name...}" whose last one takes the rest of the path, slashes included. A trailing slash is
// optional, in patterns and in requests. Literal segments win over parameters. HEAD is answered by GET's
// handler, OPTIONS and 405 from the methods that the path has.

#include "mgmt/http/request.hpp"
#include "mgmt/http/response.hpp"

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

namespace rouse::http {

class Schema;

using Handler = std::function<asio::awaitable<Outcome>(Request&)>;

// Decides whose request it is, from its Authorization header: a principal or a 401.
using Authenticator = std::function<OrProblem<Principal>(const Request&)>;

// Told of every answer, on the connection's thread: what was asked and the status. For metrics.
using Observer = std::function<void(const Request&, Status)>;

// Whether a request may be served now: asked once it is known whose it is, or that it is nobody's. A 429 if
// not.
using Limiter = std::function<OrProblem<void>(const Request&)>;

struct Access {
    std::optional<Roles> roles;  // any one of these; nothing: everybody, without a token

    static Access anyone() { return {}; }
    static Access of(Roles any) { return {any}; }
};

enum class BodyKind : std::uint8_t {
    none,    // whatever comes is left unread
    json,    // read, checked against `request` and ready in Request::json() before the handler runs
    patch,   // the same for a merge-patch (RFC 7396): nothing is required, null removes
    stream,  // the handler reads it with Request::read_some()
};

// For the documentation: what a route's query may hold.
struct QueryParameter {
    std::string name;
    std::string description;
    std::string type = "string";  // or "integer", "boolean"
};

// Everything about a route but its handler; the OpenAPI document is made of these.
struct Route {
    Method method = Method::get;
    std::string pattern = {};
    Access access = Access::of(Role::viewer);
    std::string tag = {};      // group in the documentation: "Machines"
    std::string summary = {};  // one line: "Register a machine"
    BodyKind body = BodyKind::none;
    const Schema* request = nullptr;   // of the body; not owned, must outlive the router
    const Schema* response = nullptr;  // of the answer's body; likewise
    bool response_is_list = false;     // an array of `response`
    std::size_t max_body = 0;          // bytes of a JSON body; 0: see Router::limit_json_body
    Status success = Status::ok;       // what the documentation promises
    bool is_audited = false;           // on the audit log although it changes nothing
    // The rest is for the documentation alone.
    bool has_tag = false;                        // the answer has an ETag, and If-Match is heeded
    std::vector<std::string> media = {};         // of a stream: what may come; none: any bytes
    bool request_is_list = false;                // the body is an array of `request`
    std::vector<std::string> answer_media = {};  // of an answer without a schema: its content types
    std::vector<QueryParameter> query = {};
    std::vector<Status> failures = {};  // besides those that follow from the members above
};

// A function that needs no co_await is a handler too.
template <typename F>
concept PlainHandler = std::is_invocable_r_v<Outcome, const F&, Request&>;

// Filled before the listener starts, then shared by its threads unchanged.
class Router {
  public:
    Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;
    ~Router();

    // Needed as soon as a route asks for a role.
    void authenticate_with(Authenticator authenticator) { authenticator_ = std::move(authenticator); }
    // The one so far, for another that asks it in turn.
    [[nodiscard]] const Authenticator& authenticator() const noexcept { return authenticator_; }
    // Other spellings of paths: REWRITE says which route's path is meant by one, or nothing. What a request
    // says of itself (Request::path) stays as it was sent.
    void rewrite_with(std::function<std::optional<std::string>(std::string_view path)> rewrite) {
        rewrite_ = std::move(rewrite);
    }
    void observe_with(Observer observer) { observers_.push_back(std::move(observer)); }
    // Without one, nobody is turned away for asking too much.
    void limit_with(Limiter limiter) { limiter_ = std::move(limiter); }
    // Of a JSON body, in bytes; more is a 413. Where no role is asked for, kMaxStrangersBody is enough: there
    // anybody could make us hold that much.
    void limit_json_body(std::size_t bytes) noexcept { json_limit_ = bytes; }
    static constexpr std::size_t kMaxStrangersBody = 64 * 1024;

    // A malformed pattern, or one that is taken for that method, is a programming error: std::logic_error.
    void add(Route route, Handler handler);
    template <PlainHandler F>
    void add(Route route, F handler) {
        add(std::move(route),
            Handler([handler = std::move(handler)](Request& request) -> asio::awaitable<Outcome> {
                co_return handler(request);
            }));
    }

    // Finds the route, checks the role, reads and checks the body, and runs the handler. Whatever goes wrong
    // is a response too: this neither fails nor throws (a handler's exception is logged and answered by 500).
    asio::awaitable<Response> dispatch(Request& request) const;

    // In the order of registration.
    [[nodiscard]] const std::vector<Route>& routes() const noexcept { return routes_; }

  private:
    struct Node;
    struct Match;
    [[nodiscard]] OrProblem<Match> match(const Request& request) const;
    asio::awaitable<Outcome> run(Request& request) const;
    asio::awaitable<Response> answer(Request& request) const;
    [[nodiscard]] OrProblem<void> admit(const Request& request) const;
    [[nodiscard]] std::size_t body_limit(const Route& route) const noexcept;

    std::vector<Route> routes_;
    std::vector<Handler> handlers_;  // by the same index
    std::unique_ptr<Node> root_;
    Authenticator authenticator_;
    std::function<std::optional<std::string>(std::string_view)> rewrite_;
    Limiter limiter_;
    std::vector<Observer> observers_;
    std::size_t json_limit_ = std::size_t{8} << 20;
};

}  // namespace rouse::http
