// /openapi.json, and /docs, which shows it with Swagger UI. Its files are within the program: nothing is
// fetched from anywhere else, and the page's policy allows nothing else.

#include "mgmt/http/openapi.hpp"

#include <array>
#include <memory>
#include <string_view>

#include <nlohmann/json.hpp>

// The bytes of a file between two symbols. ROUSE_DOCS: the page's own files; ROUSE_SWAGGER_UI: npm's.
#define ROUSE_EMBED(symbol, path)                                                                        \
    asm(".pushsection .rodata\n"                                                                         \
        ".global " #symbol "_begin, " #symbol "_end\n" #symbol "_begin:\n.incbin \"" path "\"\n" #symbol \
        "_end:\n.popsection\n");                                                                         \
    extern "C" const char symbol##_begin[], symbol##_end[]

ROUSE_EMBED(rouse_docs_page, ROUSE_DOCS "/index.html");
ROUSE_EMBED(rouse_docs_start, ROUSE_DOCS "/start.js");
ROUSE_EMBED(rouse_docs_bundle, ROUSE_SWAGGER_UI "/swagger-ui-bundle.js");
ROUSE_EMBED(rouse_docs_style, ROUSE_SWAGGER_UI "/swagger-ui.css");
ROUSE_EMBED(rouse_docs_icon, ROUSE_SWAGGER_UI "/favicon-32x32.png");

namespace rouse::http {
namespace {

constexpr const char* kHtml = "text/html; charset=utf-8";
constexpr const char* kScript = "text/javascript; charset=utf-8";
constexpr const char* kStyle = "text/css; charset=utf-8";
// Swagger UI has its pictures as data in its style sheet, and sets styles of single elements by script.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct Asset {
    std::string_view name;
    const char* type;
    const char* begin;
    const char* end;
};
const std::array kAssets = {
    Asset{"", kHtml, rouse_docs_page_begin, rouse_docs_page_end},
    Asset{"start.js", kScript, rouse_docs_start_begin, rouse_docs_start_end},
    Asset{"swagger-ui-bundle.js", kScript, rouse_docs_bundle_begin, rouse_docs_bundle_end},
    Asset{"swagger-ui.css", kStyle, rouse_docs_style_begin, rouse_docs_style_end},
    Asset{"favicon-32x32.png", "image/png", rouse_docs_icon_begin, rouse_docs_icon_end}};

Outcome asset(std::string_view name) {
    for (const Asset& known : kAssets) {
        if (known.name != name) continue;
        Response response = Response::text(std::string(known.begin, known.end), known.type);
        response.headers.set("Content-Security-Policy", kPolicy);
        response.headers.set("X-Content-Type-Options", "nosniff");
        response.headers.set("Cache-Control", "no-cache");
        return response;
    }
    return problem(Status::not_found, "the documentation has no file " + std::string(name));
}

}  // namespace

void add_documentation(Router& router, const std::string& title) {
    const auto document = std::make_shared<std::string>();
    const auto route = [](const char* pattern, const char* summary) {
        return Route{
            .pattern = pattern, .access = Access::anyone(), .tag = "Documentation", .summary = summary};
    };
    Route openapi = route("/openapi.json", "This API as an OpenAPI document");
    openapi.answer_media = {"application/json"};
    router.add(std::move(openapi),
               [document](Request&) -> Outcome { return Response::json_text(*document); });
    Route page = route("/docs", "This API as a page for people");
    page.answer_media = {"text/html"};
    router.add(std::move(page), [](Request&) { return asset(""); });
    Route file = route("/docs/{file}", "What that page is made of");
    file.answer_media = {"text/javascript", "text/css", "image/png"};
    router.add(std::move(file), [](Request& request) { return asset(request.parameter("file")); });
    *document = openapi_document(router, title).dump();
}

}  // namespace rouse::http
