#include "tests/unit/ims/api_fixture.hpp"

#include <thread>

namespace rouse::ims {
namespace {

class Machines : public ApiTest {
  protected:
    json pool_ = make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}, {"gateway", "10.77.0.254"}});
    json node(int n) {
        return {{"hostname", "n" + std::to_string(n)}, {"mac", "02:00:00:00:00:0" + std::to_string(n)}};
    }
};

TEST_F(Machines, NeedNothingButNameAndMac) {
    const auto answer = post("/api/machines/", node(1));
    ASSERT_EQ(answer.code, 201U) << answer.text;
    const json made = answer.body();
    EXPECT_EQ(answer.headers.get("Location"), path("/api/machines/", made));
    EXPECT_EQ(made["ip"], "10.77.0.2");
    EXPECT_EQ(made["ip_pool"], pool_["id"]);
    EXPECT_EQ(made["status"], "INACTIVE");
    EXPECT_EQ(made["health"], "UNKNOWN");
    for (const auto& [name, value] : made.items()) EXPECT_NE(name[0], '_');
    EXPECT_EQ(get(path("/api/machines/", made)).body(), made);
    EXPECT_EQ(host("02:00:00:00:00:01")->address.to_string(), "10.77.0.2");
    const json leases = get("/api/leases/").body();
    ASSERT_EQ(leases.size(), 1U);
    EXPECT_EQ(leases[0]["machine"], made["id"]);
    EXPECT_EQ(leases[0]["mac_address"], "02:00:00:00:00:01");
    EXPECT_EQ(leases[0]["binding_state"], "reserved");
    EXPECT_TRUE(leases[0]["lease_end"].is_null());
}

TEST_F(Machines, AreFoundByWhatPeopleKnow) {
    make("/api/machines/", {{"hostname", "n1"}, {"mac", "02-00-00-00-00-AB"}});
    make("/api/machines/", node(2));
    for (const char* query : {"mac=02:00:00:00:00:AB", "mac=02-00-00-00-00-ab", "hostname=n1", "ip=10.77.0.2",
                              "hostname=n1&mac=02:00:00:00:00:ab"}) {
        const json found = get(std::string("/api/machines/?") + query).body();
        ASSERT_EQ(found.size(), 1U) << query;
        EXPECT_EQ(found[0]["hostname"], "n1");
    }
    EXPECT_EQ(get("/api/machines/?hostname=n1&mac=02:00:00:00:00:02").body(), json::array());
    EXPECT_EQ(get("/api/machines/?status=INACTIVE").body().size(), 2U);
    EXPECT_EQ(get("/api/machines/?mac=02:00").code, 400U);
}

TEST_F(Machines, BadInputNamesTheField) {
    make("/api/machines/", node(1));
    auto with = [this](int n, const char* field, const json& value) {
        json body = node(n);
        body[field] = value;
        return body;
    };
    struct Case {
        json body;
        unsigned code;
        const char* field;
    };
    for (const Case& wrong : {Case{{{"mac", "02:00:00:00:00:02"}}, 400, "/hostname"},
                              {{{"hostname", "x"}}, 400, "/mac"},
                              {with(2, "mac", "02:00:00:00:00"), 400, "/mac"},
                              {with(2, "mac", "00:00:00:00:00:00"), 400, "/mac"},
                              {with(2, "mac", "ff:ff:ff:ff:ff:ff"), 400, "/mac"},
                              {with(2, "mac", "01:00:5e:00:00:01"), 400, "/mac"},
                              {with(2, "mac", "02:00:00:00:00:01"), 409, "/mac"},
                              {with(2, "hostname", "n1"), 409, "/hostname"},
                              {with(2, "hostname", "no spaces"), 400, "/hostname"},
                              {with(2, "hostname", "-n"), 400, "/hostname"},
                              {with(2, "hostname", std::string(64, 'x')), 400, "/hostname"},
                              {with(2, "ip", "10.77.0.300"), 400, "/ip"},
                              {with(2, "ip", "10.78.0.3"), 400, "/ip"},
                              {with(2, "ip", "10.77.0.2"), 409, "/ip"},
                              {with(2, "ip", "10.77.0.254"), 400, "/ip"},
                              {with(2, "ip", "10.77.0.1"), 400, "/ip"},
                              {with(2, "cluster", "x"), 400, "/cluster"},
                              {with(2, "cluster", "01890000-0000-7000-8000-000000000000"), 400, "/cluster"},
                              {with(2, "boot_profile", "none"), 400, "/boot_profile"},
                              {with(2, "cpu_cores", -1), 400, "/cpu_cores"},
                              {with(2, "role", "CHIEF"), 400, "/role"},
                              {with(2, "os_type", "BEOS"), 400, "/os_type"},
                              {with(2, "status", "FINE"), 400, "/status"},
                              {with(2, "_network", 7), 400, "/_network"}}) {
        const auto answer = post("/api/machines/", wrong.body);
        EXPECT_EQ(answer.code, wrong.code) << wrong.body << answer.text;
        EXPECT_EQ(answer.wrong_field(), wrong.field) << wrong.body << answer.text;
    }
    EXPECT_EQ(get("/api/machines/").body().size(), 1U);
    EXPECT_EQ(get("/api/leases/").body().size(), 1U);
}

