#include "mgmt/http/router.hpp"

#include "mgmt/http/json_body.hpp"
#include "mgmt/http/schema.hpp"

#include <bitset>
#include <map>
#include <stdexcept>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace rouse::http {
namespace {

using Methods = std::bitset<kMethodNames.size()>;

std::size_t bit(Method method) {
    return static_cast<std::size_t>(method);
}

// What a path's routes make possible, as the Allow header says it (RFC 9110 10.2.1).
std::string allow_header(Methods methods) {
    if (methods.test(bit(Method::get))) methods.set(bit(Method::head));
    methods.set(bit(Method::options));
    std::string out;
    for (std::size_t i = 0; i < kMethodNames.size(); ++i)
        if (methods.test(i)) out += (out.empty() ? "" : ", ") + std::string(kMethodNames[i]);
    return out;
}

// Segments between slashes, without the empty one that a trailing slash makes.
std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    if (path.starts_with('/')) path.remove_prefix(1);
    if (path.ends_with('/')) path.remove_suffix(1);
    while (!path.empty()) {
        const auto slash = std::min(path.find('/'), path.size());
        segments.push_back(path.substr(0, slash));
        if (slash == path.size()) break;
        path.remove_prefix(slash + 1);
        if (path.empty()) segments.emplace_back();
    }
    return segments;
}

}  // namespace

// One segment's place in the tree of all patterns.
struct Router::Node {
    struct Entry {
        Method method;
        std::size_t route;
        std::vector<std::string> names;  // of the parameters on the way here, in order
    };
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::vector<Entry> here;  // routes whose pattern ends here
    std::vector<Entry> rest;  // routes whose pattern ends with a {name...} here
};

struct Router::Match {
    std::size_t route = 0;
    std::vector<std::pair<std::string, std::string>> parameters;
};

namespace {

// One request's way through the tree: the most literal route that has the method, and what methods the path
// has otherwise.
template <typename Node>
class Search {
  public:
    Search(Method method, const std::vector<std::string>& segments) : method_(method), segments_(segments) {}

    const typename Node::Entry* find(const Node& node, std::size_t depth = 0) {
        if (depth == segments_.size()) return pick(node.here);
        const std::string& segment = segments_[depth];
        if (const auto literal = node.literals.find(segment); literal != node.literals.end())
            if (const auto* entry = find(*literal->second, depth + 1)) return entry;
        if (segment.empty()) return nullptr;
        if (node.parameter) {
            values.push_back(segment);
            if (const auto* entry = find(*node.parameter, depth + 1)) return entry;
            values.pop_back();
        }
        const auto* entry = pick(node.rest);
        if (entry != nullptr) values.push_back(join(depth));
        return entry;
    }

    std::vector<std::string> values;  // of the parameters, in order
    Methods allowed;

  private:
    const typename Node::Entry* pick(const std::vector<typename Node::Entry>& entries) {
        const typename Node::Entry* get = nullptr;
        for (const auto& entry : entries) {
            allowed.set(bit(entry.method));
            if (entry.method == method_) return &entry;
            if (entry.method == Method::get) get = &entry;
        }
        return method_ == Method::head ? get : nullptr;
    }
    [[nodiscard]] std::string join(std::size_t from) const {
        std::string out = segments_[from];
        for (std::size_t i = from + 1; i < segments_.size(); ++i) out += "/" + segments_[i];
        return out;
    }

