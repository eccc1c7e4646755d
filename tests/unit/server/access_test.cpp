// Who may use which route. The table below is the whole truth about it: a route that is missing from it, and
// a row without its route, are failures.

#include "mgmt/http/token.hpp"
#include "tests/unit/server/server_fixture.hpp"

#include <sstream>

namespace rouse::mgmt {
namespace {

using http::Role;
using enum http::Role;

enum class For : std::uint8_t {
    anyone,
    viewers,
    operators,
    administrators,
    workers,
    o2ims_readers,
    o2ims_planners,  // who plans servers: readers and provisioners
    o2ims_provisioners,
    o2ims_subscribers,  // who asks to be told
    o2ims_watchers,     // readers and subscribers
    o2ims_observers,    // of alarms and measurements: readers and maintainers
    o2ims_maintainers,
    o2ims_deployers,
    o2ims_anybody
};

// The roles that a row's word stands for, said here and not computed.
bool may(Role role, For whom) {
    switch (whom) {
        case For::anyone:
            return true;
        case For::viewers:
            return role == viewer || role == operator_ || role == administrator;
        case For::operators:
            return role == operator_ || role == administrator;
        case For::administrators:
            return role == administrator;
        case For::workers:
            return role == worker || role == administrator;
        case For::o2ims_anybody:
            return role != worker;
        case For::o2ims_planners:
            return may(role, For::o2ims_readers) || role == o2ims_provisioner;
        case For::o2ims_observers:
            return may(role, For::o2ims_readers) || role == o2ims_maintainer;
        case For::o2ims_maintainers:
            return role == o2ims_maintainer || role == o2ims_admin || role == operator_ ||
                   role == administrator;
        case For::o2ims_deployers:
            return role == o2ims_deployer || role == o2ims_admin || role == administrator;
        case For::o2ims_provisioners:
            return role == o2ims_provisioner || role == o2ims_admin || role == operator_ ||
                   role == administrator;
        case For::o2ims_subscribers:
            return role == o2ims_subscriber || role == o2ims_admin || role == operator_ ||
                   role == administrator;
        case For::o2ims_watchers:
            return may(role, For::o2ims_readers) || role == o2ims_subscriber;
        case For::o2ims_readers:
            return role == o2ims_reader || role == o2ims_admin || role == viewer || role == operator_ ||
                   role == administrator;
    }
    return false;
}

struct Row {
    const char* methods;  // blanks between them
    const char* pattern;
    For whom;
};

constexpr Row kTable[] = {
    {"POST", "/api/token/", For::anyone},
    {"POST", "/api/token/refresh/", For::anyone},
    {"POST", "/api/oauth2/token", For::anyone},
    {"GET", "/.well-known/oauth-authorization-server", For::anyone},
    {"GET", "/.well-known/jwks.json", For::anyone},
    {"GET", "/health", For::anyone},
    {"GET", "/ready", For::anyone},
    {"GET", "/metrics", For::anyone},
    {"GET", "/api/events/", For::viewers},
    {"POST", "/api/events/ticket/", For::viewers},
    {"GET", "/openapi.json", For::anyone},
    {"GET", "/docs", For::anyone},
    {"GET", "/docs/{file}", For::anyone},
    {"GET", "/api/token-keys/", For::administrators},
    {"POST", "/api/token-keys/rotate/", For::administrators},
    {"GET", "/api/cluster/", For::viewers},
    {"POST", "/api/cluster/", For::operators},
    {"GET", "/api/cluster/{id}/", For::viewers},
    {"PUT PATCH DELETE", "/api/cluster/{id}/", For::operators},
    {"POST", "/api/cluster/{id}/add_machine/", For::operators},
    {"GET", "/api/cluster/{id}/machines/", For::viewers},
    {"POST", "/api/cluster/{id}/machines/", For::operators},
    {"GET", "/api/cluster/{id}/machines/{machineId}/", For::viewers},
    {"PUT PATCH DELETE", "/api/cluster/{id}/machines/{machineId}/", For::operators},
    {"GET", "/api/clusters/", For::viewers},
    {"POST", "/api/clusters/", For::operators},
    {"GET", "/api/clusters/{id}/", For::viewers},
    {"PUT PATCH DELETE", "/api/clusters/{id}/", For::operators},
    {"POST", "/api/clusters/{id}/add_machine/", For::operators},
    {"GET", "/api/clusters/{id}/machines/", For::viewers},
    {"POST", "/api/clusters/{id}/machines/", For::operators},
    {"GET", "/api/clusters/{id}/machines/{machineId}/", For::viewers},
    {"PUT PATCH DELETE", "/api/clusters/{id}/machines/{machineId}/", For::operators},
    {"GET", "/api/machines/", For::viewers},
    {"POST", "/api/machines/", For::operators},
    {"GET", "/api/machines/{id}/", For::viewers},
    {"PUT PATCH DELETE", "/api/machines/{id}/", For::operators},
    {"POST", "/api/machines/import/", For::operators},
    {"GET", "/api/machines/{id}/metrics/", For::viewers},
    {"GET", "/api/resource-metrics/", For::viewers},
    {"POST", "/api/resource-metrics/", For::operators},
    {"GET", "/api/resource-metrics/{id}/", For::viewers},
    {"PUT PATCH DELETE", "/api/resource-metrics/{id}/", For::operators},
    {"GET", "/api/ip-pools/", For::viewers},
    {"POST", "/api/ip-pools/", For::operators},
    {"GET", "/api/ip-pools/{id}/", For::viewers},
    {"PUT PATCH DELETE", "/api/ip-pools/{id}/", For::operators},
    {"GET", "/api/boot-profiles/", For::viewers},
    {"POST", "/api/boot-profiles/", For::operators},
    {"GET", "/api/boot-profiles/{id}/", For::viewers},
    {"PUT PATCH DELETE", "/api/boot-profiles/{id}/", For::operators},
    {"GET", "/api/machines/{id}/timeline", For::viewers},
    {"GET", "/api/strangers", For::viewers},
    {"GET", "/api/leases/", For::viewers},
    {"GET", "/api/leases/{id}/", For::viewers},
    {"DELETE", "/api/leases/{id}/", For::operators},
    {"GET", "/api/dhcp-config/", For::viewers},
    {"PUT PATCH", "/api/dhcp-config/", For::operators},
    {"GET", "/api/tftp-config/", For::viewers},
    {"PUT PATCH", "/api/tftp-config/", For::operators},
    {"GET", "/api/images/", For::viewers},
    {"GET", "/api/images/{name...}", For::viewers},
    {"PUT DELETE", "/api/images/{name...}", For::operators},
    {"POST", "/api/image-imports/", For::operators},
    {"POST", "/api/image-checks/{name...}", For::viewers},
    {"POST", "/api/image-collections/", For::operators},
    {"GET", "/api/backup/", For::administrators},
    {"GET POST", "/api/users/", For::administrators},
    {"GET PUT PATCH DELETE", "/api/users/{id}/", For::administrators},
    {"GET POST", "/api/oauth-clients/", For::administrators},
    {"GET PUT PATCH DELETE", "/api/oauth-clients/{id}/", For::administrators},
    {"POST", "/api/oauth-clients/{id}/renew-secret/", For::administrators},
    {"GET", "/api/ims-worker/", For::viewers},
    {"POST", "/api/ims-worker/", For::administrators},
    {"GET", "/api/ims-worker/{id}/", For::viewers},
    {"PUT PATCH DELETE", "/api/ims-worker/{id}/", For::administrators},
    {"POST", "/api/ims-worker/register/", For::anyone},
    {"GET POST", "/api/ims-worker/enrolments/", For::administrators},
    {"POST", "/api/ims-worker/heartbeat/", For::workers},
    {"POST", "/api/ims-worker/report_lease/", For::workers},
    {"POST", "/api/ims-worker/report_error/", For::workers},
    {"POST", "/api/ims-worker/report_timelines/", For::workers},
    {"GET", "/api/ims-worker/{worker}/changes/", For::workers},
    {"GET", "/api/ims-worker/{worker}/contents/{sha256}", For::workers},
    {"GET", "/api/ims-leases/", For::viewers},
    {"POST", "/api/cluster/{id}/hand_back/", For::operators},
    {"POST", "/api/clusters/{id}/hand_back/", For::operators},
    {"GET", "/api/audit/", For::administrators},
    {"GET", "/o2ims-infrastructureInventory/v1/alarmDictionaries", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/alarmDictionaries/{alarmDictionaryId}", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/resourceTypes/{resourceTypeId}/alarmDictionary",
     For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/alarmDictionaries", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/alarmDictionaries/{alarmDictionaryId}", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/resourceTypes/{resourceTypeId}/alarmDictionary",
     For::o2ims_readers},
    {"GET", "/o2ims-infrastructureMonitoring/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructureMonitoring/v1/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructureMonitoring/v1/alarms", For::o2ims_observers},
    {"GET", "/o2ims-infrastructureMonitoring/v1/alarms/{alarmEventRecordId}", For::o2ims_observers},
    {"PATCH", "/o2ims-infrastructureMonitoring/v1/alarms/{alarmEventRecordId}", For::o2ims_maintainers},
    {"POST", "/o2ims-infrastructureMonitoring/v1/alarms/purge", For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructureMonitoring/v1/alarmServiceConfiguration", For::o2ims_observers},
    {"PUT PATCH", "/o2ims-infrastructureMonitoring/v1/alarmServiceConfiguration", For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructureMonitoring/v1/taskOperations", For::o2ims_observers},
    {"GET", "/o2ims-infrastructureMonitoring/v1/taskOperations/{id}", For::o2ims_observers},
    {"GET", "/o2ims-infrastructureMonitoring/v2/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructureMonitoring/v2/alarms", For::o2ims_observers},
    {"GET", "/o2ims-infrastructureMonitoring/v2/alarms/{alarmEventRecordId}", For::o2ims_observers},
    {"PATCH", "/o2ims-infrastructureMonitoring/v2/alarms/{alarmEventRecordId}", For::o2ims_maintainers},
    {"POST", "/o2ims-infrastructureMonitoring/v2/alarms/purge", For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructureMonitoring/v2/alarmServiceConfiguration", For::o2ims_observers},
    {"PUT PATCH", "/o2ims-infrastructureMonitoring/v2/alarmServiceConfiguration", For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructureMonitoring/v2/taskOperations", For::o2ims_observers},
    {"GET", "/o2ims-infrastructureMonitoring/v2/taskOperations/{id}", For::o2ims_observers},
    {"GET", "/o2ims-infrastructureProvisioning/v1/provisioningRequests", For::o2ims_planners},
    {"GET", "/o2ims-infrastructureProvisioning/v1/provisioningRequests/{provisioningRequestId}",
     For::o2ims_planners},
    {"POST", "/o2ims-infrastructureProvisioning/v1/provisioningRequests", For::o2ims_provisioners},
    {"PUT DELETE", "/o2ims-infrastructureProvisioning/v1/provisioningRequests/{provisioningRequestId}",
     For::o2ims_provisioners},
    {"GET", "/o2ims-infrastructureProvisioning/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructureProvisioning/v1/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructureArtifacts/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructureArtifacts/v1/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructureArtifacts/v1/managedInfrastructureTemplates", For::o2ims_planners},
    {"GET", "/o2ims-infrastructureArtifacts/v1/managedInfrastructureTemplates/{id}", For::o2ims_planners},
    {"GET", "/o2ims-infrastructureInventory/v1/performanceDictionaries", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/performanceDictionaries/{performanceDictionaryId}",
     For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/resourceTypes/{resourceTypeId}/performanceDictionary",
     For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/deploymentManagers", For::o2ims_deployers},
    {"GET", "/o2ims-infrastructureInventory/v1/deploymentManagers/{deploymentManagerId}",
     For::o2ims_deployers},
    {"GET", "/o2ims-infrastructurePerformance/v1/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructurePerformance/v1/measurementJobs", For::o2ims_observers},
    {"POST", "/o2ims-infrastructurePerformance/v1/measurementJobs", For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructurePerformance/v1/measurementJobs/{performanceMeasurementJobId}",
     For::o2ims_observers},
    {"PATCH DELETE", "/o2ims-infrastructurePerformance/v1/measurementJobs/{performanceMeasurementJobId}",
     For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructurePerformance/v1/measurementJobs/{performanceMeasurementJobId}/results",
     For::o2ims_observers},
    {"POST", "/o2ims-infrastructurePerformance/v1/measurementJobs/{performanceMeasurementJobId}/suspend",
     For::o2ims_maintainers},
    {"POST", "/o2ims-infrastructurePerformance/v1/measurementJobs/{performanceMeasurementJobId}/resume",
     For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructurePerformance/v1/performanceServiceConfiguration", For::o2ims_observers},
    {"PUT PATCH", "/o2ims-infrastructurePerformance/v1/performanceServiceConfiguration",
     For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructureInventory/v2/performanceDictionaries", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/performanceDictionaries/{performanceDictionaryId}",
     For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/resourceTypes/{resourceTypeId}/performanceDictionary",
     For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/deploymentManagers", For::o2ims_deployers},
    {"GET", "/o2ims-infrastructureInventory/v2/deploymentManagers/{deploymentManagerId}",
     For::o2ims_deployers},
    {"GET", "/o2ims-infrastructurePerformance/v2/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructurePerformance/v2/measurementJobs", For::o2ims_observers},
    {"POST", "/o2ims-infrastructurePerformance/v2/measurementJobs", For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructurePerformance/v2/measurementJobs/{performanceMeasurementJobId}",
     For::o2ims_observers},
    {"PATCH DELETE", "/o2ims-infrastructurePerformance/v2/measurementJobs/{performanceMeasurementJobId}",
     For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructurePerformance/v2/measurementJobs/{performanceMeasurementJobId}/results",
     For::o2ims_observers},
    {"POST", "/o2ims-infrastructurePerformance/v2/measurementJobs/{performanceMeasurementJobId}/suspend",
     For::o2ims_maintainers},
    {"POST", "/o2ims-infrastructurePerformance/v2/measurementJobs/{performanceMeasurementJobId}/resume",
     For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructurePerformance/v2/performanceServiceConfiguration", For::o2ims_observers},
    {"PUT PATCH", "/o2ims-infrastructurePerformance/v2/performanceServiceConfiguration",
     For::o2ims_maintainers},
    {"GET", "/o2ims-infrastructurePerformance/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructureInventory/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructureInventory/v1", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructureInventory/v1/resourceTypes", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/resourceTypes/{resourceTypeId}", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/resourcePools", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/resourcePools/{resourcePoolId}", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/resources", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/resources/{resourceId}", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/resourcePools/{resourcePoolId}/resources", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/resourcePools/{resourcePoolId}/resources/{resourceId}",
     For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v1/subscriptions", For::o2ims_watchers},
    {"GET", "/o2ims-infrastructureInventory/v1/subscriptions/{subscriptionId}", For::o2ims_watchers},
    {"POST", "/o2ims-infrastructureInventory/v1/subscriptions", For::o2ims_subscribers},
    {"DELETE", "/o2ims-infrastructureInventory/v1/subscriptions/{subscriptionId}", For::o2ims_subscribers},
    {"GET", "/o2ims-infrastructureInventory/v2/subscriptions", For::o2ims_watchers},
    {"GET", "/o2ims-infrastructureInventory/v2/subscriptions/{subscriptionId}", For::o2ims_watchers},
    {"POST", "/o2ims-infrastructureInventory/v2/subscriptions", For::o2ims_subscribers},
    {"DELETE", "/o2ims-infrastructureInventory/v2/subscriptions/{subscriptionId}", For::o2ims_subscribers},
    {"GET", "/o2ims-infrastructureMonitoring/v1/alarmSubscriptions", For::o2ims_watchers},
    {"GET", "/o2ims-infrastructureMonitoring/v1/alarmSubscriptions/{alarmSubscriptionId}",
     For::o2ims_watchers},
    {"POST", "/o2ims-infrastructureMonitoring/v1/alarmSubscriptions", For::o2ims_subscribers},
    {"DELETE", "/o2ims-infrastructureMonitoring/v1/alarmSubscriptions/{alarmSubscriptionId}",
     For::o2ims_subscribers},
    {"GET", "/o2ims-infrastructureMonitoring/v2/alarmSubscriptions", For::o2ims_watchers},
    {"GET", "/o2ims-infrastructureMonitoring/v2/alarmSubscriptions/{alarmSubscriptionId}",
     For::o2ims_watchers},
    {"POST", "/o2ims-infrastructureMonitoring/v2/alarmSubscriptions", For::o2ims_subscribers},
    {"DELETE", "/o2ims-infrastructureMonitoring/v2/alarmSubscriptions/{alarmSubscriptionId}",
     For::o2ims_subscribers},
    {"PATCH", "/o2ims-infrastructureMonitoring/v2/alarmSubscriptions/{alarmSubscriptionId}",
     For::o2ims_subscribers},
    {"GET", "/o2ims-infrastructurePerformance/v1/performanceSubscriptions", For::o2ims_watchers},
    {"GET", "/o2ims-infrastructurePerformance/v1/performanceSubscriptions/{performanceSubscriptionId}",
     For::o2ims_watchers},
    {"POST", "/o2ims-infrastructurePerformance/v1/performanceSubscriptions", For::o2ims_subscribers},
    {"DELETE", "/o2ims-infrastructurePerformance/v1/performanceSubscriptions/{performanceSubscriptionId}",
     For::o2ims_subscribers},
    {"GET", "/o2ims-infrastructurePerformance/v2/performanceSubscriptions", For::o2ims_watchers},
    {"GET", "/o2ims-infrastructurePerformance/v2/performanceSubscriptions/{performanceSubscriptionId}",
     For::o2ims_watchers},
    {"POST", "/o2ims-infrastructurePerformance/v2/performanceSubscriptions", For::o2ims_subscribers},
    {"DELETE", "/o2ims-infrastructurePerformance/v2/performanceSubscriptions/{performanceSubscriptionId}",
     For::o2ims_subscribers},
    {"GET", "/o2ims-infrastructureInventory/v2", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/api_versions", For::o2ims_anybody},
    {"GET", "/o2ims-infrastructureInventory/v2/resourceTypes", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/resourceTypes/{resourceTypeId}", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/resourcePools", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/resourcePools/{resourcePoolId}", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/resources", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/resources/{resourceId}", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/resourcePools/{resourcePoolId}/resources", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/resourcePools/{resourcePoolId}/resources/{resourceId}",
     For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/oCloudSites", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/oCloudSites/{oCloudSiteId}", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/locations", For::o2ims_readers},
    {"GET", "/o2ims-infrastructureInventory/v2/locations/{globalLocationId}", For::o2ims_readers},
    {"GET", "/api/audit/{id}/", For::administrators},
};

using Key = std::pair<std::string, std::string>;

std::map<Key, For> table() {
    std::map<Key, For> out;
    for (const auto& row : kTable) {
        std::istringstream methods(row.methods);
        for (std::string method; methods >> method;)
            EXPECT_TRUE(out.emplace(Key{method, row.pattern}, row.whom).second) << "twice: " << row.pattern;
    }
    return out;
}

class AccessTest : public ServerTest {
  protected:
    // A token for each role, in the order of the roles.
    std::vector<std::string> tokens() {
        std::vector<std::string> out;
        for (const auto name : http::kRoleNames) {
            const std::string user = "u-" + std::string(name);
            EXPECT_EQ(
                post("/api/users/", {{"username", user}, {"password", "secret-word"}, {"role", name}}, admin_)
                    .code,
                201U);
            out.push_back(login(user, "secret-word"));
        }
        return out;
    }
};

TEST_F(AccessTest, TheTableHasEveryRouteAndNoOther) {
    auto rows = table();
    for (const auto& route : server_->api().routes()) {
        const Key key{std::string(to_string(route.method)), route.pattern};
        EXPECT_EQ(rows.erase(key), 1U) << "no row for " << key.first << " " << key.second;
    }
    for (const auto& [key, whom] : rows) ADD_FAILURE() << "no route for " << key.first << " " << key.second;
}

TEST_F(AccessTest, EveryRouteAnswersEveryRoleAsTheTableSays) {
    const auto rows = table();
    const auto bearer = tokens();
    std::size_t checked = 0;
    for (const auto& route : server_->api().routes()) {
        const auto row = rows.find({std::string(to_string(route.method)), route.pattern});
        if (row == rows.end()) continue;  // told by the other test
        const std::string path = path_of(route.pattern);
        const std::string what = std::string(to_string(route.method)) + " " + path;
        const auto nobody = ask(route.method, path);
        EXPECT_EQ(nobody.code == 401, row->second != For::anyone) << what << ": " << nobody.code;
        if (row->second != For::anyone) {
            EXPECT_EQ(nobody.headers.get("WWW-Authenticate"), "Bearer realm=\"rouse\"") << what;
        }
        for (std::size_t i = 0; i < bearer.size(); ++i) {
            const auto role = static_cast<Role>(i);
            const auto answer = ask(route.method, path, bearer[i]);
            const bool refused = answer.code == 403;
            EXPECT_EQ(refused, !may(role, row->second))
                << what << " as " << to_string(role) << ": " << answer.code;
            EXPECT_NE(answer.code, 500U) << what << " as " << to_string(role) << answer.text;
            ++checked;
        }
    }
    EXPECT_EQ(checked, server_->api().routes().size() * http::kRoleNames.size());
}

// Expired tokens, foreign ones, those that were tampered with, without a signature, of another use.
TEST_F(AccessTest, WhatIsNoTokenOfOursIs401Everywhere) {
    const std::string good = admin_.substr(7);
    const auto dot = good.find('.');
    const auto last = good.rfind('.');
    const auto refresh = post("/api/token/", {{"username", "admin"}, {"password", admin_password_}}, "")
                             .body()["refresh"]
                             .get<std::string>();
    http::TemporaryDirectory elsewhere;
    const auto foreign = http::TokenKey::open(elsewhere / "key.pem")
                             ->sign({.user = "admin", .roles = administrator, .expires = 4'000'000'000})
                             .value();
    const auto keys = std::filesystem::directory_iterator(directory_ / "token-keys");
    const auto ours = http::TokenKey::open(begin(keys)->path()).value();
    const auto expired =
        ours.sign({.user = "admin", .roles = administrator, .expires = 1'000'000'000}).value();
    const auto of_nobody =
        ours.sign({.user = "ghost", .roles = administrator, .expires = 4'000'000'000}).value();
    const std::map<std::string, std::string> bad{
        {"expired", expired},
        {"foreign", foreign},
        {"somebody's who is not there", of_nobody},
        {"without a signature", good.substr(0, last + 1)},
        {"alg none", "eyJhbGciOiJub25lIn0" + good.substr(dot, last - dot) + "."},
        {"tampered", good.substr(0, dot + 5) + (good[dot + 5] == 'A' ? "B" : "A") + good.substr(dot + 6)},
        {"for refreshing", refresh},
        {"nonsense", "x.y.z"}};
    for (const auto& route : server_->api().routes()) {
        if (!route.access.roles) continue;
        for (const auto& [what, token] : bad) {
            const auto answer = ask(route.method, path_of(route.pattern), "Bearer " + token);
            EXPECT_EQ(answer.code, 401U) << what << " at " << route.pattern;
            EXPECT_EQ(answer.headers.get("WWW-Authenticate"),
                      "Bearer realm=\"rouse\", error=\"invalid_token\"")
                << what;
        }
    }
}

}  // namespace
}  // namespace rouse::mgmt
