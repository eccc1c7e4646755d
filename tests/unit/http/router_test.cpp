#include "mgmt/http/router.hpp"

#include "mgmt/http/schema.hpp"
#include "tests/unit/http/body_text.hpp"
#include "tests/unit/http/coroutine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace rouse::http {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const Schema kThing("Thing", "A thing", {string("name", "its name").required()});

std::string text_of(const Response& response) {
    return std::get<std::string>(response.body);
}

Response send(const Router& router, Method method, const std::string& path,
              const std::string& authorization = "", BodyText* body = nullptr) {
    Request request;
    request.method = method;
    request.path = path;
    request.id = "test-1";
    if (!authorization.empty()) request.headers.add("Authorization", authorization);
    if (body != nullptr) request.set_body(*body);
    return run_to_end(router.dispatch(request));
}

// Answers with its route's pattern and the parameters.
void add_echo(Router& router, Method method, const std::string& pattern,
              const std::vector<std::string>& names = {}) {
    router.add({.method = method, .pattern = pattern, .access = Access::anyone()},
               [pattern, names](Request& request) -> Outcome {
                   std::string out = pattern;
                   for (const auto& name : names) out += " " + name + "=" + request.parameter(name);
                   return Response::text(out);
               });
}

Router sample() {
    Router router;
    add_echo(router, Method::get, "/");
    add_echo(router, Method::get, "/api/machines/");
    add_echo(router, Method::post, "/api/machines/");
    add_echo(router, Method::get, "/api/machines/{id}/", {"id"});
    add_echo(router, Method::delete_, "/api/machines/{id}", {"id"});
    add_echo(router, Method::post, "/api/machines/import");
    add_echo(router, Method::get, "/api/machines/{machine}/timeline/", {"machine"});
    add_echo(router, Method::get, "/api/images/");
    add_echo(router, Method::put, "/api/images/{name...}", {"name"});
    add_echo(router, Method::get, "/a/{x}/b/{y}", {"x", "y"});
    return router;
}

struct Path {
    Method method;
    const char* path;
    const char* answer;
};

TEST(Router, FindsTheMostLiteralRoute) {
    const Router router = sample();
    const auto paths = std::to_array<Path>({
        {Method::get, "/", "/"},
        {Method::get, "/api/machines", "/api/machines/"},
        {Method::get, "/api/machines/", "/api/machines/"},
        {Method::get, "/api/machines/7", "/api/machines/{id}/ id=7"},
        {Method::get, "/api/machines/7/", "/api/machines/{id}/ id=7"},
        {Method::delete_, "/api/machines/a%2Fb%20c", "/api/machines/{id} id=a/b c"},
        {Method::post, "/api/machines/import", "/api/machines/import"},
        {Method::get, "/api/machines/import", "/api/machines/{id}/ id=import"},
        {Method::get, "/api/machines/7/timeline/", "/api/machines/{machine}/timeline/ machine=7"},
        {Method::put, "/api/images/debian/12/linux", "/api/images/{name...} name=debian/12/linux"},
        {Method::put, "/api/images/x%2fy/z/", "/api/images/{name...} name=x/y/z"},
        {Method::get, "/a/1/b/2", "/a/{x}/b/{y} x=1 y=2"},
        {Method::head, "/api/machines/7", "/api/machines/{id}/ id=7"},
    });
    for (const auto& [method, path, answer] : paths)
        EXPECT_EQ(text_of(send(router, method, path)), answer) << path;
}

TEST(Router, UnknownPathsAre404) {
    const Router router = sample();
    for (const char* path : {"/api", "/api/machines/7/other", "/API/machines", "/api//machines",
                             "/api/machines//", "/a//b/2", "/api/machines/7//", "*"}) {
        const auto response = send(router, Method::get, path);
        EXPECT_EQ(response.status, Status::not_found) << path;
        EXPECT_EQ(response.headers.get("content-type"), "application/problem+json");
        EXPECT_EQ(json::parse(text_of(response))["status"], 404);
    }
}

TEST(Router, OtherMethodsAre405WithAllow) {
    const Router router = sample();
    const auto response = send(router, Method::put, "/api/machines/7");
    EXPECT_EQ(response.status, Status::method_not_allowed);
    EXPECT_EQ(response.headers.get("Allow"), "GET, HEAD, DELETE, OPTIONS");
    EXPECT_EQ(json::parse(text_of(response))["title"], "Method Not Allowed");
    EXPECT_EQ(send(router, Method::get, "/api/images/x").headers.get("Allow"), "PUT, OPTIONS");
    EXPECT_EQ(send(router, Method::head, "/api/images/x").status, Status::method_not_allowed);
    EXPECT_EQ(send(router, Method::patch, "/api/machines/import").headers.get("Allow"),
              "GET, HEAD, POST, DELETE, OPTIONS");
}

