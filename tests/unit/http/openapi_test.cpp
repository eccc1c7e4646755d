#include "mgmt/http/openapi.hpp"

#include "mgmt/http/schema.hpp"
#include "tests/unit/http/coroutine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace rouse::http {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const Schema kInner("Inner", "Inside", {string("a", "a")});
const Schema kOuter("Outer", "Outside",
                    {string("name", "its name").required(), array(object("inner", "insides", kInner))});
const Schema kOtherInner("Inner", "Another of that name", {string("b", "b")});

Outcome nothing(Request& /*request*/) {
    return Response::no_content();
}

Router described() {
    Router router;
    router.add({.pattern = "/things/",
                .tag = "Things",
                .summary = "List",
                .response = &kOuter,
                .response_is_list = true},
               nothing);
    router.add({.method = Method::post,
                .pattern = "/things/",
                .access = Access::of(Role::operator_),
                .tag = "Things",
                .summary = "Make <one>",
                .body = BodyKind::json,
                .request = &kOuter,
                .response = &kOuter,
                .success = Status::created},
               nothing);
    router.add({.method = Method::patch,
                .pattern = "/things/{id}/",
                .tag = "Things",
                .body = BodyKind::patch,
                .request = &kOuter},
               nothing);
    router.add(
        {.method = Method::put, .pattern = "/files/{name...}", .tag = "Files", .body = BodyKind::stream},
        nothing);
    return router;
}

// Every "$ref" in the document leads to something.
void check_references(const json& part, const json& document) {
    if (part.is_object() && part.contains("$ref")) {
        EXPECT_TRUE(document.contains(json::json_pointer(part["$ref"].get<std::string>().substr(1)))) << part;
    }
    if (part.is_structured())
        for (const auto& inner : part) check_references(inner, document);
}

TEST(OpenApi, DescribesEveryRoute) {
    const Router router = described();
    const auto document = openapi_document(router, "test");
    std::size_t operations = 0;
    for (const auto& path : document["paths"]) operations += path.size();
    EXPECT_EQ(operations, router.routes().size());
    check_references(document, document);

    const auto& post = document["paths"]["/things/"]["post"];
    EXPECT_EQ(post["responses"]["201"]["content"]["application/json"]["schema"]["$ref"],
              "#/components/schemas/Outer");
    EXPECT_EQ(post["requestBody"]["content"]["application/json"]["schema"]["$ref"],
              "#/components/schemas/Outer");
    EXPECT_THAT(post["description"].get<std::string>(), HasSubstr("operator"));
    EXPECT_EQ(document["paths"]["/things/"]["get"]["responses"]["200"]["content"]["application/json"]
                      ["schema"]["type"],
              "array");
    EXPECT_EQ(document["paths"]["/files/{name}"]["put"]["parameters"][0]["name"], "name");
    EXPECT_FALSE(document["components"]["schemas"]["OuterPatch"].contains("required"));
    EXPECT_TRUE(document["components"]["schemas"].contains("Inner"));
}

TEST(OpenApi, OneNameIsOneSchema) {
    Router router = described();
    router.add({.pattern = "/other", .response = &kOtherInner}, nothing);
    EXPECT_THROW((void)openapi_document(router, "test"), std::logic_error);
}

TEST(OpenApi, IsServedWithAPageForPeople) {
    Router router = described();
    add_documentation(router, "rouse");
    const auto get = [&router](const char* path) {
        Request request;
        request.path = path;
        return std::get<std::string>(run_to_end(router.dispatch(request)).body);
    };
    const auto document = json::parse(get("/openapi.json"));
    EXPECT_EQ(document["openapi"], "3.1.0");
    EXPECT_TRUE(document["paths"].contains("/docs"));
    EXPECT_THAT(get("/docs"), HasSubstr("/openapi.json"));
    EXPECT_FALSE(get("/docs/swagger-ui.css").empty());
}

}  // namespace
}  // namespace rouse::http
