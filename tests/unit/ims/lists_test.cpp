// What all resources kept as documents have in common: lists, and changes made on condition.

#include "tests/unit/ims/api_fixture.hpp"

#include <set>

namespace rouse::ims {
namespace {

class Lists : public ApiTest {
  protected:
    Lists() {
        make("/api/ip-pools/", {{"cidr", "10.77.0.0/16"}, {"gateway", "10.77.0.254"}});
        for (int i = 0; i < 12; ++i)
            make("/api/machines/",
                 {{"hostname", "n" + std::to_string(i)},
                  {"mac", MacAddress{{2, 0, 0, 0, 0, static_cast<std::uint8_t>(i + 1)}}.to_string()},
                  {"cpu_cores", i % 3},
                  {"ip", "10.77.0." + std::to_string(120 - 10 * i)},
                  {"quirks", i == 4 ? json{"plain-tftp"} : json::array()}});
    }
    std::vector<std::string> names(const std::string& query) {
        const auto answer = get("/api/machines/?" + query);
        EXPECT_EQ(answer.code, 200U) << answer.text;
        std::vector<std::string> found;
        for (const auto& machine : answer.body()) found.push_back(machine["hostname"]);
        return found;
    }
    // Every page of QUERY, by the links, and how many there were.
    std::pair<std::vector<std::string>, int> all_pages(const std::string& query) {
        std::vector<std::string> found;
        int pages = 0;
        for (std::string target = "/api/machines/?" + query; !target.empty() && pages < 20; ++pages) {
            const auto answer = get(target);
            EXPECT_EQ(answer.code, 200U) << answer.text;
            for (const auto& machine : answer.body()) found.push_back(machine["hostname"]);
            const std::string link(answer.headers.get("Link"));
            target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
        }
        return {found, pages};
    }
};

TEST_F(Lists, AreFilteredByAnyField) {
    using testing::ElementsAre;
    EXPECT_THAT(names("cpu_cores=1&sort=hostname"), ElementsAre("n1", "n10", "n4", "n7"));
    EXPECT_THAT(names("quirks=plain-tftp"), ElementsAre("n4"));
    EXPECT_THAT(names("ip=10.77.0.120"), ElementsAre("n0"));
    EXPECT_THAT(names("status=INACTIVE&cpu_cores=2&hostname=n2"), ElementsAre("n2"));
    EXPECT_THAT(names("status=ERROR"), ElementsAre());
}

TEST_F(Lists, AreSortedByWhatTheFieldsMean) {
    const auto by_address = names("sort=ip");
    ASSERT_EQ(by_address.size(), 12U);
    EXPECT_EQ(by_address.front(), "n11");  // 10.77.0.10, not 10.77.0.100
    EXPECT_EQ(by_address[1], "n10");
    EXPECT_EQ(by_address.back(), "n0");
    EXPECT_THAT(names("sort=cpu_cores,-hostname&limit=3"), testing::ElementsAre("n9", "n6", "n3"));
}

TEST_F(Lists, ComeInPagesThatLinkToTheNext) {
    for (const std::string order :
         {"", "&sort=ip", "&sort=-cpu_cores", "&sort=cpu_cores,ip", "&status=INACTIVE"}) {
        const auto whole = names(order.empty() ? "" : order.substr(1));
        ASSERT_EQ(whole.size(), 12U);
        for (const int limit : {1, 5, 6, 12, 100}) {
            const auto [found, pages] = all_pages("limit=" + std::to_string(limit) + order);
            EXPECT_EQ(found, whole) << limit << order;
            EXPECT_EQ(pages, (12 + limit - 1) / limit) << limit << order;
        }
    }
}

TEST_F(Lists, PagesGoOnWhereTheyWereWhateverHappensMeanwhile) {
    for (const std::string order : {"", "&sort=hostname", "&sort=-ip"}) {
        const auto first = get("/api/machines/?limit=4" + order);
        const std::string link(first.headers.get("Link"));
        ASSERT_FALSE(link.empty());
        std::set<std::string> seen;
        for (const auto& machine : first.body()) seen.insert(machine["hostname"]);
        // The last one seen goes, and one that sorts before all others comes.
        EXPECT_EQ(remove(path("/api/machines/", first.body().back())).code, 204U);
        const json fresh =
            make("/api/machines/", {{"hostname", "a" + std::to_string(seen.size() + order.size())},
                                    {"mac", "06:00:00:00:00:0" + std::to_string(order.size() % 10)},
                                    {"ip", "10.77.200." + std::to_string(order.size() + 1)}});
        for (std::string target = link.substr(1, link.find('>') - 1); !target.empty();) {
            const auto answer = get(target);
            ASSERT_EQ(answer.code, 200U) << answer.text;
            for (const auto& machine : answer.body())
                EXPECT_TRUE(seen.insert(machine["hostname"]).second) << order;
            const std::string next(answer.headers.get("Link"));
            target = next.empty() ? "" : next.substr(1, next.find('>') - 1);
        }
        // All but, where it sorts before the page, the fresh one; the deleted one was seen before it went.
        const auto now = names("");
        for (const auto& name : now)
            EXPECT_TRUE(name == fresh["hostname"] || seen.contains(name)) << name << order;
    }
}

TEST_F(Lists, OfOtherKindsAreSortedAndPagedAlike) {
    const auto leases = get("/api/leases/?sort=-ip_address&limit=2&binding_state=reserved");
    ASSERT_EQ(leases.code, 200U) << leases.text;
    EXPECT_EQ(leases.body()[0]["ip_address"], "10.77.0.120");
    EXPECT_EQ(leases.body()[1]["ip_address"], "10.77.0.110");
    const std::string link(leases.headers.get("Link"));
    EXPECT_EQ(get(link.substr(1, link.find('>') - 1)).body()[0]["ip_address"], "10.77.0.100");
    EXPECT_EQ(get("/api/leases/?hostname=n3").body().size(), 1U);
    EXPECT_EQ(get("/api/leases/?after=10.77.0.100").body().size(), 2U);
    // What is not stored is sorted and filtered by too.
    make("/api/ip-pools/", {{"cidr", "10.9.0.0/24"}});
    make("/api/ip-pools/", {{"cidr", "10.10.0.0/24"}});
    EXPECT_EQ(get("/api/ip-pools/?sort=-used").body()[0]["cidr"], "10.77.0.0/16");
    EXPECT_EQ(get("/api/ip-pools/?sort=cidr").body()[0]["cidr"], "10.9.0.0/24");
    EXPECT_EQ(get("/api/ip-pools/?used=0").body().size(), 2U);
}

TEST_F(Lists, RefuseWhatTheyDoNotKnow) {
    for (const auto& [query, said] : std::initializer_list<std::pair<const char*, const char*>>{
             {"colour=red", "colour is not known here"},
             {"cpu_cores=many", "cpu_cores must be a whole number"},
             {"cpu_cores=70000", "cpu_cores must be a whole number from 0 to 65536"},
             {"mac=1", "mac must be a MAC address"},
             {"ip=1.2.3", "ip must be an IPv4 address"},
             {"status=FINE", "status must be one of"},
             {"hardware=x", "hardware has parts"},
             {"sort=colour", "names 'colour'"},
             {"sort=", ""},
             {"limit=0", "limit"},
             {"limit=x", "limit"},
             {"after=x", "after must be the id"},
             {"sort=ip&after=01890000-0000-7000-8000-000000000000", "as the Link header"}}) {
        const auto answer = get(std::string("/api/machines/?") + query);
        if (*said == 0) {
            EXPECT_EQ(answer.code, 200U) << query;
            continue;
        }
        EXPECT_EQ(answer.code, 400U) << query;
        EXPECT_THAT(answer.detail(), testing::HasSubstr(said)) << query;
    }
    // What is never sent is nothing to look for either.
    EXPECT_EQ(get("/api/users/?password=x").code, 400U);
}

class Conditions : public ApiTest {
  protected:
    json cluster_ = make("/api/cluster/", {{"name", "edge"}});
    std::string here_ = path("/api/cluster/", cluster_);

