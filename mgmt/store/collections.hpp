#pragma once
// Every kind of document and how it can be found. A field whose name begins with an underscore is the
// appliance's own and never leaves it.

#include "mgmt/store/store.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace rouse::store {

struct Index {
    Kind kind;
    std::uint8_t number;     // stored in keys: never changed or used again within a kind
    bool unique;             // a second document with the same value is a conflict
    std::string_view field;  // what a conflict points at
    // The indexed value; nothing: this document is not in the index.
    std::optional<std::string> (*value)(const nlohmann::json& fields);
};

struct Collection {
    Kind kind;
    std::string_view noun;  // for messages: "machine"
    std::span<const Index* const> indices;

    [[nodiscard]] Table table(const View& view) const {
        return view.own().documents[static_cast<std::size_t>(kind)];
    }
};

// What a machine's "status" may be (IMS.md 3).
inline constexpr auto kMachineStatuses = std::to_array<std::string_view>(
    {"ACTIVE", "INACTIVE", "MAINTENANCE", "ERROR", "DEPLOYING", "UPGRADING", "UNREACHABLE"});

// A hostname is unique within its cluster, machines without one share a space of their own.
[[nodiscard]] std::string hostname_key(std::string_view cluster, std::string_view hostname);
// The value of kWorkerLeaseByAddresses.
[[nodiscard]] std::string worker_lease_key(std::string_view ip_address, std::string_view mac_address);
// The value of kMachineByClusterStatus; CLUSTER is empty for machines without one.
[[nodiscard]] std::string cluster_status_key(std::string_view cluster, std::string_view status);

extern const Index kClusterByName;
extern const Index kClusterByWorker;   // the one that it is given to
extern const Index kClusterByStandby;  // the one that takes over
extern const Index kClusterByHolder;   // the one that serves it now
extern const Index kMachineByMac;
extern const Index kMachineByHostname;        // any cluster
extern const Index kMachineByScopedHostname;  // hostname_key()
extern const Index kMachineByCluster;
extern const Index kMachineByProfile;  // the profile's name that the machine itself asks for
extern const Index kMachineByPool;     // pool's id
extern const Index kMachineUnplaced;   // value "": machines that wait for an address
extern const Index kMachineByStatus;
extern const Index kMachineByClusterStatus;  // cluster_status_key(): counts them without reading them
extern const Index kPoolByCidr;
extern const Index kProfileByName;
extern const Index kImageByName;
extern const Index kImageBySha256;
extern const Index kUserByUsername;
extern const Index kBootTokenByHash;
extern const Index kBootTokenByPreviousHash;
extern const Index kBootTokenBySpentHash;
extern const Index kBootTokenByMachine;
extern const Index kSettingByName;
extern const Index kMetricsByMachine;
extern const Index kOauthClientByClientId;
extern const Index kAuditByUser;
extern const Index kAuditByObject;
extern const Index kProvisioningRequestById;  // the SMO's
extern const Index kProvisioningRequestByPhase;
extern const Index kSubscriptionByService;
extern const Index kAlarmByState;      // "raised" or "cleared"
extern const Index kAlarmByCondition;  // what it is about; of several the one raised last may not be cleared
extern const Index kMeasurementJobByPreinstalled;  // its name; jobs of the SMO have none
extern const Index kWorkerByWorkerId;
extern const Index kWorkerByTokenHash;
extern const Index kEnrolmentByTokenHash;
extern const Index kWorkerLeaseByAddresses;  // worker_lease_key()
extern const Index kWorkerLeaseByWorker;

extern const Collection kClusters;
extern const Collection kMachines;
extern const Collection kIpPools;
extern const Collection kBootProfiles;
extern const Collection kImages;
extern const Collection kUsers;
extern const Collection kBootTokens;
extern const Collection kSettings;
extern const Collection kResourceMetrics;
extern const Collection kOauthClients;
extern const Collection kAudit;
extern const Collection kProvisioningRequests;
extern const Collection kSubscriptions;
extern const Collection kAlarms;
extern const Collection kMeasurementJobs;
extern const Collection kWorkers;
extern const Collection kEnrolments;
extern const Collection kWorkerLeases;

// Every kind that has documents.
[[nodiscard]] std::span<const Collection* const> all_collections() noexcept;

}  // namespace rouse::store
