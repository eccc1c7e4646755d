#include "mgmt/o2ims/inventory/inventory_routes.hpp"
#include "mgmt/o2ims/service.hpp"
#include "tests/unit/ims/api_fixture.hpp"

#include <gtest/gtest.h>

namespace rouse::o2ims {
namespace {

using http::Method;
using ims::Answer;
using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kBase = "/o2ims-infrastructureInventory/v1";

class O2imsInventory : public ims::ApiTest {
  protected:
    O2imsInventory() {
        accept_spellings(api_);
        add_inventory(api_, inventory_);
    }
    static Cloud cloud() {
        Cloud out;
        out.id = *store::Id::parse("0192f0c0-0000-7000-8000-00000000c10d");
        out.global_id = "0192f0c0-0000-7000-8000-0000000091ba";
        out.service_uri = "https://rouse.example:30205";
        return out;
    }
    json list(const std::string& what, const std::string& query = {}) {
        const auto answer = get(std::string(kBase) + "/" + what + query);
        EXPECT_EQ(answer.code, 200U) << answer.text;
        return answer.code == 200 ? answer.body() : json::array();
    }
    json machine(const std::string& name, const std::string& mac, json more = json::object()) {
        more["hostname"] = name;
        more["mac"] = mac;
        return make("/api/machines/", more);
    }
    // As the ramdisk's agent would have it.
    void found(const json& machine, json hardware) {
        const auto id = *store::Id::parse(machine["id"].get_ref<const std::string&>());
        const auto written = writer_->run([&](store::Batch& batch) {
            auto document = store::find(batch, store::kMachines, id).value().value();
            document.fields["hardware"] = hardware;
            return store::update(batch, store::kMachines, std::move(document));
        });
        ASSERT_TRUE(written);
    }
    static std::string resource_of(const json& resources, const std::string& hostname) {
        for (const json& one : resources)
            if (one["extensions"].value("hostname", "") == hostname) return one["resourceId"];
        return {};
    }

