#include "tests/unit/ims/api_fixture.hpp"

namespace rouse::ims {
namespace {

class Clusters : public ApiTest {};

TEST_F(Clusters, AreMadeReadChangedAndDeleted) {
    const json made = make("/api/cluster/", {{"name", "edge"}, {"description", "two\nlines"}});
    EXPECT_EQ(made["status"], "UNKNOWN");
    const std::string here = path("/api/cluster/", made);
    EXPECT_EQ(get(here).body(), made);
    EXPECT_EQ(get(path("/api/clusters/", made)).body(), made) << "both spellings";
    EXPECT_EQ(get("/api/clusters").body(), json::array({made}));

    const auto changed = patch(here, {{"description", "one line"}});
    EXPECT_EQ(changed.code, 200U) << changed.text;
    EXPECT_EQ(changed.body()["name"], "edge");
    const auto replaced = put(here, {{"name", "core"}});
    EXPECT_EQ(replaced.code, 200U) << replaced.text;
    EXPECT_FALSE(replaced.body().contains("description"));
    EXPECT_EQ(replaced.body()["created_at"], made["created_at"]);
    EXPECT_EQ(replaced.body()["status"], "UNKNOWN") << "what the appliance follows stays";

    EXPECT_EQ(remove(here).code, 204U);
    EXPECT_EQ(remove(here).code, 404U);
    EXPECT_EQ(get(here).code, 404U);
    EXPECT_EQ(put(here, {{"name", "core"}}).code, 404U);
}

TEST_F(Clusters, BadInputNamesTheField) {
    make("/api/cluster/", {{"name", "edge"}});
    struct Case {
        json body;
        unsigned code;
        const char* field;
    };
    for (const Case& wrong : {Case{json::object(), 400, "/name"},
                              {{{"name", ""}}, 400, "/name"},
                              {{{"name", std::string(101, 'x')}}, 400, "/name"},
                              {{{"name", 7}}, 400, "/name"},
                              {{{"name", "a"}, {"status", "FINE"}}, 400, "/status"},
                              {{{"name", "a"}, {"boot_profile", "none"}}, 400, "/boot_profile"},
                              {{{"name", "a"}, {"colour", "red"}}, 400, "/colour"},
                              {{{"name", "edge"}}, 409, "/name"}}) {
        const auto answer = post("/api/cluster/", wrong.body);
        EXPECT_EQ(answer.code, wrong.code) << answer.text;
        EXPECT_EQ(answer.wrong_field(), wrong.field) << answer.text;
    }
    EXPECT_EQ(call(Method::post, "/api/cluster/", "{\"name\":").code, 400U);
    EXPECT_EQ(get("/api/cluster/not-an-id/").code, 404U);
    EXPECT_EQ(get("/api/cluster/?name=edge").body().size(), 1U);
    EXPECT_EQ(get("/api/cluster/?nam=edge").code, 400U);
    EXPECT_EQ(get("/api/cluster/?limit=0").code, 400U);
    EXPECT_EQ(get("/api/cluster/?after=x").code, 400U);
}

TEST_F(Clusters, MachinesAreAddedToThemAndGoWithThem) {
    make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}});
    const json cluster = make("/api/cluster/", {{"name", "edge"}});
    const std::string here = path("/api/cluster/", cluster);
    const json machine = make(here + "add_machine/", {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}});
    EXPECT_EQ(machine["cluster"], cluster["id"]);
    EXPECT_EQ(get("/api/machines/?cluster=" + cluster["id"].get<std::string>()).body().size(), 1U);
    EXPECT_EQ(post(here + "add_machine/", {{"hostname", "n1"}, {"mac", "02:00:00:00:00:02"}}).wrong_field(),
              "/hostname");
    EXPECT_EQ(post("/api/cluster/01890000-0000-7000-8000-000000000000/add_machine/",
                   {{"hostname", "n2"}, {"mac", "02:00:00:00:00:02"}})
                  .code,
              404U);
    EXPECT_EQ(remove(here).code, 204U);
    EXPECT_EQ(get(path("/api/machines/", machine)).code, 404U);
    EXPECT_FALSE(host("02:00:00:00:00:01"));
    EXPECT_EQ(get("/api/leases/").body(), json::array());
}

