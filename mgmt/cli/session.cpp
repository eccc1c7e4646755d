#include "mgmt/cli/session.hpp"

#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

constexpr const char* kHowToLogIn = "; log in with: rousectl login URL --user NAME";

bool is_success(long status) {
    return status >= 200 && status < 300;
}

std::string without_slash(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

std::string text_of(const json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// "/dns_servers/2" as "dns_servers.2".
std::string field_name(std::string pointer) {
    if (pointer.starts_with('/')) pointer.erase(0, 1);
    for (char& c : pointer)
        if (c == '/') c = '.';
    return pointer.empty() ? "the body" : pointer;
}

HttpRequest json_request(std::string method, std::string url, const json& body) {
    return {.method = std::move(method),
            .url = std::move(url),
            .content_type = "application/json",
            .body = body.dump()};
}

}  // namespace

std::string describe(const HttpReply& reply) {
    const json problem = json::parse(reply.body, nullptr, false);
    const std::string detail = text_of(problem, "detail");
    if (detail.empty()) return "the appliance answered with status " + std::to_string(reply.status);
    const auto errors = problem.find("errors");
    if (errors == problem.end() || !errors->is_array() || errors->empty()) return detail;
    std::string out = "the appliance refused it:";
    for (const auto& error : *errors)
        out += "\n  " + field_name(text_of(error, "pointer")) + " " + text_of(error, "detail");
    return out;
}

Session::Session(Profile profile, std::string config_dir, bool may_refresh)
    : profile_(std::move(profile)),
      config_dir_(std::move(config_dir)),
      may_refresh_(may_refresh),
      client_(profile_.ca) {}

OrFailure<Session> Session::open(const Environment& environment) {
    auto saved = load_profile(environment.config_dir);
    if (!saved) return tl::unexpected(saved.error());
    Profile profile = saved->value_or(Profile{});
    if (!environment.url.empty() && without_slash(environment.url) != profile.url)
        profile = Profile{.url = without_slash(environment.url), .ca = profile.ca};
    if (!environment.token.empty()) profile.access = environment.token;
    if (profile.url.empty())
        return failure(ExitCode::not_logged_in, std::string("you are not logged in") + kHowToLogIn);
    if (profile.access.empty())
        return failure(ExitCode::not_logged_in, "you are not logged in to " + profile.url + kHowToLogIn);
    const bool may_refresh = environment.token.empty() && !profile.refresh.empty();
    return Session(std::move(profile), environment.config_dir, may_refresh);
}

OrFailure<json> Session::get(const std::string& path) {
    return send({}, path);
}

OrFailure<json> Session::post(const std::string& path, const json& body) {
    return send(json_request("POST", "", body), path);
}

OrFailure<json> Session::put(const std::string& path, UploadSource& source) {
    return upload("PUT", path, source);
}

OrFailure<json> Session::post(const std::string& path, UploadSource& source) {
    return upload("POST", path, source);
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

OrFailure<json> Session::send(HttpRequest request, const std::string& path) {
    request.url = profile_.url + path;
    request.token = profile_.access;
    auto reply = client_.send(request);
    if (reply && reply->status == 401 && may_refresh_) {
        may_refresh_ = false;
        if (auto refreshed = refresh(); !refreshed) return tl::unexpected(refreshed.error());
        request.token = profile_.access;
        if (request.upload != nullptr) request.upload->rewind();
        reply = client_.send(request);
    }
    if (!reply) return tl::unexpected(reply.error());
    if (reply->status == 401) return failure(ExitCode::not_logged_in, describe(*reply) + kHowToLogIn);
    if (!is_success(reply->status)) return failure(ExitCode::failed, describe(*reply));
    if (reply->body.empty()) return json();
    auto body = json::parse(reply->body, nullptr, false);
    if (body.is_discarded())
        return failure(ExitCode::failed,
                       "what answers at " + request.url + " is not a rouse appliance: no JSON came back");
    return body;
}

OrFailure<void> Session::refresh() {
    const auto reply = client_.send(
        json_request("POST", profile_.url + "/api/token/refresh/", {{"refresh", profile_.refresh}}));
    if (!reply) return tl::unexpected(reply.error());
    const json tokens = json::parse(reply->body, nullptr, false);
    if (!is_success(reply->status) || text_of(tokens, "access").empty())
        return failure(ExitCode::not_logged_in, "your login at " + profile_.url + " has ended" + kHowToLogIn);
    profile_.access = text_of(tokens, "access");
    return save_profile(config_dir_, profile_);
}

OrFailure<Profile> log_in(const std::string& url, const std::string& user, const std::string& password,
                          const std::string& ca) {
    const std::string base = without_slash(url);
    HttpClient client(ca);
    const auto reply =
        client.send(json_request("POST", base + "/api/token/", {{"username", user}, {"password", password}}));
    if (!reply) return tl::unexpected(reply.error());
    if (reply->status == 401) return failure(ExitCode::not_logged_in, describe(*reply));
    if (!is_success(reply->status)) return failure(ExitCode::failed, describe(*reply));
    const json tokens = json::parse(reply->body, nullptr, false);
    if (text_of(tokens, "access").empty())
        return failure(ExitCode::failed,
                       "what answers at " + base + " is not a rouse appliance: it gave no token");
    return Profile{base, user, text_of(tokens, "access"), text_of(tokens, "refresh"), ca};
}

}  // namespace rouse::cli
