#include "mgmt/events/cluster_status.hpp"

#include "mgmt/store/documents.hpp"

namespace rouse::events {

ClusterStatus roll_up(const StatusCounts& machines) {
    std::size_t total = 0;
    for (const auto& [status, count] : machines) total += count;
    const auto count = [&](std::string_view status) {
        const auto found = machines.find(status);
        return found == machines.end() ? 0 : found->second;
    };
    if (total == 0) return {"UNKNOWN", "UNKNOWN"};
    if (const auto troubled = count("ERROR") + count("UNREACHABLE"); troubled != 0)
        return troubled * 2 >= total ? ClusterStatus{"CRITICAL", "CRITICAL"}
                                     : ClusterStatus{"DEGRADED", "WARNING"};
    if (count("MAINTENANCE") == total) return {"MAINTENANCE", "UNKNOWN"};
    if (count("UPGRADING") != 0) return {"UPGRADING", "HEALTHY"};
    if (count("DEPLOYING") != 0) return {"SCALING", "HEALTHY"};
    if (count("ACTIVE") != 0) return {"OPERATIONAL", "HEALTHY"};
    return {"UNKNOWN", "UNKNOWN"};
}

Outcome<void> refresh_cluster(store::Batch& batch, const store::Id& cluster) {
    auto found = store::find(batch, store::kClusters, cluster);
    // Deleted meanwhile, or damaged: that must not hold up its machines' events.
    if (!found || !*found) return {};
    StatusCounts machines;
    for (const std::string_view status : store::kMachineStatuses) {
        std::size_t count = 0;
        const auto counted =
            store::for_each_id(batch, store::kMachineByClusterStatus,
                               store::cluster_status_key(cluster.to_string(), status), [&](store::Id) {
                                   ++count;
                                   return true;
                               });
        if (!counted) return pass_on(counted.error());
        if (count != 0) machines.emplace(status, count);
    }
    const ClusterStatus rolled = roll_up(machines);
    store::Document document = std::move(**found);
    if (document.text("status") == rolled.status && document.text("health") == rolled.health) return {};
    document.fields["status"] = rolled.status;
    document.fields["health"] = rolled.health;
    const auto updated = store::update(batch, store::kClusters, std::move(document));
    if (!updated) return tl::unexpected(updated.error());
    return {};
}

}  // namespace rouse::events