TEST_F(Clusters, MachinesAreReachedByBothIds) {
    make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}});
    const std::string edge = path("/api/cluster/", make("/api/cluster/", {{"name", "edge"}}));
    const std::string core = path("/api/clusters/", make("/api/cluster/", {{"name", "core"}}));
    const auto answer = post(edge + "machines/", {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}});
    ASSERT_EQ(answer.code, 201U) << answer.text;
    const json machine = answer.body();
    EXPECT_EQ(answer.headers.get("Location"), path("/api/machines/", machine));
    make(core + "machines/", {{"hostname", "n1"}, {"mac", "02:00:00:00:00:02"}});
    EXPECT_EQ(get(edge + "machines/").body(), json::array({machine}));
    EXPECT_EQ(get(edge + "machines?hostname=n2").body(), json::array());
    const std::string here = path(edge + "machines/", machine);
    EXPECT_EQ(get(here).body(), machine);
    EXPECT_EQ(get(path(core + "machines/", machine)).code, 404U);
    EXPECT_EQ(patch(path(core + "machines/", machine), {{"role", "WORKER"}}).code, 404U);
    EXPECT_EQ(patch(here, {{"role", "WORKER"}}).body()["role"], "WORKER");
    const auto replaced = put(here, {{"hostname", "n3"}, {"mac", "02:00:00:00:00:01"}});
    ASSERT_EQ(replaced.code, 200U) << replaced.text;
    EXPECT_EQ(replaced.body()["cluster"], machine["cluster"]) << "it stays where it is";
    EXPECT_EQ(remove(path(core + "machines/", machine)).code, 404U);
    EXPECT_EQ(remove(here).code, 204U);
    EXPECT_EQ(get(path("/api/machines/", machine)).code, 404U);
}

TEST_F(Clusters, StatusIsTheirMachinesButForMaintenance) {
    make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}});
    const std::string here = path("/api/cluster/", make("/api/cluster/", {{"name", "edge"}}));
    const std::string n1 =
        path("/api/machines/", make(here + "machines/", {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}}));
    make(here + "machines/", {{"hostname", "n2"}, {"mac", "02:00:00:00:00:02"}, {"status", "ACTIVE"}});
    const auto status = [&] { return get(here).body()["status"]; };
    EXPECT_EQ(status(), "OPERATIONAL");
    patch(n1, {{"status", "ERROR"}});
    EXPECT_EQ(status(), "CRITICAL");
    EXPECT_EQ(get(here).body()["health"], "CRITICAL");
    EXPECT_EQ(patch(here, {{"status", "OPERATIONAL"}}).body()["status"], "CRITICAL")
        << "saying so helps nobody";
    EXPECT_EQ(patch(here, {{"status", "MAINTENANCE"}}).body()["status"], "MAINTENANCE");
    patch(n1, {{"status", "ACTIVE"}});
    EXPECT_EQ(status(), "MAINTENANCE");
    EXPECT_EQ(get(here).body()["health"], "HEALTHY");
    EXPECT_EQ(patch(here, {{"description", "back soon"}}).body()["status"], "MAINTENANCE");
    EXPECT_EQ(patch(here, {{"status", "UNKNOWN"}}).body()["status"], "OPERATIONAL");
    EXPECT_EQ(remove(n1).code, 204U);
    EXPECT_EQ(status(), "OPERATIONAL");
}

TEST_F(Clusters, ThatOwnAPoolAreNotDeletedUnderIt) {
    const json cluster = make("/api/cluster/", {{"name", "edge"}});
    const json pool = make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}, {"cluster", cluster["id"]}});
    EXPECT_EQ(remove(path("/api/cluster/", cluster)).code, 409U);
    EXPECT_EQ(remove(path("/api/ip-pools/", pool)).code, 204U);
    EXPECT_EQ(remove(path("/api/cluster/", cluster)).code, 204U);
}

TEST_F(Clusters, RolesDecideWhoMayWrite) {
    role_ = http::Role::viewer;
    EXPECT_EQ(get("/api/cluster/").code, 200U);
    EXPECT_EQ(post("/api/cluster/", {{"name", "edge"}}).code, 403U);
    EXPECT_EQ(get("/api/users/").code, 403U);
    role_ = http::Role::operator_;
    const json made = make("/api/cluster/", {{"name", "edge"}});
    EXPECT_EQ(remove(path("/api/cluster/", made)).code, 204U);
    EXPECT_EQ(get("/api/users/").code, 403U);
}

}  // namespace
}  // namespace rouse::ims
