#include "mgmt/cli/session.hpp"

#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

constexpr const char* kHowToLogIn = "; log in with: rousectl login URL --user NAME";
constexpr std::size_t kPage = 10'000;  // objects that are asked for at once

bool is_success(long status) {
    return status >= 200 && status < 300;
}

std::string text_of(const json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// "/dns_servers/2" as "dns_servers.2"; WHOLE: what "" is called.
std::string field_name(std::string pointer, const char* whole) {
    if (pointer.starts_with('/')) pointer.erase(0, 1);
    for (char& c : pointer)
        if (c == '/') c = '.';
    return pointer.empty() ? whole : pointer;
}

HttpRequest json_request(std::string method, std::string url, const json& body) {
    return {.method = std::move(method),
            .url = std::move(url),
            .content_type = "application/json",
            .body = body.dump()};
}

ExitCode exit_code_of(long status) {
    switch (status) {
        case 401:
        case 403:
            return ExitCode::not_allowed;
        case 404:
        case 410:
            return ExitCode::not_found;
        case 409:
        case 412:
            return ExitCode::conflict;
        default:
            return ExitCode::failed;
    }
}

std::string known_names(const Config& config) {
    std::string names;
    for (const auto& [name, context] : config.contexts) names += (names.empty() ? "" : ", ") + name;
    return names.empty() ? "there are none" : "there are " + names;
}

}  // namespace

