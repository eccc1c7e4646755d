// Provisioning requests over REST, with machines whose boots are written as the recorder would.

#include "mgmt/events/timeline.hpp"
#include "mgmt/o2ims/provisioning/provisioning_routes.hpp"
#include "mgmt/o2ims/service.hpp"
#include "shared/clock.hpp"
#include "tests/unit/ims/api_fixture.hpp"

namespace rouse::o2ims {
namespace {

using events::BootStage;
using http::Method;
using ims::Answer;
using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kRequests = "/o2ims-infrastructureProvisioning/v1/provisioningRequests";
constexpr const char* kId = "0192f0c0-0000-7000-8000-0000000000aa";
constexpr const char* kMac = "52:54:00:00:00:01";

class O2imsRequests : public ims::ApiTest {
  protected:
    O2imsRequests() {
        accept_spellings(api_);
        add_provisioning(api_, *services_, provisioner_);
        add_templates(api_, *services_);
        make("/api/boot-profiles/", {{"name", "debian"}});
        make("/api/ip-pools/",
             {{"cidr", "10.77.0.0/16"}, {"range_start", "10.77.1.1"}, {"range_end", "10.77.1.250"}});
    }
    static Cloud cloud() {
        Cloud out;
        out.id = *store::Id::parse("0192f0c0-0000-7000-8000-00000000c10d");
        return out;
    }
    static json request(json parameters, const std::string& id = kId) {
        return {{"provisioningRequestId", id},    {"name", "rack 7"},
                {"description", "three servers"}, {"templateName", "debian"},
                {"templateVersion", "1.0.0"},     {"templateParameters", std::move(parameters)}};
    }
    static json one_server(const char* hostname = "n1", const char* mac = kMac) {
        return {{"servers", {{{"hostname", hostname}, {"mac", mac}}}}};
    }
    static std::string one(const std::string& id = kId) { return std::string(kRequests) + "/" + id; }
    json status(const std::string& id = kId) { return get(one(id)).body()["status"]; }

    // What the server does again and again.
    void turn(std::uint64_t later_seconds = 0) {
        const std::uint64_t now = realtime_ns() + later_seconds * kNanosPerSecond;
        const auto due = provisioner_.due_requests(*store_->snapshot(), now);
        ASSERT_TRUE(due) << due.error().message;
        for (const auto& id : *due) {
            const auto moved =
                writer_->run([&](store::Batch& batch) { return provisioner_.advance(batch, id); });
            ASSERT_TRUE(moved) << moved.error().message;
        }
    }
    void boots(const std::string& mac, BootStage stage, std::uint32_t number = 1) {
        const auto written = writer_->run([&](store::Batch& batch) -> Result<void> {
            const auto machine =
                store::find_by(batch, store::kMachines, store::kMachineByMac, mac).value().value();
            auto boot = events::read_boot(batch, consumer_->tables(), machine.id)
                            .value()
                            .value_or(events::BootRecord{});
            boot.number = number;
            boot.stage = stage;
            return events::write_boot(batch, consumer_->tables(), machine.id, boot);
        });
        ASSERT_TRUE(written);
    }
    json machine(const std::string& mac) {
        const json found = get("/api/machines/?mac=" + mac).body();
        return found.empty() ? json() : found[0];
    }