    Method method_;
    const std::vector<std::string>& segments_;
};

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

void Router::add(Route route, Handler handler) {
    const auto wrong = [&route](const std::string& why) {
        return std::logic_error("route " + std::string(to_string(route.method)) + " " + route.pattern + ": " +
                                why);
    };
    if (!route.pattern.starts_with('/')) throw wrong("a pattern begins with a slash");
    if ((route.body == BodyKind::json || route.body == BodyKind::patch) && route.request == nullptr)
        throw wrong("a JSON body needs a schema");

    Node* node = root_.get();
    Node::Entry entry{route.method, routes_.size(), {}};
    bool takes_rest = false;
    for (const auto segment : split(route.pattern)) {
        if (takes_rest) throw wrong("{name...} must come last");
        if (segment.empty()) throw wrong("an empty segment");
        if (!segment.starts_with('{')) {
            auto& next = node->literals[std::string(segment)];
            if (!next) next = std::make_unique<Node>();
            node = next.get();
            continue;
        }
        if (!segment.ends_with('}') || segment.size() < 3) throw wrong("a parameter is {name} or {name...}");
        auto name = segment.substr(1, segment.size() - 2);
        takes_rest = name.ends_with("...");
        if (takes_rest) {
            name.remove_suffix(3);
        } else {
            if (!node->parameter) node->parameter = std::make_unique<Node>();
            node = node->parameter.get();
        }
        entry.names.emplace_back(name);
    }
    auto& entries = takes_rest ? node->rest : node->here;
    for (const auto& other : entries)
        if (other.method == route.method) throw wrong("is taken by " + routes_[other.route].pattern);
    entries.push_back(std::move(entry));
    routes_.push_back(std::move(route));
    handlers_.push_back(std::move(handler));
}

OrProblem<Router::Match> Router::match(const Request& request) const {
    const auto meant = rewrite_ ? rewrite_(request.path) : std::nullopt;
    std::vector<std::string> segments;
    for (const auto segment : split(meant ? *meant : request.path)) {
        auto decoded = percent_decode(segment);
        if (!decoded)
            return problem(Status::bad_request,
                           "the path is malformed: after each % two hex digits must follow, and the decoded "
                           "text must be UTF-8 without NUL");
        segments.push_back(std::move(*decoded));
    }
    Search<Node> search(request.method, segments);
    const auto* entry = search.find(*root_);
    if (entry == nullptr && search.allowed.none())
        return problem(Status::not_found, "there is nothing at " + request.path);
    if (entry == nullptr) {
        Problem not_allowed{Status::method_not_allowed,
                            request.path + " does not take " + std::string(to_string(request.method)),
                            {},
                            {}};
        not_allowed.headers.add("Allow", allow_header(search.allowed));
        return tl::unexpected(std::move(not_allowed));
    }
    Match match{entry->route, {}};
    for (std::size_t i = 0; i < entry->names.size(); ++i)
        match.parameters.emplace_back(entry->names[i], std::move(search.values[i]));
    return match;
}

std::size_t Router::body_limit(const Route& route) const noexcept {
    if (route.max_body > 0) return route.max_body;
    return route.access.roles ? json_limit_ : std::min(json_limit_, kMaxStrangersBody);
}

OrProblem<void> Router::admit(const Request& request) const {
    return limiter_ ? limiter_(request) : OrProblem<void>{};
}

asio::awaitable<Outcome> Router::run(Request& request) const {
    if (request.path == "*" && request.method == Method::options) co_return Response::no_content();
    auto match = this->match(request);
    if (!match) {
        const auto& why = match.error();
        if (request.method != Method::options || why.status != Status::method_not_allowed)
            co_return tl::unexpected(why);
        auto response = Response::no_content();
        response.headers = why.headers;
        co_return response;
    }
    const Route& route = routes_[match->route];
    request.route = &route;
    request.set_parameters(std::move(match->parameters));
    if (route.access.roles) {
        if (!authenticator_) throw std::logic_error("the router has no authenticator");
        auto principal = authenticator_(request);
        if (!principal) {
            if (auto admitted = admit(request); !admitted) co_return tl::unexpected(admitted.error());
            co_return tl::unexpected(principal.error());
        }
        request.principal = std::move(*principal);
    }
    if (auto admitted = admit(request); !admitted) co_return tl::unexpected(admitted.error());
    if (route.access.roles) {
        const auto& principal = request.principal;
        if (!allows(principal->roles, *route.access.roles))
            co_return problem(Status::forbidden,
                              "this needs the role " + to_string(*route.access.roles, "or") + "; " +
                                  principal->user + " is " + to_string(principal->roles, "and"));
    }
    if (route.body == BodyKind::json || route.body == BodyKind::patch) {
        const auto body = co_await read_json(request, body_limit(route));
        if (!body) co_return tl::unexpected(body.error());
        auto accepted =
            route.body == BodyKind::json ? route.request->accept(*body) : route.request->accept_patch(*body);
        if (!accepted) co_return tl::unexpected(accepted.error());
        request.set_json(std::move(*accepted));
    }
    co_return co_await handlers_[match->route](request);
}

asio::awaitable<Response> Router::dispatch(Request& request) const {
    auto response = co_await answer(request);
    for (const auto& observer : observers_) observer(request, response.status);
    co_return response;
}

asio::awaitable<Response> Router::answer(Request& request) const {
    std::string why;
    try {
        auto outcome = co_await run(request);
        if (outcome) co_return std::move(*outcome);
        co_return Response::from(outcome.error());
    } catch (const boost::system::system_error& error) {
        // The connection was cut while the handler waited: nobody reads the answer, and nothing is wrong.
        if (error.code() != asio::error::operation_aborted) why = error.what();
    } catch (const std::exception& error) {
        why = error.what();
    }
    if (!why.empty())
        spdlog::error("request {}: {} {} failed: {}", request.id, to_string(request.method), request.path,
                      why);
    co_return Response::from({Status::internal_server_error,
                              "the request failed for a reason that is in the log under its id " + request.id,
                              {},
                              {}});
}

}  // namespace rouse::http