std::string without_slash(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

Failure failure_of(const HttpReply& reply) {
    Failure out{exit_code_of(reply.status),
                "the appliance answered with status " + std::to_string(reply.status)};
    const json problem = json::parse(reply.body, nullptr, false);
    const std::string detail = text_of(problem, "detail");
    if (detail.empty()) return out;
    out.message = detail;
    const auto errors = problem.find("errors");
    if (errors == problem.end() || !errors->is_array() || errors->empty()) return out;
    out.message = "the appliance refused it:";
    for (const auto& error : *errors) {
        out.faults.push_back({text_of(error, "pointer"), text_of(error, "detail")});
        const auto row = error.is_object() ? error.value("row", json()) : json();
        out.message += "\n  " + (row.is_number() ? "row " + row.dump() + ": " : "") +
                       field_name(out.faults.back().pointer, row.is_number() ? "it" : "the body") + " " +
                       out.faults.back().detail;
    }
    return out;
}

Session::Session(SavedContext context, std::string name, const Environment& environment)
    : context_(std::move(context)),
      name_(std::move(name)),
      config_dir_(environment.config_dir),
      token_is_given_(!environment.token.empty()),
      may_refresh_(!token_is_given_ && !context_.refresh.empty()),
      client_(context_.tls) {}

OrFailure<Session> Session::open(const Environment& environment) {
    const auto config = load_config(environment.config_dir);
    if (!config) return tl::unexpected(config.error());
    std::string name = environment.context.empty() ? config->current : environment.context;
    const SavedContext* saved = config->find(name);
    if (saved == nullptr && !environment.context.empty())
        return failure(ExitCode::not_found, "there is no context " + name + "; " + known_names(*config) +
                                                "; add one with: rousectl login URL --context " + name);
    SavedContext context = saved == nullptr ? SavedContext{} : *saved;
    if (!environment.url.empty() && without_slash(environment.url) != context.url) {
        context = SavedContext{.url = without_slash(environment.url), .tls = context.tls};
        name.clear();
    }
    if (!environment.token.empty()) context.access = environment.token;
    if (!environment.ca.empty()) context.tls.ca = environment.ca;
    if (context.url.empty())
        return failure(ExitCode::not_allowed, std::string("you are not logged in") + kHowToLogIn);
    if (context.access.empty())
        return failure(ExitCode::not_allowed, "you are not logged in to " + context.url + kHowToLogIn);
    return Session(std::move(context), std::move(name), environment);
}

OrFailure<json> Session::get(const std::string& path) {
    return send({}, path);
}

OrFailure<void> Session::download(const std::string& path, DownloadSink& sink) {
    const auto done = send({.download = &sink, .timeout_seconds = 0}, path);
    if (!done) return tl::unexpected(done.error());
    return {};
}

OrFailure<json> Session::get_list(const std::string& path, std::size_t limit) {
    json all = json::array();
    std::string next =
        path + (path.find('?') == path.npos ? "?" : "&") + "limit=" + std::to_string(std::min(limit, kPage));
    while (!next.empty() && all.size() < limit) {
        const std::string here = std::move(next);
        next.clear();
        auto page = send({}, here, &next);
        if (!page) return page;
        if (!page->is_array())
            return failure(ExitCode::failed, "the appliance's answer for " + path + " is not a list");
        const std::size_t wanted = std::min(limit - all.size(), page->size());
        std::move(page->begin(), page->begin() + static_cast<std::ptrdiff_t>(wanted),
                  std::back_inserter(all));
        if (page->empty()) break;
    }
    return all;
}

OrFailure<json> Session::post(const std::string& path, const json& body) {
    return send(json_request("POST", "", body), path);
}

OrFailure<json> Session::patch(const std::string& path, const json& changes) {
    HttpRequest request = json_request("PATCH", "", changes);
    request.content_type = "application/merge-patch+json";
    return send(std::move(request), path);
}

OrFailure<json> Session::put(const std::string& path, UploadSource& source) {
    return upload("PUT", path, source);
}

OrFailure<json> Session::post(const std::string& path, UploadSource& source) {
    return upload("POST", path, source);
}

OrFailure<json> Session::post_text(const std::string& path, std::string text, const char* type) {
    return send({.method = "POST", .content_type = type, .body = std::move(text), .timeout_seconds = 0},
                path);
}

OrFailure<json> Session::post(const std::string& path) {
    return send({.method = "POST", .timeout_seconds = 0}, path);
}

OrFailure<json> Session::upload(const char* method, const std::string& path, UploadSource& source) {
    return send({.method = method,
                 .content_type = "application/octet-stream",
                 .upload = &source,
                 .timeout_seconds = 0},
                path);
}

OrFailure<void> Session::remove(const std::string& path) {
    auto removed = send({.method = "DELETE"}, path);
    if (!removed) return tl::unexpected(removed.error());
    return {};
}

OrFailure<json> Session::send(HttpRequest request, const std::string& path, std::string* next) {
    request.url = context_.url + path;
    request.token = context_.access;
    if (request.method == "GET" && request.download == nullptr) request.timeout_seconds = timeout_seconds_;
    auto reply = client_.send(request);
    if (reply && reply->status == 401 && may_refresh_) {
        may_refresh_ = false;
        if (auto refreshed = refresh(); !refreshed) return tl::unexpected(refreshed.error());
        request.token = context_.access;
        if (request.upload != nullptr) request.upload->rewind();
        reply = client_.send(request);
    }
    if (!reply) return tl::unexpected(reply.error());
    if (!is_success(reply->status)) {
        Failure refused = failure_of(*reply);
        if (reply->status == 401)
            refused.message += token_is_given_ ? "; it is the one in ROUSE_TOKEN" : kHowToLogIn;
        return tl::unexpected(std::move(refused));
    }
    if (next != nullptr) *next = reply->next;
    if (reply->body.empty()) return json();
    auto body = json::parse(reply->body, nullptr, false);
    if (body.is_discarded())
        return failure(ExitCode::failed,
                       "what answers at " + request.url + " is not a rouse appliance: no JSON came back");
    return body;
}

OrFailure<void> Session::refresh() {
    const auto reply = client_.send(
        json_request("POST", context_.url + "/api/token/refresh/", {{"refresh", context_.refresh}}));
    if (!reply) return tl::unexpected(reply.error());
    const json tokens = json::parse(reply->body, nullptr, false);
    if (!is_success(reply->status) || text_of(tokens, "access").empty())
        return failure(ExitCode::not_allowed, "your login at " + context_.url + " has ended" + kHowToLogIn);
    context_.access = text_of(tokens, "access");
    if (const auto renewed = text_of(tokens, "refresh"); !renewed.empty()) context_.refresh = renewed;
    return change_config(config_dir_, [this](Config& config) -> OrFailure<void> {
        SavedContext& saved = config.contexts[name_];
        saved.access = context_.access;
        saved.refresh = context_.refresh;
        return {};
    });
}

OrFailure<SavedContext> log_in(SavedContext where, const std::string& password) {
    HttpClient client(where.tls);
    const auto reply = client.send(
        json_request("POST", where.url + "/api/token/", {{"username", where.user}, {"password", password}}));
    if (!reply) return tl::unexpected(reply.error());
    if (!is_success(reply->status)) return tl::unexpected(failure_of(*reply));
    const json tokens = json::parse(reply->body, nullptr, false);
    where.access = text_of(tokens, "access");
    where.refresh = text_of(tokens, "refresh");
    if (where.access.empty())
        return failure(ExitCode::failed,
                       "what answers at " + where.url + " is not a rouse appliance: it gave no token");
    return where;
}

}  // namespace rouse::cli
