#include "mgmt/http/openapi.hpp"

#include "mgmt/http/schema.hpp"
#include "shared/version.hpp"

#include <map>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace rouse::http {
namespace {

using nlohmann::json;
using Schemas = std::map<std::string, const Schema*>;

void collect(const Schema* schema, Schemas& found) {
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

json parameters(const std::string& path) {
    json out = json::array();
    for (auto open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
        const auto name = path.substr(open + 1, path.find('}', open) - open - 1);
        out.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    }
    return out;
}

json request_body(const Route& route) {
    json content;
    if (route.body == BodyKind::json)
        content["application/json"]["schema"] = reference(route.request->name());
    else if (route.body == BodyKind::patch)
        content["application/merge-patch+json"]["schema"] = reference(route.request->name() + "Patch");
    else
        content["application/octet-stream"] = json::object();
    return {{"required", true}, {"content", content}};
}

json operation(const Route& route, const std::string& path) {
    json success = {{"description", reason_phrase(route.success)}};
    if (route.response != nullptr) {
        const json one = reference(route.response->name());
        success["content"]["application/json"]["schema"] =
            route.response_is_list ? json{{"type", "array"}, {"items", one}} : one;
    }
    const json failure = {{"description", "What went wrong"},
                          {"content", {{std::string(kProblemType), {{"schema", reference("Problem")}}}}}};
    json out = {{"summary", route.summary},
                {"tags", json::array({route.tag})},
                {"responses", {{std::to_string(code(route.success)), success}, {"default", failure}}}};
    if (auto of_path = parameters(path); !of_path.empty()) out["parameters"] = std::move(of_path);
    if (route.body != BodyKind::none) out["requestBody"] = request_body(route);
    if (route.access.roles) {
        out["security"] = json::array({{{"bearer", json::array()}}});
        out["description"] = "Needs the role " + to_string(*route.access.roles, "or") + ".";
    }
    return out;
}

json problem_schema() {
    const json text = {{"type", "string"}};
    return {{"type", "object"},
            {"description", "Problem details (RFC 9457)"},
            {"required", {"status", "title", "detail"}},
            {"properties",
             {{"status", {{"type", "integer"}}},
              {"title", text},
              {"detail", text},
              {"errors",
               {{"type", "array"},
                {"items", {{"type", "object"}, {"properties", {{"pointer", text}, {"detail", text}}}}}}}}}};
}

json components(const Router& router) {
    Schemas found;
    json schemas = {{"Problem", problem_schema()}};
    for (const auto& route : router.routes()) {
        collect(route.request, found);
        collect(route.response, found);
        if (route.body == BodyKind::patch) {
            json patch = route.request->describe();
            patch.erase("required");
            schemas[route.request->name() + "Patch"] = std::move(patch);
        }
    }
    for (const auto& [name, schema] : found) schemas[name] = schema->describe();
    return {
        {"schemas", schemas},
        {"securitySchemes", {{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}}}}};
}

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '&')
            out += "&amp;";
        else
            out += c;
    }
    return out;
}

std::string page(const Router& router, const std::string& title) {
    std::string out =
        "<!doctype html><meta charset=\"utf-8\"><title>" + escape(title) +
        "</title><style>body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
        "td{padding:.1em 1em .1em 0}</style><h1>" +
        escape(title) +
        "</h1><p>The complete description is <a href=\"/openapi.json\">/openapi.json</a>.</p>";
    std::map<std::string, std::string> groups;
    for (const auto& route : router.routes())
        groups[route.tag] += "<tr><td><code>" + std::string(to_string(route.method)) + "</code><td><code>" +
                             escape(route.pattern) + "</code><td>" + escape(route.summary) + "<td>" +
                             (route.access.roles ? to_string(*route.access.roles, "or") : "everybody");
    for (const auto& [tag, rows] : groups) out += "<h2>" + escape(tag) + "</h2><table>" + rows + "</table>";
    return out;
}

}  // namespace

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

void add_documentation(Router& router, const std::string& title) {
    const auto document = std::make_shared<std::string>();
    const auto html = std::make_shared<std::string>();
    Route openapi{Method::get, "/openapi.json", Access::anyone(), "Documentation",
                  "This API as an OpenAPI document"};
    router.add(std::move(openapi),
               [document](Request&) -> Outcome { return Response::json_text(*document); });
    Route docs{Method::get, "/docs", Access::anyone(), "Documentation", "This API as a page for people"};
    router.add(std::move(docs),
               [html](Request&) -> Outcome { return Response::text(*html, "text/html; charset=utf-8"); });
    *document = openapi_document(router, title).dump();
    *html = page(router, title);
}

}  // namespace rouse::http
