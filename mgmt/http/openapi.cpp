#include "mgmt/http/openapi.hpp"

#include "mgmt/http/schema.hpp"
#include "shared/version.hpp"

#include <map>
#include <set>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace rouse::http {
namespace {

using nlohmann::json;

void collect(const Schema* schema, std::map<std::string, const Schema*>& found) {
    if (schema == nullptr) return;
    const auto [entry, fresh] = found.emplace(schema->name(), schema);
    if (!fresh && entry->second != schema)
        throw std::logic_error("two schemas have the name " + schema->name());
    if (!fresh) return;
    for (const Schema* other : schema->references()) collect(other, found);
}

json reference(const std::string& name) {
    return {{"$ref", "#/components/schemas/" + name}};
}

std::string lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return out;
}

// "/api/images/{name...}" as "/api/images/{name}": OpenAPI has no word for a parameter with slashes.
std::string openapi_path(std::string pattern) {
    if (const auto dots = pattern.find("...}"); dots != std::string::npos) pattern.erase(dots, 3);
    return pattern;
}

json parameter(const std::string& name, const char* in, bool required, const std::string& type,
               const std::string& description = {}) {
    json out = {{"name", name}, {"in", in}, {"required", required}, {"schema", {{"type", type}}}};
    if (!description.empty()) out["description"] = description;
    return out;
}

json parameters(const Route& route, const std::string& path) {
    json out = json::array();
    for (auto open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1))
        out.push_back(
            parameter(path.substr(open + 1, path.find('}', open) - open - 1), "path", true, "string"));
    for (const auto& query : route.query)
        out.push_back(parameter(query.name, "query", false, query.type, query.description));
    if (route.has_tag)
        out.push_back(route.method == Method::get
                          ? parameter("If-None-Match", "header", false, "string",
                                      "the ETag of what is known: 304 when nothing has changed")
                          : parameter("If-Match", "header", false, "string",
                                      "the ETag of what was seen: 412 when it has changed since"));
    return out;
}

json schema_of(const Schema& schema, bool is_list) {
    const json one = reference(schema.name());
    return is_list ? json{{"type", "array"}, {"items", one}} : one;
}

json request_body(const Route& route) {
    json content;
    if (route.body == BodyKind::json)
        content["application/json"]["schema"] = reference(route.request->name());
    else if (route.body == BodyKind::patch)
        content["application/merge-patch+json"]["schema"] = reference(route.request->name() + "Patch");
    else if (route.media.empty() && route.request == nullptr)
        content["application/octet-stream"] = json::object();
    else
        for (const auto& media :
             route.media.empty() ? std::vector<std::string>{"application/json"} : route.media)
            content[media] = media == "application/json"
                                 ? json{{"schema", schema_of(*route.request, route.request_is_list)}}
                                 : json{{"schema", {{"type", "string"}}}};
    return {{"required", true}, {"content", content}};
}

// The refusals that follow from what a route is, and those that it says itself.
std::set<Status> failures(const Route& route, const std::string& path) {
    std::set<Status> out(route.failures.begin(), route.failures.end());
    out.insert(Status::bad_request);  // a path or query that cannot be decoded, at least
    if (route.access.roles) out.insert({Status::unauthorized, Status::forbidden});
    if (path.find('{') != std::string::npos) out.insert(Status::not_found);
    if (route.body == BodyKind::json || route.body == BodyKind::patch)
        out.insert({Status::content_too_large, Status::unsupported_media_type});
    if (route.has_tag && route.method != Method::get) out.insert(Status::precondition_failed);
    return out;
}

json success_of(const Route& route) {
    json out = {{"description", reason_phrase(route.success)}};
    if (route.response != nullptr)
        out["content"]["application/json"]["schema"] = schema_of(*route.response, route.response_is_list);
    for (const auto& media : route.answer_media) out["content"][media] = json::object();
    if (route.has_tag && route.method != Method::delete_)
        out["headers"]["ETag"] = {{"description", "of this version"}, {"schema", {{"type", "string"}}}};
    if (route.response_is_list)
        out["headers"]["Link"] = {{"description", "rel=next: the next page (RFC 8288)"},
                                  {"schema", {{"type", "string"}}}};
    return out;
}

json responses(const Route& route, const std::string& path) {
    const json content = {{std::string(kProblemType), {{"schema", reference("Problem")}}}};
    json out = {{std::to_string(code(route.success)), success_of(route)},
                {"default", {{"description", "What went wrong"}, {"content", content}}}};
    for (const Status status : failures(route, path))
        out[std::to_string(code(status))] = {{"description", reason_phrase(status)}, {"content", content}};
    if (route.has_tag && route.method == Method::get)
        out[std::to_string(code(Status::not_modified))] = {
            {"description", reason_phrase(Status::not_modified)}};
    return out;
}

// "GET /api/machines/{id}/" as "getApiMachinesId".
std::string operation_id(const Route& route, const std::string& path) {
    std::string out = lower_case(to_string(route.method));
    bool starts_word = true;
    for (const char c : path) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (is_letter) out += starts_word && c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
        starts_word = !is_letter;
    }
    return out;
}

json operation(const Route& route, const std::string& path) {
    json out = {{"operationId", operation_id(route, path)},
                {"summary", route.summary},
                {"tags", json::array({route.tag})},
                {"responses", responses(route, path)}};
    if (auto all = parameters(route, path); !all.empty()) out["parameters"] = std::move(all);
    if (route.body != BodyKind::none) out["requestBody"] = request_body(route);
    out["security"] = json::array();
    if (route.access.roles) {
        out["security"].push_back({{"bearer", json::array()}});
        out["description"] = "Needs the role " + to_string(*route.access.roles, "or") + ".";
    }
    return out;
}

json problem_schema() {
    const json text = {{"type", "string"}};
    return {
        {"type", "object"},
        {"description", "Problem details (RFC 9457)"},
        {"required", {"status", "title", "detail"}},
        {"properties",
         {{"status", {{"type", "integer"}}},
          {"title", text},
          {"detail", text},
          {"errors",
           {{"type", "array"},
            {"items",
             {{"type", "object"},
              {"properties", {{"pointer", text}, {"detail", text}, {"row", {{"type", "integer"}}}}}}}}}}}};
}

json components(const Router& router) {
    json schemas = {{"Problem", problem_schema()}};
    for (const auto& route : router.routes())
        if (route.body == BodyKind::patch) {
            json patch = route.request->describe();
            patch.erase("required");
            schemas[route.request->name() + "Patch"] = std::move(patch);
        }
    for (const auto& [name, schema] : schemas_of(router)) schemas[name] = schema->describe();
    return {
        {"schemas", schemas},
        {"securitySchemes", {{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}}}}};
}

}  // namespace

std::map<std::string, const Schema*> schemas_of(const Router& router) {
    std::map<std::string, const Schema*> found;
    for (const auto& route : router.routes()) {
        collect(route.request, found);
        collect(route.response, found);
    }
    return found;
}

json openapi_document(const Router& router, const std::string& title) {
    json paths = json::object();
    for (const auto& route : router.routes()) {
        const auto path = openapi_path(route.pattern);
        paths[path][lower_case(to_string(route.method))] = operation(route, path);
    }
    return {{"openapi", "3.1.0"},
            {"info", {{"title", title}, {"version", kVersion}}},
            {"paths", paths},
            {"components", components(router)}};
}

}  // namespace rouse::http
