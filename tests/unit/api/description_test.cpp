// /openapi.json is what the routes are, and a valid OpenAPI 3.1 document; /docs shows it.

#include "tests/unit/api/whole_api.hpp"

#include <cstdlib>
#include <fstream>
#include <set>

namespace rouse::ims {
namespace {

using http::BodyKind;
using http::Route;
using testing::HasSubstr;

class Description : public WholeApiTest {
  protected:
    Answer get_whole(const std::string& target) {
        auto made = request(Method::get, target);
        return send(whole_, made, http::BodyText(""));
    }
    json document_ = get_whole("/openapi.json").body();

    static std::string path_of(const Route& route) {
        std::string path = route.pattern;
        if (const auto dots = path.find("...}"); dots != std::string::npos) path.erase(dots, 3);
        return path;
    }
    static std::string method_of(const Route& route) {
        std::string method(to_string(route.method));
        for (char& c : method) c = static_cast<char>(std::tolower(c));
        return method;
    }
    const json& operation(const Route& route) {
        return document_.at("paths").at(path_of(route)).at(method_of(route));
    }

    static std::set<std::string> names_of(const json& operation, const std::string& in) {
        std::set<std::string> names;
        for (const auto& parameter : operation.value("parameters", json::array()))
            if (parameter.at("in") == in) names.insert(parameter.at("name").get<std::string>());
        return names;
    }
    void check_references(const json& part) {
        if (part.is_object() && part.contains("$ref")) {
            EXPECT_TRUE(document_.contains(json::json_pointer(part["$ref"].get<std::string>().substr(1))))
                << part;
        }
        if (part.is_structured())
            for (const auto& inner : part) check_references(inner);
    }
};

TEST_F(Description, HasAnOperationForEveryRouteAndNoOther) {
    std::size_t operations = 0;
    std::set<std::string> ids;
    for (const auto& [path, methods] : document_.at("paths").items())
        for (const auto& [method, operation] : methods.items()) {
            ++operations;
            EXPECT_TRUE(ids.insert(operation.at("operationId")).second) << method << path;
        }
    EXPECT_EQ(operations, whole_.routes().size());
    check_references(document_);
    for (const Route& route : whole_.routes()) {
        const json& described = operation(route);
        SCOPED_TRACE(method_of(route) + " " + route.pattern);
        EXPECT_FALSE(described.at("summary").get<std::string>().empty());
        EXPECT_FALSE(route.tag.empty());
        EXPECT_EQ(described.at("security").size(), route.access.roles ? 1U : 0U);
        std::set<std::string> in_path;
        const std::string path = path_of(route);
        for (auto open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1))
            in_path.insert(path.substr(open + 1, path.find('}', open) - open - 1));
        EXPECT_EQ(names_of(described, "path"), in_path);
    }
}

TEST_F(Description, SaysWhatEachRouteTakesAndAnswers) {
    for (const Route& route : whole_.routes()) {
        const json& described = operation(route);
        SCOPED_TRACE(method_of(route) + " " + route.pattern);
        const json& answers = described.at("responses");
        const json& success = answers.at(std::to_string(http::code(route.success)));
        // What is only accepted may have nothing to show yet; what is gone has nothing, also where it is a
        // 200.
        const bool has_nothing = route.success == http::Status::accepted || route.method == Method::delete_;
        const bool is_empty =
            route.success == http::Status::no_content || (has_nothing && route.response == nullptr);
        EXPECT_EQ(success.contains("content"), !is_empty) << "says what it answers";
        EXPECT_EQ(described.contains("requestBody"), route.body != BodyKind::none);
        std::set<std::string> refusals = {"400"};
        if (route.access.roles) refusals.insert({"401", "403"});
        if (route.pattern.find('{') != std::string::npos) refusals.insert("404");
        if (route.body == BodyKind::json || route.body == BodyKind::patch) refusals.insert({"413", "415"});
        if (route.has_tag && route.method != Method::get) refusals.insert("412");
        for (const auto& code : refusals) {
            ASSERT_TRUE(answers.contains(code)) << code;
            EXPECT_TRUE(answers.at(code).at("content").contains("application/problem+json"));
        }
    }
}

// The list of what a list can be filtered by is what it takes.
TEST_F(Description, ItsQueryParametersAreUnderstood) {
    for (const Route& route : whole_.routes()) {
        if (route.method != Method::get || route.query.empty() || !route.response_is_list ||
            !route.access.roles || route.pattern.find('{') != std::string::npos)
            continue;
        for (const auto& parameter : route.query) {
            if (parameter.name == "after" || parameter.name == "wait") continue;
            const std::string value = parameter.name == "sort" ? "" : "1";
            auto made = request(Method::get, route.pattern + "?" + parameter.name + "=" + value);
            const auto answer = send(whole_, made, http::BodyText(""));
            EXPECT_THAT(answer.text, testing::Not(HasSubstr("is not known here")))
                << route.pattern << parameter.name;
        }
        auto made = request(Method::get, route.pattern + "?no_such_field=1");
        EXPECT_EQ(send(whole_, made, http::BodyText("")).code, 400U) << route.pattern;
    }
}

// By the schema of the OpenAPI initiative, with the validator from npm (mgmt/http/docs/package.json).
TEST_F(Description, IsValidOpenApi) {
    const std::string file = directory_.path() + "/openapi.json";
    std::ofstream(file) << document_.dump();
    EXPECT_EQ(std::system(("node " ROUSE_VALIDATOR " '" + file + "' " ROUSE_NODE_MODULES).c_str()), 0);
}

TEST_F(Description, IsShownByAPageThatNeedsNothingFromElsewhere) {
    const auto page = get_whole("/docs");
    EXPECT_EQ(page.code, 200U);
    EXPECT_EQ(page.text.find("://"), std::string::npos) << page.text;
    const std::string policy(page.headers.get("Content-Security-Policy"));
    EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
    EXPECT_THAT(policy, testing::Not(HasSubstr("http")));
    EXPECT_EQ(get_whole("/docs/").text, page.text);
    // Everything that it names is there.
    std::size_t named = 0;
    for (auto at = page.text.find("=\"/docs/"); at != std::string::npos;
         at = page.text.find("=\"/docs/", at + 1)) {
        const auto end = page.text.find('"', at + 2);
        const auto file = get_whole(page.text.substr(at + 2, end - at - 2));
        EXPECT_EQ(file.code, 200U);
        EXPECT_FALSE(file.text.empty());
        ++named;
    }
    EXPECT_EQ(named, 4U);
    EXPECT_EQ(get_whole("/docs/../admin").code, 404U);
    EXPECT_EQ(get_whole("/docs/other.js").code, 404U);
}

}  // namespace
}  // namespace rouse::ims
