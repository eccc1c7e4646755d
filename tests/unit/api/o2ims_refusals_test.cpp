// The status codes of O2ims (1.3 of its common rules) for every service and version: each route of each
// refuses what is wrong with a request, by the code that is meant for it, and says so in problem details. Who
// may do what (401, 403) is in access_test.cpp, of every route.

#include "tests/unit/api/whole_api.hpp"

#include <map>
#include <set>

namespace rouse::ims {
namespace {

using http::BodyKind;
using http::Route;
using testing::HasSubstr;

constexpr const char* kNobody = "0192f0c0-0000-7000-8000-0000000000ff";

std::string nested(std::size_t levels) {
    return R"({"callback":)" + std::string(levels, '[') + std::string(levels, ']') + "}";
}

class O2imsRefusals : public WholeApiTest {
  protected:
    O2imsRefusals() { whole_.limit_json_body(1 << 20); }

    // "/o2ims-infrastructureInventory/v1", …
    static std::string service_of(const Route& route) {
        return route.pattern.substr(0, route.pattern.find('/', route.pattern.find("/v") + 1));
    }
    // ROUTE's path, of something that is not there.
    static std::string path_of(const Route& route) {
        std::string path = route.pattern;
        for (auto open = path.find('{'); open != std::string::npos; open = path.find('{'))
            path.replace(open, path.find('}', open) + 1 - open, kNobody);
        return path;
    }
    static bool takes_json(const Route& route) {
        return route.body == BodyKind::json || route.body == BodyKind::patch;
    }
    Answer ask(Method method, const std::string& target, const std::string& body = {},
               const char* type = "application/json", const char* version = nullptr) {
        auto made = request(method, target);
        made.headers.add("Content-Type", type);
        if (version != nullptr) made.headers.add("Version", version);
        return send(whole_, made, http::BodyText(body, 4096));
    }
    void expect(unsigned code, const Answer& answer) {
        EXPECT_EQ(answer.code, code) << answer.text;
        EXPECT_EQ(answer.headers.get("Content-Type"), "application/problem+json");
        const json problem = json::parse(answer.text, nullptr, false);
        ASSERT_TRUE(problem.is_object()) << answer.text;
        EXPECT_EQ(problem.value("status", 0U), code);
        EXPECT_FALSE(problem.value("detail", "").empty());
    }
    // Calls CHECK with each route that IS says; of every service there must be one, but for those in WITHOUT.
    template <typename Is, typename Check>
    void for_each(Is&& is, Check&& check, const std::set<std::string>& without = {}) {
        std::map<std::string, std::size_t> seen;
        for (const Route& route : whole_.routes()) {
            if (!route.pattern.starts_with("/o2ims") || route.pattern.find("/v") == std::string::npos)
                continue;  // what tells the versions is of no version
            auto& count = seen[service_of(route)];
            if (!is(route)) continue;
            ++count;
            SCOPED_TRACE(std::string(to_string(route.method)) + " " + route.pattern);
            check(route);
        }
        EXPECT_GE(seen.size(), 5U) << "the services, some in two versions";
        for (const auto& [service, count] : seen) EXPECT_EQ(count == 0, without.contains(service)) << service;
    }
};

TEST_F(O2imsRefusals, QueriesThatMeanNothing) {
    const auto lists = [](const Route& route) {
        return route.method == Method::get && route.response_is_list &&
               route.pattern.find('{') == std::string::npos;
    };
    for_each(lists, [&](const Route& route) {
        for (const char* query :
             {"filter=(eq,nothing,1)", "filter=(eq", "filter=(like,extensions,1)", "filter=eq,extensions,1",
              "filter=(eq,extensions)", "filter=(eq,extensions/a,1)x", "fields=nothing",
              "exclude_fields=no/thing", "all_fields=maybe", "all_fields&fields=extensions",
              "nextpage_opaque_marker=x", "nextpage_opaque_marker=0", "nextpage_opaque_marker=9000",
              "limit=0", "limit=many", "colour=red"}) {
            SCOPED_TRACE(query);
            expect(400, ask(Method::get, path_of(route) + "?" + query));
        }
    });
}

TEST_F(O2imsRefusals, IdsOfNothing) {
    const auto named = [](const Route& route) {
        return route.method == Method::get && route.pattern.find('{') != std::string::npos;
    };
    for_each(named, [&](const Route& route) {
        expect(404, ask(Method::get, path_of(route)));
        std::string nonsense = path_of(route);
        nonsense.replace(nonsense.find(kNobody), std::string(kNobody).size(), "..%2f..%2fetc");
        expect(404, ask(Method::get, nonsense));
    });
}

TEST_F(O2imsRefusals, MethodsThatAreNotThere) {
    for_each([](const Route& route) { return route.method == Method::get; },
             [&](const Route& route) {
                 std::set<Method> there;
                 for (const Route& other : whole_.routes())
                     if (path_of(other) == path_of(route)) there.insert(other.method);
                 for (const Method method : {Method::post, Method::put, Method::patch, Method::delete_}) {
                     if (there.contains(method)) continue;
                     const auto answer = ask(method, path_of(route), "{}");
                     expect(405, answer);
                     EXPECT_THAT(std::string(answer.headers.get("Allow")), HasSubstr("GET"));
                 }
             });
}

TEST_F(O2imsRefusals, VersionsThatAreNotSpoken) {
    for_each([](const Route& route) { return route.method == Method::get; },
             [&](const Route& route) {
                 if (route.pattern.ends_with("/api_versions")) return;
                 expect(406, ask(Method::get, path_of(route), {}, "application/json", "77.0.0"));
             });
}

// The inventory's and the artifacts' own resources are read alone; the former has subscriptions.
TEST_F(O2imsRefusals, BodiesThatAreNoJsonOrTooMuch) {
    std::set<std::string> read_only;
    for (const Route& route : whole_.routes())
        if (route.pattern.starts_with("/o2ims-infrastructureArtifacts") ||
            route.pattern.starts_with("/o2ims-infrastructureCluster"))
            read_only.insert(service_of(route));
    for_each(
        takes_json,
        [&](const Route& route) {
            const std::string path = path_of(route);
            expect(415, ask(route.method, path, "{}", "text/plain"));
            expect(415, ask(route.method, path, "a=b", "application/x-www-form-urlencoded"));
            for (const std::string& body :
                 {std::string(), std::string("{"), std::string("[]"), std::string("{\"a\":1,}"), nested(40),
                  nested(100'000), std::string(200'000, '['), std::string("{\"callback\":\"\xff\"}"),
                  std::string("{\"callback\":1,\"callback\":1}"), std::string("{\"no such member\":1}")}) {
                SCOPED_TRACE(body.substr(0, 60));
                expect(400, ask(route.method, path, body));
            }
            expect(413, ask(route.method, path, "{\"a\":\"" + std::string(2 << 20, 'x') + "\"}"));
        },
        read_only);
}

}  // namespace
}  // namespace rouse::ims
