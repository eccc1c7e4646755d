// The performance service and the dictionaries over REST, with readings out of the store.

#include "mgmt/o2ims/inventory_routes.hpp"
#include "mgmt/o2ims/measurement_jobs.hpp"
#include "mgmt/o2ims/performance_routes.hpp"
#include "mgmt/o2ims/readings.hpp"
#include "mgmt/o2ims/service.hpp"
#include "shared/clock.hpp"
#include "tests/unit/ims/api_fixture.hpp"

#include <set>

namespace rouse::o2ims {
namespace {

using nlohmann::json;

constexpr const char* kJobsPath = "/o2ims-infrastructurePerformance/v2/measurementJobs";
constexpr const char* kConfigurationPath =
    "/o2ims-infrastructurePerformance/v2/performanceServiceConfiguration";
constexpr const char* kInventoryPath = "/o2ims-infrastructureInventory/v1";
constexpr const char* kUnknownId = "0192f0c0-0000-7000-8000-0000000000ff";
constexpr std::uint64_t kNow = 1'800'000'000 * kNanosPerSecond;

class O2imsPerformance : public ims::ApiTest {
  protected:
    O2imsPerformance() {
        accept_spellings(api_);
        add_inventory(api_, inventory_);
        add_performance(api_, *services_, inventory_, collector_);
    }
    static Cloud cloud() {
        Cloud out;
        out.id = *store::Id::parse("0192f0c0-0000-7000-8000-00000000c10d");
        return out;
    }
    static json job(std::vector<std::string> names = {"server.cpuUsage", "server.boots"}) {
        return {
            {"collectionInterval", 60},
            {"measurementSelectionCriteria", {{"performanceMeasurementDefinitionIds", std::move(names)}}}};
    }
    static std::string one(const json& job) {
        return std::string(kJobsPath) + "/" + job["performanceMeasurementJobId"].get<std::string>();
    }
    json machine(const std::string& name, const std::string& mac, double cpu) {
        json made = make("/api/machines/", {{"hostname", name}, {"mac", mac}});
        make("/api/resource-metrics/", {{"machine", made["id"]}, {"cpu_usage", cpu}});
        return made;
    }
    Result<std::vector<Reading>> readings() {
        return take_readings({*store_, consumer_->tables(), inventory_, dataplane_, *transfers_});
    }