TEST(Router, AnswersOptions) {
    const auto response = send(sample(), Method::options, "/api/machines");
    EXPECT_EQ(response.status, Status::no_content);
    EXPECT_EQ(response.headers.get("Allow"), "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(send(sample(), Method::options, "/nothing").status, Status::not_found);
}

TEST(Router, MalformedPathsAre400) {
    for (const char* path :
         {"/api/machines/%", "/api/machines/%zz", "/api/machines/%00", "/api/machines/%ff"})
        EXPECT_EQ(send(sample(), Method::get, path).status, Status::bad_request) << path;
}

TEST(Router, MalformedPatternsAreProgrammingErrors) {
    for (const char* pattern : {"", "api", "/{x", "/{}", "/{x...}/y", "/a//b", "/api/machines/{other}"}) {
        Router router = sample();
        EXPECT_THROW(add_echo(router, Method::get, pattern), std::logic_error) << pattern;
    }
    Router router;
    EXPECT_THROW(router.add({.method = Method::post, .pattern = "/x", .body = BodyKind::json},
                            [](Request&) -> Outcome { return Response::no_content(); }),
                 std::logic_error);
}

TEST(Router, AsksForTheRole) {
    Router router;
    router.authenticate_with([](const Request& request) -> OrProblem<Principal> {
        const auto role = parse_role(request.headers.get("Authorization"));
        if (!role) return problem(Status::unauthorized, "who are you?");
        return Principal{"somebody", *role};
    });
    for (const auto needed : {Role::viewer, Role::operator_, Role::administrator})
        router.add({.pattern = "/" + std::string(to_string(needed)), .access = Access::of(needed)},
                   [](Request& request) -> Outcome { return Response::text(request.principal->user); });
    constexpr auto kForbidden = Status::forbidden;
    const std::map<std::string, std::array<Status, 3>> table = {
        {"", {Status::unauthorized, Status::unauthorized, Status::unauthorized}},
        {"viewer", {Status::ok, kForbidden, kForbidden}},
        {"operator", {Status::ok, Status::ok, kForbidden}},
        {"administrator", {Status::ok, Status::ok, Status::ok}},
    };
    for (const auto& [held, expected] : table)
        for (std::size_t i = 0; i < expected.size(); ++i)
            EXPECT_EQ(send(router, Method::get, "/" + std::string(kRoleNames[i]), held).status, expected[i])
                << held << " on " << kRoleNames[i];
    EXPECT_THAT(text_of(send(router, Method::get, "/administrator", "viewer")),
                HasSubstr("needs the role administrator; somebody is viewer"));
}

TEST(Router, ChecksBodiesBeforeTheHandler) {
    Router router;
    const auto echo = [](Request& request) -> Outcome { return Response::json(request.json()); };
    router.add({.method = Method::post,
                .pattern = "/things",
                .access = Access::anyone(),
                .body = BodyKind::json,
                .request = &kThing},
               echo);
    router.add({.method = Method::patch,
                .pattern = "/things",
                .access = Access::anyone(),
                .body = BodyKind::patch,
                .request = &kThing},
               echo);
    router.limit_json_body(40);

    BodyText good(R"({"name":"x"})");
    EXPECT_EQ(json::parse(text_of(send(router, Method::post, "/things", "", &good))), json({{"name", "x"}}));
    BodyText empty("{}");
    const auto missing = send(router, Method::post, "/things", "", &empty);
    EXPECT_EQ(missing.status, Status::bad_request);
    EXPECT_EQ(json::parse(text_of(missing)),
              json({{"status", 400},
                    {"title", "Bad Request"},
                    {"detail", "\"name\" is required"},
                    {"errors", {{{"pointer", "/name"}, {"detail", "is required"}}}}}));
    BodyText patch("{}");
    EXPECT_EQ(send(router, Method::patch, "/things", "", &patch).status, Status::ok);
    BodyText large(R"({"name":")" + std::string(100, 'x') + "\"}");
    EXPECT_EQ(send(router, Method::post, "/things", "", &large).status, Status::content_too_large);
}

TEST(Router, StrangersCannotSendMuch) {
    Router router;
    router.authenticate_with([](const Request&) -> OrProblem<Principal> {
        return Principal{"x", Role::viewer};
    });
    const auto nothing = [](Request&) -> Outcome { return Response::no_content(); };
    Route route{
        .method = Method::post, .pattern = "/open", .access = Access::anyone(), .body = BodyKind::json};
    route.request = &kThing;
    router.add(route, nothing);
    route.pattern = "/more";
    route.max_body = 1 << 20;
    router.add(route, nothing);
    route.pattern = "/closed";
    route.max_body = 0;
    route.access = Access::of(Role::viewer);
    router.add(route, nothing);
    const auto status = [&router](const char* path) {
        BodyText body(R"({"name":"x"})" + std::string(Router::kMaxStrangersBody, ' '), 4096);
        return send(router, Method::post, path, "", &body).status;
    };
    EXPECT_EQ(status("/open"), Status::content_too_large);
    EXPECT_EQ(status("/more"), Status::no_content);
    EXPECT_EQ(status("/closed"), Status::no_content);
}

TEST(Router, AnExceptionIsA500WithoutInternals) {
    Router router;
    router.add({.pattern = "/plain", .access = Access::anyone()},
               [](Request&) -> Outcome { throw std::runtime_error("secret"); });
    router.add({.pattern = "/waiting", .access = Access::anyone()},
               Handler([](Request&) -> asio::awaitable<Outcome> {
                   throw std::runtime_error("secret");
                   co_return Response::no_content();
               }));
    router.add({.pattern = "/closed"}, [](Request&) -> Outcome { return Response::no_content(); });
    for (const char* path : {"/plain", "/waiting", "/closed"}) {
        const auto response = send(router, Method::get, path);
        EXPECT_EQ(response.status, Status::internal_server_error);
        EXPECT_THAT(text_of(response), HasSubstr("test-1"));
        EXPECT_EQ(text_of(response).find("secret"), std::string::npos);
    }
}

TEST(Problem, KeepsBrokenUtf8OutOfTheAnswer) {
    const auto response = Response::from({Status::bad_request, "bad \xff byte", {{"/a\xfe", "x"}}, {}});
    EXPECT_EQ(json::parse(text_of(response))["detail"], "bad \xef\xbf\xbd byte");
}

TEST(Request, AParameterThatThePatternLacksIsAProgrammingError) {
    const Request request;
    EXPECT_THROW((void)request.parameter("id"), std::out_of_range);
}

}  // namespace
}  // namespace rouse::http
