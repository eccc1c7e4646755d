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

Outcome<void> follow_machines(const store::View& view, const store::Id& cluster, nlohmann::json& fields) {
    StatusCounts machines;
    for (const std::string_view status : store::kMachineStatuses) {
        std::size_t count = 0;
        const auto counted =
            store::for_each_id(view, store::kMachineByClusterStatus,
                               store::cluster_status_key(cluster.to_string(), status), [&](store::Id) {
                                   ++count;
                                   return true;
                               });
        if (!counted) return pass_on(counted.error());
        if (count != 0) machines.emplace(status, count);
    }
    const ClusterStatus rolled = roll_up(machines);
    fields["status"] = fields.value("_maintenance", false) ? "MAINTENANCE" : rolled.status;
    fields["health"] = rolled.health;
    return {};
}

Outcome<void> refresh_cluster(store::Batch& batch, const store::Id& cluster) {
    auto found = store::find(batch, store::kClusters, cluster);
    // Deleted meanwhile, or damaged: that must not hold up its machines' events.
    if (!found || !*found) return {};
    store::Document document = std::move(**found);
    const std::string status = document.text("status"), health = document.text("health");
    if (auto followed = follow_machines(batch, cluster, document.fields); !followed) return followed;
    if (document.text("status") == status && document.text("health") == health) return {};
    const auto updated = store::update(batch, store::kClusters, std::move(document));
    if (!updated) return tl::unexpected(updated.error());
    return {};
}

}  // namespace rouse::events
