#include "mgmt/store/collections.hpp"

#include <nlohmann/json.hpp>

namespace rouse::store {
namespace {

using nlohmann::json;
using Value = std::optional<std::string>;

// The text of a field; nothing when it is missing, null or empty.
template <const char* Field>
Value text(const json& fields) {
    const auto found = fields.find(Field);
    if (found == fields.end() || !found->is_string()) return std::nullopt;
    const auto& value = found->template get_ref<const std::string&>();
    return value.empty() ? std::nullopt : Value(value);
}

constexpr char kName[] = "name";
constexpr char kMac[] = "mac";
constexpr char kHostname[] = "hostname";
constexpr char kCluster[] = "cluster";
constexpr char kBootProfile[] = "boot_profile";
constexpr char kIpPool[] = "ip_pool";
constexpr char kStatus[] = "status";
constexpr char kCidr[] = "cidr";
constexpr char kSha256[] = "sha256";
constexpr char kUsername[] = "username";
constexpr char kClientId[] = "client_id";
constexpr char kUser[] = "user";
constexpr char kObject[] = "object";
constexpr char kService[] = "service";
constexpr char kHash[] = "hash";
constexpr char kPreviousHash[] = "previous_hash";
constexpr char kSpentHash[] = "spent_hash";
constexpr char kMachine[] = "machine";
constexpr char kRequestId[] = "request_id";
constexpr char kPhase[] = "phase";
constexpr char kState[] = "state";
constexpr char kCondition[] = "condition";
constexpr char kPreinstalled[] = "_preinstalled";
constexpr char kWorker[] = "worker";
constexpr char kStandby[] = "standby";
constexpr char kServedBy[] = "served_by";
constexpr char kWorkerId[] = "worker_id";
constexpr char kTokenHash[] = "_token_hash";
constexpr char kIpAddress[] = "ip_address";
constexpr char kMacAddress[] = "mac_address";

Value scoped_hostname(const json& fields) {
    const auto hostname = text<kHostname>(fields);
    if (!hostname) return std::nullopt;
    return hostname_key(text<kCluster>(fields).value_or(""), *hostname);
}

Value unplaced(const json& fields) {
    return text<kIpPool>(fields) ? std::nullopt : Value("");
}

Value lease_addresses(const json& fields) {
    const auto ip = text<kIpAddress>(fields);
    const auto mac = text<kMacAddress>(fields);
    return ip && mac ? Value(worker_lease_key(*ip, *mac)) : std::nullopt;
}

Value cluster_status(const json& fields) {
    const auto status = text<kStatus>(fields);
    if (!status) return std::nullopt;
    return cluster_status_key(text<kCluster>(fields).value_or(""), *status);
}

}  // namespace

std::string hostname_key(std::string_view cluster, std::string_view hostname) {
    return std::string(cluster) + '/' + std::string(hostname);
}

std::string worker_lease_key(std::string_view ip_address, std::string_view mac_address) {
    return std::string(ip_address) + '/' + std::string(mac_address);
}

std::string cluster_status_key(std::string_view cluster, std::string_view status) {
    return std::string(cluster) + '/' + std::string(status);
}

const Index kClusterByName{Kind::cluster, 1, true, kName, text<kName>};
const Index kClusterByWorker{Kind::cluster, 2, false, kWorker, text<kWorker>};
const Index kClusterByStandby{Kind::cluster, 3, false, kStandby, text<kStandby>};
const Index kClusterByHolder{Kind::cluster, 4, false, kServedBy, text<kServedBy>};
const Index kMachineByMac{Kind::machine, 1, true, kMac, text<kMac>};
const Index kMachineByHostname{Kind::machine, 2, false, kHostname, text<kHostname>};
const Index kMachineByScopedHostname{Kind::machine, 3, true, kHostname, scoped_hostname};
const Index kMachineByCluster{Kind::machine, 4, false, kCluster, text<kCluster>};
const Index kMachineByProfile{Kind::machine, 5, false, kBootProfile, text<kBootProfile>};
const Index kMachineByPool{Kind::machine, 6, false, kIpPool, text<kIpPool>};
const Index kMachineUnplaced{Kind::machine, 7, false, kIpPool, unplaced};
const Index kMachineByStatus{Kind::machine, 8, false, kStatus, text<kStatus>};
const Index kMachineByClusterStatus{Kind::machine, 9, false, kStatus, cluster_status};
const Index kPoolByCidr{Kind::ip_pool, 1, true, kCidr, text<kCidr>};
const Index kProfileByName{Kind::boot_profile, 1, true, kName, text<kName>};
const Index kImageByName{Kind::image, 1, true, kName, text<kName>};
const Index kImageBySha256{Kind::image, 2, false, kSha256, text<kSha256>};
const Index kUserByUsername{Kind::user, 1, true, kUsername, text<kUsername>};
const Index kBootTokenByHash{Kind::boot_token, 1, true, kHash, text<kHash>};
const Index kBootTokenByMachine{Kind::boot_token, 2, true, kMachine, text<kMachine>};
const Index kBootTokenBySpentHash{Kind::boot_token, 3, false, kSpentHash, text<kSpentHash>};
const Index kBootTokenByPreviousHash{Kind::boot_token, 4, false, kPreviousHash, text<kPreviousHash>};
const Index kSettingByName{Kind::setting, 1, true, kName, text<kName>};
const Index kMetricsByMachine{Kind::resource_metrics, 1, true, kMachine, text<kMachine>};
const Index kOauthClientByClientId{Kind::oauth_client, 1, true, kClientId, text<kClientId>};
const Index kAuditByUser{Kind::audit, 1, false, kUser, text<kUser>};
const Index kAuditByObject{Kind::audit, 2, false, kObject, text<kObject>};
const Index kProvisioningRequestById{Kind::provisioning_request, 1, true, kRequestId, text<kRequestId>};
const Index kProvisioningRequestByPhase{Kind::provisioning_request, 2, false, kPhase, text<kPhase>};
const Index kSubscriptionByService{Kind::subscription, 1, false, kService, text<kService>};
const Index kAlarmByState{Kind::alarm, 1, false, kState, text<kState>};
const Index kAlarmByCondition{Kind::alarm, 2, false, kCondition, text<kCondition>};
const Index kMeasurementJobByPreinstalled{Kind::measurement_job, 1, true, kPreinstalled, text<kPreinstalled>};
const Index kWorkerByWorkerId{Kind::worker, 1, true, kWorkerId, text<kWorkerId>};
const Index kWorkerByTokenHash{Kind::worker, 2, true, kTokenHash, text<kTokenHash>};
const Index kEnrolmentByTokenHash{Kind::enrolment, 1, true, kTokenHash, text<kTokenHash>};
const Index kWorkerLeaseByAddresses{Kind::worker_lease, 1, true, kIpAddress, lease_addresses};
const Index kWorkerLeaseByWorker{Kind::worker_lease, 2, false, kWorker, text<kWorker>};

namespace {

constexpr const Index* kClusterIndices[] = {&kClusterByName, &kClusterByWorker, &kClusterByStandby,
                                            &kClusterByHolder};
constexpr const Index* kMachineIndices[] = {
    &kMachineByMac,     &kMachineByHostname, &kMachineByScopedHostname,
    &kMachineByCluster, &kMachineByProfile,  &kMachineByPool,
    &kMachineUnplaced,  &kMachineByStatus,   &kMachineByClusterStatus};
constexpr const Index* kPoolIndices[] = {&kPoolByCidr};
constexpr const Index* kProfileIndices[] = {&kProfileByName};
constexpr const Index* kImageIndices[] = {&kImageByName, &kImageBySha256};
constexpr const Index* kUserIndices[] = {&kUserByUsername};
constexpr const Index* kBootTokenIndices[] = {&kBootTokenByHash, &kBootTokenByMachine, &kBootTokenBySpentHash,
                                              &kBootTokenByPreviousHash};
constexpr const Index* kSettingIndices[] = {&kSettingByName};
constexpr const Index* kMetricsIndices[] = {&kMetricsByMachine};
constexpr const Index* kOauthClientIndices[] = {&kOauthClientByClientId};
constexpr const Index* kAuditIndices[] = {&kAuditByUser, &kAuditByObject};
constexpr const Index* kProvisioningRequestIndices[] = {&kProvisioningRequestById,
                                                        &kProvisioningRequestByPhase};
constexpr const Index* kSubscriptionIndices[] = {&kSubscriptionByService};
constexpr const Index* kAlarmIndices[] = {&kAlarmByState, &kAlarmByCondition};
constexpr const Index* kMeasurementJobIndices[] = {&kMeasurementJobByPreinstalled};
constexpr const Index* kWorkerIndices[] = {&kWorkerByWorkerId, &kWorkerByTokenHash};
constexpr const Index* kEnrolmentIndices[] = {&kEnrolmentByTokenHash};
constexpr const Index* kWorkerLeaseIndices[] = {&kWorkerLeaseByAddresses, &kWorkerLeaseByWorker};

}  // namespace

const Collection kClusters{Kind::cluster, "cluster", kClusterIndices};
const Collection kMachines{Kind::machine, "machine", kMachineIndices};
const Collection kIpPools{Kind::ip_pool, "ip-pool", kPoolIndices};
const Collection kBootProfiles{Kind::boot_profile, "boot-profile", kProfileIndices};
const Collection kImages{Kind::image, "image", kImageIndices};
const Collection kUsers{Kind::user, "user", kUserIndices};
const Collection kBootTokens{Kind::boot_token, "boot token", kBootTokenIndices};
const Collection kSettings{Kind::setting, "setting", kSettingIndices};
const Collection kResourceMetrics{Kind::resource_metrics, "resource-metrics", kMetricsIndices};
const Collection kOauthClients{Kind::oauth_client, "oauth-client", kOauthClientIndices};
const Collection kAudit{Kind::audit, "audit entry", kAuditIndices};
const Collection kProvisioningRequests{Kind::provisioning_request, "provisioning request",
                                       kProvisioningRequestIndices};
const Collection kSubscriptions{Kind::subscription, "subscription", kSubscriptionIndices};
const Collection kAlarms{Kind::alarm, "alarm", kAlarmIndices};
const Collection kMeasurementJobs{Kind::measurement_job, "measurement job", kMeasurementJobIndices};
const Collection kWorkers{Kind::worker, "worker", kWorkerIndices};
const Collection kEnrolments{Kind::enrolment, "enrolment", kEnrolmentIndices};
const Collection kWorkerLeases{Kind::worker_lease, "worker's lease", kWorkerLeaseIndices};

std::span<const Collection* const> all_collections() noexcept {
    static constexpr const Collection* kAll[] = {
        &kClusters,      &kMachines, &kIpPools,         &kBootProfiles, &kImages,     &kUsers,
        &kBootTokens,    &kSettings, &kResourceMetrics, &kOauthClients, &kAudit,      &kProvisioningRequests,
        &kSubscriptions, &kAlarms,   &kMeasurementJobs, &kWorkers,      &kEnrolments, &kWorkerLeases};
    return kAll;
}

}  // namespace rouse::store