    Inventory inventory_{*store_, consumer_->tables(), cloud()};
    events::DataplaneCounters dataplane_{run_dir_};
    Collector collector_{*store_, [this] { return readings(); }};
};

TEST_F(O2imsPerformance, AJobMeasuresServersAndItsResultsAreListed) {
    machine("n1", "52:54:00:00:00:01", 12.5);
    machine("n2", "52:54:00:00:00:02", 50);
    const auto posted = post(kJobsPath, job());
    ASSERT_EQ(posted.code, 201U) << posted.text;
    const json made = posted.body();
    EXPECT_EQ(posted.headers.get("Location"), one(made));
    EXPECT_EQ(made["state"], "ACTIVE");
    EXPECT_EQ(made["preinstalledJob"], false);
    ASSERT_TRUE(collector_.turn(kNow));
    ASSERT_TRUE(collector_.turn(kNow + 60 * kNanosPerSecond));
    const json all = get(one(made) + "/results").body();
    ASSERT_EQ(all.size(), 4U);
    const std::string n1 = inventory_.resource_id(*MacAddress::parse("52:54:00:00:00:01"));
    const json of_one = get(one(made) + "/results?filter=(eq,resourceId," + n1 + ")").body();
    ASSERT_EQ(of_one.size(), 2U);
    EXPECT_EQ(of_one[0]["values"][0]["value"], 12.5);
    EXPECT_EQ(of_one[0]["values"][1]["value"], 0.0) << "it never booted";
    const auto page = get(one(made) + "/results?limit=3");
    EXPECT_EQ(page.body().size(), 3U);
    const std::string link(page.headers.find("Link").value_or(""));
    const auto next = get(link.substr(1, link.find('>') - 1));
    ASSERT_EQ(next.code, 200U) << link << next.text;
    EXPECT_EQ(next.body(), json::array({all[3]}));
    EXPECT_EQ(get(one(made)).body()["measuredResources"].size(), 2U);
    EXPECT_FALSE(get(kJobsPath).body()[0].contains("measuredResources")) << "left out by default";
    EXPECT_EQ(get("/o2ims/v1/measurementJobs").body().size(), 1U) << "as some clients spell it";
}

TEST_F(O2imsPerformance, ResultsHaveWhatTheDictionariesHave) {
    machine("n1", "52:54:00:00:00:01", 12.5);
    std::set<std::string> named;
    for (const json& dictionary : get(std::string(kInventoryPath) + "/performanceDictionaries").body())
        for (const json& one : dictionary["supportedMeasurements"])
            named.insert(one["performanceMeasurementDefinitionId"].get<std::string>());
    const auto posted = post(kJobsPath, job({named.begin(), named.end()}));
    ASSERT_EQ(posted.code, 201U) << "a job may select all that they name: " << posted.text;
    ASSERT_TRUE(collector_.turn(kNow));
    const json results = get(one(posted.body()) + "/results").body();
    ASSERT_EQ(results.size(), 2U) << "the server and the appliance";
    for (const json& result : results)
        for (const json& value : result["values"])
            EXPECT_TRUE(named.contains(value["performanceMeasurementDefinitionId"].get<std::string>()));
}

TEST_F(O2imsPerformance, ServersTypesReferToTheirDictionary) {
    machine("n1", "52:54:00:00:00:01", 1);
    const std::string base = kInventoryPath;
    const json type = get(base + "/resourceTypes").body()[0];
    const std::string id = type["performanceDictionaryId"];
    const json dictionary = get(base + "/performanceDictionaries/" + id).body();
    EXPECT_EQ(dictionary["performanceDictionaryId"], id);
    EXPECT_EQ(
        get(base + "/resourceTypes/" + type["resourceTypeId"].get<std::string>() + "/performanceDictionary")
            .body(),
        dictionary);
    EXPECT_EQ(get(base + "/performanceDictionaries/" + kUnknownId).code, 404U);
    EXPECT_EQ(get(base + "/resourceTypes/" + kUnknownId + "/performanceDictionary").code, 404U);
}

TEST_F(O2imsPerformance, ThereAreNoDeploymentManagers) {
    const std::string path = std::string(kInventoryPath) + "/deploymentManagers";
    EXPECT_EQ(get(path).body(), json::array());
    EXPECT_EQ(get(path + "/" + kUnknownId).code, 404U);
    EXPECT_EQ(get(path + "?filter=(eq,nonsense,1)").code, 400U);
    role_ = http::Role::o2ims_reader;
    EXPECT_EQ(get(path).code, 403U);
    role_ = http::Role::o2ims_deployer;
    EXPECT_EQ(get(path).code, 200U);
}

TEST_F(O2imsPerformance, AJobIsSuspendedResumedChangedAndDeleted) {
    const json made = make(kJobsPath, job());
    EXPECT_EQ(remove(one(made)).code, 409U);
    const auto suspended = post(one(made) + "/suspend", json::object());
    ASSERT_EQ(suspended.code, 200U) << suspended.text;
    EXPECT_EQ(suspended.body()["state"], "SUSPENDED");
    EXPECT_EQ(suspended.body()["status"], "IDLE");
    EXPECT_EQ(post(one(made) + "/suspend", json::object()).code, 200U);
    EXPECT_EQ(post(one(made) + "/resume", json::object()).body()["state"], "ACTIVE");
    const auto changed = patch(one(made), {{"collectionInterval", 5}});
    ASSERT_EQ(changed.code, 200U) << changed.text;
    EXPECT_EQ(changed.body()["collectionInterval"], 5);
    EXPECT_EQ(changed.body()["measurementSelectionCriteria"], made["measurementSelectionCriteria"]);
    post(one(made) + "/suspend", json::object());
    EXPECT_EQ(remove(one(made)).code, 204U);
    EXPECT_EQ(get(one(made)).code, 404U);
    EXPECT_EQ(get(one(made) + "/results").code, 404U);
    EXPECT_EQ(patch(one(made), {{"collectionInterval", 5}}).code, 404U);
    EXPECT_EQ(post(one(made) + "/resume", json::object()).code, 404U);
    EXPECT_EQ(remove(one(made)).code, 404U);
}

TEST_F(O2imsPerformance, BadJobsSayWhatIsWrong) {
    EXPECT_EQ(post(kJobsPath, job({"server.nonsense"})).code, 400U);
    EXPECT_EQ(post(kJobsPath, job({"server.nonsense"})).wrong_field(),
              "/measurementSelectionCriteria/performanceMeasurementDefinitionIds/0");
    json wrong = job();
    wrong["collectionInterval"] = 0;
    EXPECT_EQ(post(kJobsPath, wrong).wrong_field(), "/collectionInterval");
    wrong.erase("collectionInterval");
    EXPECT_EQ(post(kJobsPath, wrong).wrong_field(), "/collectionInterval");
    json nowhere = job();
    nowhere["resourceScopeCriteria"] = {{"resourceIds", {cloud().id.to_string(), kUnknownId}}};
    const auto refused = post(kJobsPath, nowhere);
    EXPECT_EQ(refused.code, 422U);
    EXPECT_EQ(refused.wrong_field(), "/resourceScopeCriteria/resourceIds/1");
    const json made = make(kJobsPath, job());
    EXPECT_EQ(patch(one(made), {{"resourceScopeCriteria", nowhere["resourceScopeCriteria"]}}).code, 422U);
    EXPECT_EQ(patch(one(made), {{"collectionInterval", nullptr}}).wrong_field(), "/collectionInterval");
    EXPECT_EQ(put(one(made), job()).code, 405U);
    EXPECT_EQ(get(one(made) + "/results?filter=(eq,nonsense,1)").code, 400U);
    for (std::size_t i = 1; i < kMaxJobs; ++i) make(kJobsPath, job());
    EXPECT_EQ(post(kJobsPath, job()).code, 409U);
}

TEST_F(O2imsPerformance, ThePreinstalledJobsAreMadeOnceAndStay) {
    ASSERT_TRUE(install_jobs(*writer_));
    ASSERT_TRUE(install_jobs(*writer_));
    const json jobs = get(kJobsPath).body();
    ASSERT_EQ(jobs.size(), 2U);
    for (const json& job : jobs) {
        EXPECT_EQ(job["preinstalledJob"], true);
        EXPECT_EQ(post(one(job) + "/suspend", json::object()).code, 200U);
        EXPECT_EQ(remove(one(job)).code, 403U);
    }
    ASSERT_TRUE(install_jobs(*writer_));
    EXPECT_EQ(get(kJobsPath).body()[0]["state"], "SUSPENDED") << "a restart changes nothing";
}

TEST_F(O2imsPerformance, TheRetentionPeriodIsConfigured) {
    EXPECT_EQ(get(kConfigurationPath).body()["retentionPeriod"], kResultRetentionDays);
    EXPECT_EQ(put(kConfigurationPath, {{"retentionPeriod", 3}, {"extensions", {{"a", 1}}}}).code, 200U);
    EXPECT_EQ(patch(kConfigurationPath, {{"retentionPeriod", 2}}).body(),
              (json{{"retentionPeriod", 2}, {"extensions", {{"a", 1}}}}));
    EXPECT_EQ(*retention_days(*store_->snapshot()), 2);
    EXPECT_EQ(put(kConfigurationPath, {{"retentionPeriod", 0}}).wrong_field(), "/retentionPeriod");
    EXPECT_EQ(put(kConfigurationPath, json::object()).wrong_field(), "/retentionPeriod");
}

}  // namespace
}  // namespace rouse::o2ims