    Inventory inventory_{*store_, consumer_->tables(), cloud()};
    Provisioner provisioner_{*services_, inventory_};
};

TEST_F(O2imsRequests, AServerIsRegisteredFollowedAndReleased) {
    const auto posted = post(kRequests, request(one_server()));
    ASSERT_EQ(posted.code, 201U) << posted.text;
    EXPECT_EQ(posted.headers.get("Location"), one());
    EXPECT_EQ(posted.body()["status"]["provisioningPhase"], "PENDING");
    turn();
    EXPECT_EQ(status()["provisioningPhase"], "PROGRESSING");
    EXPECT_THAT(status()["message"].get<std::string>(), HasSubstr("n1 waits to be powered on"));
    EXPECT_EQ(machine(kMac)["boot_profile"], "debian");
    EXPECT_EQ(machine(kMac)["hostname"], "n1");
    boots(kMac, BootStage::transferring);
    turn();
    EXPECT_THAT(status()["message"].get<std::string>(), HasSubstr("at stage transferring"));
    boots(kMac, BootStage::home);
    turn();
    EXPECT_EQ(status()["provisioningPhase"], "FULFILLED");
    const json done = get(one()).body();
    const std::string resource = inventory_.resource_id(*MacAddress::parse(kMac));
    EXPECT_EQ(done["provisionedResourceSet"]["infrastructureResourceIds"], json{resource});
    EXPECT_EQ(done["status"]["infrastructureResourceProvisioningStatus"][0]["resourceProvisioningPhase"],
              "PROVISIONED");
    const auto deleted = remove(one());
    EXPECT_EQ(deleted.code, 202U);
    EXPECT_EQ(status()["provisioningPhase"], "DELETING");
    turn();
    EXPECT_EQ(get(one()).code, 404U);
    EXPECT_TRUE(machine(kMac).is_null()) << "it was registered by the request alone";
}

TEST_F(O2imsRequests, AMachineThatWasThereStays) {
    const json was = make("/api/machines/", {{"hostname", "spare"}, {"mac", kMac}});
    json parameters = one_server("n1", kMac);
    parameters["servers"][0]["resourceId"] = inventory_.resource_id(*MacAddress::parse(kMac));
    ASSERT_EQ(post(kRequests, request(parameters)).code, 201U);
    boots(kMac, BootStage::home, 7);  // an earlier one, which is not the request's doing
    turn();
    EXPECT_EQ(machine(kMac)["id"], was["id"]);
    EXPECT_EQ(status()["provisioningPhase"], "PROGRESSING");
    boots(kMac, BootStage::home, 8);
    turn();
    EXPECT_EQ(status()["provisioningPhase"], "FULFILLED");
    remove(one());
    turn();
    EXPECT_EQ(machine(kMac)["id"], was["id"]);
    EXPECT_TRUE(machine(kMac).value("boot_profile", json()).is_null());
}

TEST_F(O2imsRequests, WithoutAnAddressAnyFreeServerWillDo) {
    json parameters{{"servers", {{{"hostname", "n1"}}}}};
    ASSERT_EQ(post(kRequests, request(parameters)).code, 201U);
    turn();
    EXPECT_EQ(status()["infrastructureResourceProvisioningStatus"][0]["resourceProvisioningPhase"],
              "AWAITING_FREE_RESOURCES");
    make("/api/machines/", {{"hostname", "spare"}, {"mac", kMac}});
    turn();
    EXPECT_EQ(machine(kMac)["hostname"], "n1");
    // It is nobody else's now.
    const std::string other = "0192f0c0-0000-7000-8000-0000000000bb";
    ASSERT_EQ(post(kRequests, request(one_server("n2", kMac), other)).code, 201U);
    turn();
    EXPECT_EQ(status(other)["provisioningPhase"], "FAILED");
    EXPECT_THAT(status(other)["message"].get<std::string>(), HasSubstr("is another request's"));
}

TEST_F(O2imsRequests, ALateServerFailsTheRequestAtAStage) {
    json parameters = one_server();
    parameters["powerOnSeconds"] = 1;
    ASSERT_EQ(post(kRequests, request(parameters)).code, 201U);
    turn();
    EXPECT_EQ(status()["provisioningPhase"], "PROGRESSING");
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    turn();
    EXPECT_EQ(status()["provisioningPhase"], "FAILED");
    EXPECT_THAT(status()["message"].get<std::string>(), HasSubstr("n1 failed at stage power-on"));
    // PUT begins anew.
    EXPECT_EQ(put(one(), request(one_server())).code, 200U);
    EXPECT_EQ(status()["provisioningPhase"], "PENDING");
    turn();
    EXPECT_EQ(status()["provisioningPhase"], "PROGRESSING");
}

TEST_F(O2imsRequests, APutReleasesWhatItNamesNoMore) {
    json two{{"servers",
              {{{"hostname", "n1"}, {"mac", kMac}}, {{"hostname", "n2"}, {"mac", "52:54:00:00:00:02"}}}}};
    ASSERT_EQ(post(kRequests, request(two)).code, 201U);
    turn();
    ASSERT_FALSE(machine("52:54:00:00:00:02").is_null());
    const std::string kept = machine(kMac)["id"];
    ASSERT_EQ(put(one(), request(one_server())).code, 200U);
    EXPECT_TRUE(machine("52:54:00:00:00:02").is_null());
    EXPECT_EQ(machine(kMac)["id"], kept);
}

TEST_F(O2imsRequests, BadRequestsSayWhatIsWrong) {
    const auto wrong_field = [this](const json& body) { return post(kRequests, body).wrong_field(); };
    EXPECT_EQ(wrong_field(request(json::object())), "/templateParameters/servers");
    EXPECT_EQ(wrong_field(request({{"servers", {{{"hostname", "n1"}, {"mac", "nonsense"}}}}})),
              "/templateParameters/servers/0/mac");
    EXPECT_EQ(wrong_field(request({{"servers", {{{"hostname", "n1"}, {"resourceId", kId}}}}})),
              "/templateParameters/servers/0/resourceId");
    json unknown = request(one_server());
    unknown["templateName"] = "none";
    EXPECT_EQ(wrong_field(unknown), "/templateName");
    unknown["templateName"] = "debian";
    unknown["templateVersion"] = "2";
    EXPECT_EQ(wrong_field(unknown), "/templateVersion");
    unknown.erase("name");
    EXPECT_EQ(wrong_field(unknown), "/name");
    ASSERT_EQ(post(kRequests, request(one_server())).code, 201U);
    EXPECT_EQ(post(kRequests, request(one_server())).code, 409U);
    EXPECT_EQ(put(one(), request(one_server(), "0192f0c0-0000-7000-8000-0000000000bb")).code, 422U);
    EXPECT_EQ(put(one("0192f0c0-0000-7000-8000-0000000000bb"),
                  request(one_server(), "0192f0c0-0000-7000-8000-0000000000bb"))
                  .code,
              404U);
    EXPECT_EQ(patch(one(), {}).code, 405U);
    EXPECT_EQ(get(std::string(kRequests) + "?filter=(eq,status/provisioningPhase,PENDING)").body().size(),
              1U);
    EXPECT_EQ(get(std::string(kRequests) + "?filter=(eq,provisioningRequestData/name,x)").body().size(), 0U);
}

TEST_F(O2imsRequests, BootProfilesAreTheTemplates) {
    const std::string base = "/o2ims-infrastructureArtifacts/v1/managedInfrastructureTemplates";
    const json listed = get(base).body();
    ASSERT_EQ(listed.size(), 1U);
    const std::string id = listed[0]["artifactResourceId"];
    EXPECT_TRUE(store::Id::parse(id)) << id;
    EXPECT_EQ(get(base + "/" + id).body(), listed[0]);
    EXPECT_EQ(get(base + "/debian.1.0.0").body(), listed[0]);
    EXPECT_EQ(get(base + "/debian").code, 404U);
    EXPECT_EQ(get(base + "/0192f0c0-0000-7000-8000-0000000000bb").code, 404U);
    EXPECT_EQ(get(base + "/debian.2.0.0").code, 404U);
    EXPECT_TRUE(listed[0]["parameterSchema"]["properties"].contains("servers"));
}

}  // namespace
}  // namespace rouse::o2ims
