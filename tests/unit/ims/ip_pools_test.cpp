#include "tests/unit/ims/api_fixture.hpp"

#include <set>

namespace rouse::ims {
namespace {

class IpPools : public ApiTest {
  protected:
    std::optional<store::NetworkRecord> network(std::uint32_t id) {
        return *store_->snapshot()->record<store::NetworkRecord>(store_->tables().networks,
                                                                 store::bytes_of(be32(id)));
    }
};

TEST_F(IpPools, TellTheDataplaneTheirNetwork) {
    const json pool = make("/api/ip-pools/", {{"cidr", "10.77.0.0/16"},
                                              {"gateway", "10.77.0.254"},
                                              {"range_start", "10.77.1.0"},
                                              {"range_end", "10.77.1.9"},
                                              {"lease_seconds", 3600},
                                              {"dns_servers", {"10.0.0.53", "10.0.1.53"}},
                                              {"unknown_machines", "serve"}});
    const auto record = network(1);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->prefix.to_string(), "10.77.0.0/16");
    EXPECT_EQ(record->gateway.to_string(), "10.77.0.254");
    EXPECT_EQ(record->range_end.to_string(), "10.77.1.9");
    EXPECT_EQ(record->lease_seconds, 3600U);
    EXPECT_EQ(record->dns_count, 2);
    EXPECT_EQ(record->dns[1].to_string(), "10.0.1.53");
    EXPECT_EQ(record->flags, store::NetworkRecord::kServeUnknown);
    EXPECT_EQ(
        patch(path("/api/ip-pools/", pool), {{"unknown_machines", "ignore"}, {"dns_servers", nullptr}}).code,
        200U);
    EXPECT_EQ(network(1)->flags, 0);
    EXPECT_EQ(network(1)->dns_count, 0);
    EXPECT_EQ(remove(path("/api/ip-pools/", pool)).code, 204U);
    EXPECT_FALSE(network(1));
    make("/api/ip-pools/", {{"cidr", "10.77.0.0/16"}});
    EXPECT_TRUE(network(2)) << "a number is never given twice";
}

TEST_F(IpPools, BadInputNamesTheField) {
    make("/api/ip-pools/", {{"cidr", "10.77.0.0/16"}});
    struct Case {
        json body;
        unsigned code;
        const char* field;
    };
    for (const Case& wrong :
         {Case{json::object(), 400, "/cidr"},
          {{{"cidr", "10.80.0.1/16"}}, 400, "/cidr"},
          {{{"cidr", "10.80.0.0/31"}}, 400, "/cidr"},
          {{{"cidr", "10.77.8.0/24"}}, 409, "/cidr"},
          {{{"cidr", "10.80.0.0/24"}, {"gateway", "10.81.0.1"}}, 400, "/gateway"},
          {{{"cidr", "10.80.0.0/24"}, {"range_start", "10.80.1.1"}}, 400, "/range_start"},
          {{{"cidr", "10.80.0.0/24"}, {"range_end", "10.80.0.255"}}, 400, "/range_end"},
          {{{"cidr", "10.80.0.0/24"}, {"lease_seconds", 1}}, 400, "/lease_seconds"},
          {{{"cidr", "10.80.0.0/24"}, {"dns_servers", {"x"}}}, 400, "/dns_servers/0"},
          {{{"cidr", "10.80.0.0/24"}, {"unknown_machines", "maybe"}}, 400, "/unknown_machines"},
          {{{"cidr", "10.80.0.0/24"}, {"boot_profile", "none"}}, 400, "/boot_profile"},
          {{{"cidr", "10.80.0.0/24"}, {"cluster", "01890000-0000-7000-8000-000000000000"}},
           400,
           "/cluster"}}) {
        const auto answer = post("/api/ip-pools/", wrong.body);
        EXPECT_EQ(answer.code, wrong.code) << answer.text;
        EXPECT_EQ(answer.wrong_field(), wrong.field) << answer.text;
    }
    EXPECT_EQ(get("/api/ip-pools/").body().size(), 1U);
}

TEST_F(IpPools, AnEmptyPoolsNetworkMayChangeAndItsRangeWithIt) {
    const json pool = make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}, {"range_end", "10.77.0.9"}});
    const std::string here = path("/api/ip-pools/", pool);
    EXPECT_EQ(patch(here, {{"cidr", "10.78.0.0/24"}}).wrong_field(), "/range_end")
        << "this one was asked for";
    const auto moved = patch(here, {{"cidr", "10.78.0.0/24"}, {"range_end", nullptr}});
    ASSERT_EQ(moved.code, 200U) << moved.text;
    EXPECT_EQ(moved.body()["range_start"], "10.78.0.1");
    EXPECT_EQ(moved.body()["range_end"], "10.78.0.254");
    EXPECT_EQ(network(1)->prefix.to_string(), "10.78.0.0/24");
}

TEST_F(IpPools, APoolThatAppearsServesThoseWhoWait) {
    for (int i = 0; i < 300; ++i) {
        char mac[18];
        std::snprintf(mac, sizeof mac, "02:00:00:00:%02x:%02x", i / 256, i % 256);
        make("/api/machines/", {{"hostname", "n" + std::to_string(i)}, {"mac", mac}});
    }
    EXPECT_EQ(host("02:00:00:00:01:00")->network, 0U);
    make("/api/ip-pools/", {{"cidr", "10.77.0.0/16"}});
    EXPECT_EQ(get("/api/leases/").body().size(), 300U);
    EXPECT_EQ(host("02:00:00:00:01:00")->network, 1U);
}

TEST_F(IpPools, WithMachinesAreDeletedOnlyByForce) {
    const json first = make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}});
    make("/api/machines/", {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}});
    make("/api/machines/", {{"hostname", "n2"}, {"mac", "02:00:00:00:00:02"}});
    const std::string here = path("/api/ip-pools/", first);
    const auto refused = remove(here);
    EXPECT_EQ(refused.code, 409U);
    EXPECT_NE(refused.detail().find("2 machines"), std::string::npos);
    EXPECT_EQ(patch(here, {{"cidr", "10.78.0.0/24"}}).wrong_field(), "/cidr");
    EXPECT_EQ(patch(here, {{"gateway", "10.77.0.2"}}).wrong_field(), "/gateway") << "n1 has that address";

    make("/api/ip-pools/", {{"cidr", "10.79.0.0/30"}});  // room for two
    EXPECT_EQ(remove(here + "?force=true").code, 204U);
    // Which of the two goes first is not said: they may be of the same millisecond.
    const std::set<std::string> moved{host("02:00:00:00:00:01")->address.to_string(),
                                      host("02:00:00:00:00:02")->address.to_string()};
    EXPECT_EQ(moved, (std::set<std::string>{"10.79.0.1", "10.79.0.2"}));
    EXPECT_EQ(get("/api/leases/").body().size(), 2U);
}

}  // namespace
}  // namespace rouse::ims