    Inventory inventory_{*store_, consumer_->tables(), cloud()};
};

TEST_F(O2imsInventory, ServersAreResourcesOfTheirClustersPools) {
    const json rack = make("/api/cluster/", {{"name", "rack7"}});
    machine("n1", "52:54:00:00:00:01", {{"cluster", rack["id"]}, {"role", "WORKER"}});
    machine("n2", "52:54:00:00:00:02");
    const json pools = list("resourcePools");
    ASSERT_EQ(pools.size(), 2U);
    const json in_rack = list("resourcePools/" + rack["id"].get<std::string>() + "/resources");
    ASSERT_EQ(in_rack.size(), 1U);
    EXPECT_EQ(in_rack[0]["description"], "n1");
    EXPECT_EQ(in_rack[0]["tags"], (json{"registered", "WORKER"}));
    const json others = list("resourcePools/" + inventory_.unassigned_pool() + "/resources");
    ASSERT_EQ(others.size(), 1U);
    EXPECT_EQ(others[0]["description"], "n2");
    EXPECT_EQ(list("resources").size(), 2U);
    const auto one = get(std::string(kBase) + "/resources/" + others[0]["resourceId"].get<std::string>());
    EXPECT_EQ(one.body(), others[0]) << "list and single are equal";
    EXPECT_EQ(get(std::string(kBase) + "/resourcePools/" + rack["id"].get<std::string>() + "/resources/" +
                  others[0]["resourceId"].get<std::string>())
                  .code,
              404U);
}

TEST_F(O2imsInventory, FollowsWhatChanges) {
    const json rack = make("/api/cluster/", {{"name", "rack7"}});
    const json n1 = machine("n1", "52:54:00:00:00:01");
    const std::string id = list("resources")[0]["resourceId"];
    EXPECT_EQ(patch(path("/api/machines/", n1), {{"cluster", rack["id"]}}).code, 200U);
    EXPECT_EQ(list("resources")[0]["resourcePoolId"], rack["id"]);
    EXPECT_EQ(list("resources")[0]["resourceId"], id) << "it is still the same server";
    EXPECT_EQ(remove(path("/api/cluster/", rack)).code, 204U);
    EXPECT_TRUE(list("resources").empty());
    EXPECT_EQ(list("resourcePools").size(), 1U);
    // Registered again, it is the same resource.
    machine("n1", "52:54:00:00:00:01");
    EXPECT_EQ(list("resources")[0]["resourceId"], id);
    EXPECT_EQ(inventory_.resource_id(*MacAddress::parse("52:54:00:00:00:01")), id);
}

TEST_F(O2imsInventory, TypesAreWhatServersAreMadeOf) {
    const char* kPhysical = "?filter=(eq,resourceKind,PHYSICAL)";
    const json n1 = machine("n1", "52:54:00:00:00:01");
    ASSERT_EQ(list("resourceTypes", kPhysical).size(), 1U);
    EXPECT_EQ(list("resourceTypes", kPhysical)[0]["model"], "unknown");
    found(n1, {{"firmware", {{"vendor", "ACME"}, {"product", "Blade 9"}, {"serial", "S1"}}},
               {"memory_bytes", 68719476736},
               {"interfaces", {{{"name", "eth0"}, {"mac", "52:54:00:00:00:01"}, {"driver", "ice"}}}},
               {"disks", {{{"name", "nvme0n1"}, {"model", "X100"}, {"size_bytes", 480000000000}}}}});
    const json types = list("resourceTypes", "?filter=(eq,resourceClass,COMPUTE)");
    ASSERT_EQ(types.size(), 1U);
    EXPECT_EQ(types[0]["name"], "ACME Blade 9");
    EXPECT_EQ(types[0]["resourceKind"], "PHYSICAL");
    EXPECT_EQ(list("resourceTypes", kPhysical).size(), 3U);
    const json server = list("resources")[0];
    EXPECT_EQ(server["globalAssetId"], "S1");
    ASSERT_EQ(server["elements"].size(), 2U);
    for (const char* name : {"elements", "tags", "groups"})
        EXPECT_EQ(server["elements"][0][name], json::array())
            << "a part is a resource: its clients read them";
    EXPECT_EQ(server["extensions"]["sources"]["memory_bytes"]["source"], "agent");
    EXPECT_EQ(list("resources", "?filter=(gt,extensions/memory_bytes,60000000000)").size(), 1U);
    EXPECT_EQ(list("resources", "?filter=(eq,elements/extensions/model,X100)").size(), 1U);
    EXPECT_TRUE(list("resources", "?filter=(eq,elements/extensions/model,X200)").empty());
    found(n1, json::object());
    EXPECT_EQ(list("resourceTypes", kPhysical).size(), 1U) << "nothing is of the others any more";
}

TEST_F(O2imsInventory, TheCloudSaysWhatItIs) {
    const json info = get(kBase).body();
    EXPECT_EQ(info["oCloudId"], cloud().id.to_string());
    EXPECT_EQ(info["globalCloudId"], cloud().global_id);
    EXPECT_EQ(info["globalcloudId"], cloud().global_id) << "as some clients spell it";
    EXPECT_EQ(get(std::string(kBase) + "/").body(), info);
    const json versions = get("/o2ims-infrastructureInventory/api_versions").body();
    EXPECT_EQ(versions["uriPrefix"], "/o2ims-infrastructureInventory");
    EXPECT_EQ(versions["apiVersions"].size(), 2U);
    EXPECT_EQ(get("/O2ims_infrastructureInventory/v1/api_versions").body()["uriPrefix"],
              "/O2ims_infrastructureInventory");
    EXPECT_EQ(get("/o2ims-infrastructureInventory/v2/locations").body().size(), 1U);
    EXPECT_EQ(get("/o2ims-infrastructureInventory/v1/locations").code, 404U) << "they came with v2";
}

TEST_F(O2imsInventory, EverySpellingIsServed) {
    machine("n1", "52:54:00:00:00:01");
    for (const char* path :
         {"/O2ims_infrastructureInventory/v2/resources", "/o2ims_infrastructureInventory/v1/resources/",
          "//o2ims-infrastructureInventory//v1/resources", "/o2ims/v1/resources"})
        EXPECT_EQ(get(path).body().size(), 1U) << path;
}

TEST_F(O2imsInventory, TheVersionHeaderIsHonoured) {
    http::Headers headers;
    headers.add("Version", "2.0.0");
    EXPECT_EQ(call(Method::get, kBase, {}, headers).code, 406U);
    const auto answer = call(Method::get, "/o2ims-infrastructureInventory/v2", {}, headers);
    EXPECT_EQ(answer.code, 200U);
    EXPECT_EQ(answer.headers.get("Version"), "2.0.0");
    EXPECT_EQ(get(std::string(kBase) + "/resourcePools/none").headers.get("Version"), "1.3.0");
}

TEST_F(O2imsInventory, WhatIsNotThereAndWhatIsWrong) {
    EXPECT_EQ(get(std::string(kBase) + "/resourcePools/0192f0c0-0000-7000-8000-000000000000").code, 404U);
    EXPECT_EQ(get(std::string(kBase) + "/resourcePools/0192f0c0-0000-7000-8000-000000000000/resources").code,
              404U);
    EXPECT_EQ(get(std::string(kBase) + "/resources?filter=(eq,nothing,1)").code, 400U);
    EXPECT_EQ(get(std::string(kBase) + "/resources?fields=(a,WrongAttrName)").code, 400U);
    const auto wrong = call(Method::post, std::string(kBase) + "/resourcePools", "{}");
    EXPECT_EQ(wrong.code, 405U);
    EXPECT_THAT(std::string(wrong.headers.get("Allow")), HasSubstr("GET"));
}

}  // namespace
}  // namespace rouse::o2ims