    Answer with(Method method, const char* header, const std::string& value, const std::string& body = {}) {
        http::Headers headers;
        headers.add(header, value);
        return call(method, here_, body, headers);
    }
};

TEST_F(Conditions, WhoSawAnOlderVersionChangesNothing) {
    const std::string first(get(here_).headers.get("ETag"));
    ASSERT_FALSE(first.empty());
    const auto changed = with(Method::patch, "If-Match", first, R"({"description":"one"})");
    EXPECT_EQ(changed.code, 200U) << changed.text;
    const std::string second(changed.headers.get("ETag"));
    EXPECT_NE(second, first);
    EXPECT_EQ(with(Method::patch, "If-Match", first, R"({"description":"two"})").code, 412U);
    EXPECT_EQ(with(Method::put, "If-Match", first, R"({"name":"two"})").code, 412U);
    EXPECT_EQ(with(Method::delete_, "If-Match", first).code, 412U);
    EXPECT_EQ(with(Method::patch, "If-Match", "W/" + second, R"({"description":"two"})").code, 412U);
    EXPECT_EQ(get(here_).body()["description"], "one");
    EXPECT_EQ(with(Method::patch, "If-Match", "\"x\", " + second, R"({"description":"two"})").code, 200U);
    EXPECT_EQ(with(Method::patch, "If-Match", "*", R"({"description":"three"})").code, 200U);
    EXPECT_EQ(get(here_).body()["description"], "three");
    EXPECT_EQ(with(Method::delete_, "If-Match", std::string(get(here_).headers.get("ETag"))).code, 204U);
}

TEST_F(Conditions, WhoHasTheVersionIsToldSo) {
    const std::string tag(get(here_).headers.get("ETag"));
    const auto same = with(Method::get, "If-None-Match", "W/" + tag);
    EXPECT_EQ(same.code, 304U);
    EXPECT_EQ(same.text, "");
    EXPECT_EQ(same.headers.get("ETag"), tag);
    patch(here_, {{"description", "one"}});
    EXPECT_EQ(with(Method::get, "If-None-Match", tag).code, 200U);
}

TEST_F(Conditions, HoldForTheServicesToo) {
    for (const char* service : {"/api/dhcp-config/", "/api/tftp-config/"}) {
        here_ = service;
        const std::string first(get(here_).headers.get("ETag"));
        ASSERT_FALSE(first.empty());
        EXPECT_EQ(with(Method::get, "If-None-Match", first).code, 304U);
        EXPECT_EQ(with(Method::patch, "If-Match", first, R"({"enabled":false})").code, 200U);
        EXPECT_EQ(with(Method::patch, "If-Match", first, R"({"enabled":true})").code, 412U);
        EXPECT_EQ(with(Method::put, "If-Match", first, "{}").code, 412U);
        EXPECT_EQ(get(here_).body()["enabled"], false);
        EXPECT_NE(get(here_).headers.get("ETag"), first);
        EXPECT_EQ(patch(here_, {{"enabled", true}}).headers.get("ETag"), first) << "the same again";
    }
}

TEST_F(Conditions, TheTagOfWhatWasMadeOrChangedIsInTheAnswer) {
    const auto made = post("/api/cluster/", {{"name", "other"}});
    EXPECT_EQ(made.headers.get("ETag"), get(path("/api/cluster/", made.body())).headers.get("ETag"));
    const auto changed = patch(here_, {{"description", "one"}});
    EXPECT_EQ(changed.headers.get("ETag"), get(here_).headers.get("ETag"));
}

}  // namespace
}  // namespace rouse::ims
