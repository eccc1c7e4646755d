#include "mgmt/o2ims/service.hpp"

#include "mgmt/http/schema.hpp"
#include "mgmt/o2ims/query/spelling.hpp"

#include <algorithm>
#include <charconv>
#include <climits>
#include <utility>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

using http::Request;
using nlohmann::json;

namespace {

const http::Schema& version_schema() {
    static const http::Schema schema("ApiVersionEntry", "A version that is served",
                                     {http::string("version", "major.minor.patch").required(),
                                      http::boolean("isDeprecated", "whether it goes some day")});
    return schema;
}

const http::Schema& versions_schema() {
    static const http::Schema schema(
        "ApiVersions", "The versions of a service",
        {http::string("uriPrefix", "where it is").required(),
         http::array(http::object("apiVersions", "each that is served", version_schema())).required()});
    return schema;
}

json versions_of(const Request& request, const std::vector<Version>& versions) {
    // "/o2ims-infrastructureInventory/v1/api_versions" is of the whole service as well.
    std::string prefix = request.path.substr(0, request.path.find("/api_version"));
    for (const auto& version : versions)
        if (const std::string tail = "/v" + std::to_string(version.major); prefix.ends_with(tail))
            prefix.resize(prefix.size() - tail.size());
    json list = json::array();
    for (const auto& version : versions) list.push_back({{"version", version.full}, {"isDeprecated", false}});
    return {{"uriPrefix", prefix}, {"apiVersions", std::move(list)}};
}

// The request may say which version it wants; of a major version that is not VERSION's there is none here.
http::OrProblem<void> check_version(const Request& request, const Version& version) {
    const auto wanted = request.headers.find("Version");
    if (!wanted) return {};
    unsigned major = 0;
    const auto [end, error] = std::from_chars(wanted->data(), wanted->data() + wanted->size(), major);
    const bool is_number = error == std::errc{} && (end == wanted->data() + wanted->size() || *end == '.');
    if (is_number && major == version.major) return {};
    return http::problem(http::Status::not_acceptable, "version " + std::string(*wanted) +
                                                           " is not served here, but " + version.full +
                                                           "; see api_versions");
}

}  // namespace

Service::Service(http::Router& router, std::string name, std::vector<Version> versions)
    : router_(&router), name_(std::move(name)), versions_(std::move(versions)) {
    const std::string base = "/o2ims-" + name_;
    std::vector<std::string> places{base};
    for (const auto& version : versions_) places.push_back(base + "/v" + std::to_string(version.major));
    for (const auto& place : places)
        router.add({.method = http::Method::get,
                    .pattern = place + "/api_versions",
                    .access = http::Access::of(kAnyO2ims),
                    .tag = "O2ims " + name_,
                    .summary = "The versions that are served",
                    .response = &versions_schema()},
                   [versions = versions_](Request& request) -> http::Outcome {
                       return http::Response::json(versions_of(request, versions));
                   });
}

void Service::add(http::Route route, http::Handler handler, unsigned since) {
    add(std::move(route), std::move(handler), since, UINT_MAX);
}

void Service::add(http::Route route, http::Handler handler, unsigned since, unsigned until) {
    route.tag = "O2ims " + name_;
    const std::string suffix = route.pattern;
    for (const auto& version : versions_) {
        if (version.major < since || version.major > until) continue;
        http::Route one = route;
        one.pattern = "/o2ims-" + name_ + "/v" + std::to_string(version.major) + suffix;
        router_->add(
            std::move(one),
            http::Handler([version, handler](Request& request) -> boost::asio::awaitable<http::Outcome> {
                if (auto served = check_version(request, version); !served)
                    co_return tl::unexpected(std::move(served.error()));
                auto outcome = co_await handler(request);
                auto& headers = outcome ? outcome->headers : outcome.error().headers;
                headers.add("Version", version.full);
                co_return outcome;
            }));
    }
}

void accept_spellings(http::Router& router) {
    router.rewrite_with([](std::string_view path) { return canonical_path(path); });
}

}  // namespace rouse::o2ims