TEST_F(Machines, APutThatDoesNotMentionTheAddressKeepsIt) {
    json body = node(1);
    body["ip"] = "10.77.0.9";
    const json made = make("/api/machines/", body);
    const auto replaced =
        put(path("/api/machines/", made), {{"hostname", "other"}, {"mac", "02:00:00:00:00:05"}});
    ASSERT_EQ(replaced.code, 200U) << replaced.text;
    EXPECT_EQ(replaced.body()["ip"], "10.77.0.9");
    EXPECT_EQ(replaced.body()["id"], made["id"]);
    EXPECT_FALSE(host("02:00:00:00:00:01"));
    EXPECT_EQ(host("02:00:00:00:00:05")->hostname.view(), "other");
}

TEST_F(Machines, APatchMovesTheAddressOrAsksForAPlannedOne) {
    const json made = make("/api/machines/", node(1));
    const std::string here = path("/api/machines/", made);
    EXPECT_EQ(patch(here, {{"ip", "10.77.0.50"}}).body()["ip"], "10.77.0.50");
    EXPECT_EQ(patch(here, {{"role", "WORKER"}}).body()["ip"], "10.77.0.50");
    EXPECT_EQ(patch(here, {{"ip", nullptr}}).body()["ip"], "10.77.0.2");
    EXPECT_EQ(patch(here, {{"ip", "10.99.0.1"}}).wrong_field(), "/ip");
    EXPECT_EQ(patch(here, {{"mac", nullptr}}).wrong_field(), "/mac");
    EXPECT_EQ(host("02:00:00:00:00:01")->address.to_string(), "10.77.0.2")
        << "a refused change changes nothing";
    EXPECT_EQ(get("/api/leases/").body().size(), 1U);
}

TEST_F(Machines, DeletionFreesNameAddressAndMac) {
    const json made = make("/api/machines/", node(1));
    EXPECT_EQ(remove(path("/api/machines/", made)).code, 204U);
    EXPECT_EQ(get("/api/leases/").body(), json::array());
    EXPECT_EQ(make("/api/machines/", node(1))["ip"], made["ip"]);
}

TEST_F(Machines, ManyAtOnceGetAnAddressEach) {
    std::vector<std::thread> threads;
    std::atomic<int> made{0};
    // A request each, several under way in the writer at a time.
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 25; ++i) {
                char mac[18];
                std::snprintf(mac, sizeof mac, "02:00:00:00:%02x:%02x", t, i);
                const auto answer =
                    post("/api/machines/", {{"hostname", "h" + std::to_string(t * 25 + i)}, {"mac", mac}});
                if (answer.code == 201) ++made;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(made, 100);
    EXPECT_EQ(get("/api/leases/").body().size(), 100U);
}

}  // namespace
}  // namespace rouse::ims
