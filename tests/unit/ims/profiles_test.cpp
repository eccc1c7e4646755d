#include "tests/unit/ims/api_fixture.hpp"

namespace rouse::ims {
namespace {

class Profiles : public ApiTest {
  protected:
    // The script that the machine at IP is sent.
    std::string script(const char* ip) {
        auto made = request(Method::get, "/boot/boot.ipxe");
        made.peer = *Ipv4Address::parse(ip);
        const auto answer = send(rack_, made, http::BodyText(""));
        return answer.code == 200 ? answer.text : "";
    }
};

TEST_F(Profiles, WarnOfImagesThatAreNotThereYet) {
    const json made = make("/api/boot-profiles/", {{"name", "live"},
                                                   {"loaders", {{"bios", "undionly.kpxe"}}},
                                                   {"kernel", "vmlinuz"},
                                                   {"initrds", {"initrd.img"}}});
    EXPECT_EQ(made["warnings"].size(), 3U);
    EXPECT_FALSE(made.contains("_profile"));
    auto upload = request(Method::put, "/api/images/vmlinuz");
    ASSERT_EQ(send(api_, upload, http::BodyText("kernel")).code, 201U);
    EXPECT_EQ(get(path("/api/boot-profiles/", made)).body()["warnings"].size(), 2U);
}

TEST_F(Profiles, BadInputNamesTheField) {
    make("/api/boot-profiles/", {{"name", "live"}});
    struct Case {
        json body;
        unsigned code;
        const char* field;
    };
    for (const Case& wrong : {Case{json::object(), 400, "/name"},
                              {{{"name", "two words"}}, 400, "/name"},
                              {{{"name", "live"}}, 409, "/name"},
                              {{{"name", "a"}, {"loaders", {{"z80", "x"}}}}, 400, "/loaders/z80"},
                              {{{"name", "a"}, {"loaders", {{"bios", "../x"}}}}, 400, "/loaders/bios"},
                              {{{"name", "a"}, {"kernel", std::string(128, 'x')}}, 400, "/kernel"},
                              {{{"name", "a"}, {"kernel", "/x"}}, 400, "/kernel"},
                              {{{"name", "a"}, {"kernel", "x"}, {"initrds", {"i", 7}}}, 400, "/initrds/1"},
                              {{{"name", "a"}, {"initrds", {"i"}}}, 400, "/initrds"},
                              {{{"name", "a"}, {"kernel", "x"}, {"cmdline", "{{nope}}"}}, 400, "/cmdline"},
                              {{{"name", "a"}, {"kernel", "x"}, {"cmdline", "a || b"}}, 400, "/cmdline"},
                              {{{"name", "a"}, {"cmdline", "quiet"}}, 400, "/cmdline"}}) {
        const auto answer = post("/api/boot-profiles/", wrong.body);
        EXPECT_EQ(answer.code, wrong.code) << answer.text;
        EXPECT_EQ(answer.wrong_field(), wrong.field) << answer.text;
    }
}

TEST_F(Profiles, AChangeReachesEveryMachineThatBootsIt) {
    const json live = make("/api/boot-profiles/", {{"name", "live"}, {"kernel", "one"}});
    const json cluster = make("/api/cluster/", {{"name", "edge"}, {"boot_profile", "live"}});
    make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}, {"boot_profile", "live"}});
    make("/api/machines/", {{"hostname", "own"}, {"mac", "02:00:00:00:00:01"}, {"boot_profile", "live"}});
    make("/api/machines/",
         {{"hostname", "clustered"}, {"mac", "02:00:00:00:00:02"}, {"cluster", cluster["id"]}});
    make("/api/machines/", {{"hostname", "pooled"}, {"mac", "02:00:00:00:00:03"}});
    for (const char* ip : {"10.77.0.2", "10.77.0.3", "10.77.0.4"})
        EXPECT_NE(script(ip).find("/one "), std::string::npos) << ip;
    ASSERT_EQ(patch(path("/api/boot-profiles/", live), {{"kernel", "two"}}).code, 200U);
    for (const char* ip : {"10.77.0.2", "10.77.0.3", "10.77.0.4"})
        EXPECT_NE(script(ip).find("/two "), std::string::npos) << ip;
    ASSERT_EQ(patch(path("/api/cluster/", cluster), {{"boot_profile", nullptr}, {"name", "core"}}).code,
              200U);
    EXPECT_NE(script("10.77.0.3"), "") << "its pool's now";
    EXPECT_EQ(patch(path("/api/boot-profiles/", live), {{"kernel", nullptr}}).code, 200U);
    EXPECT_EQ(script("10.77.0.2"), "");
}

TEST_F(Profiles, InUseAreNeitherRenamedNorDeleted) {
    const json live = make("/api/boot-profiles/", {{"name", "live"}});
    const std::string here = path("/api/boot-profiles/", live);
    const json machine =
        make("/api/machines/", {{"hostname", "n"}, {"mac", "02:00:00:00:00:01"}, {"boot_profile", "live"}});
    EXPECT_EQ(patch(here, {{"name", "other"}}).wrong_field(), "/name");
    EXPECT_EQ(remove(here).code, 409U);
    EXPECT_EQ(patch(path("/api/machines/", machine), {{"boot_profile", nullptr}}).code, 200U);
    EXPECT_EQ(patch(here, {{"name", "other"}}).code, 200U);
    EXPECT_EQ(remove(here).code, 204U);
    EXPECT_EQ(*store_->snapshot()->txn().count(store_->tables().profiles), 0U);
}

}  // namespace
}  // namespace rouse::ims
