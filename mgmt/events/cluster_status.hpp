#pragma once
// A cluster's status is what its machines make of it (IMS.md 3).

#include "mgmt/store/failure.hpp"
#include "mgmt/store/id.hpp"
#include "mgmt/store/store.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace rouse::events {

// Machines by status; those with none are not in it.
using StatusCounts = std::map<std::string, std::size_t, std::less<>>;

struct ClusterStatus {
    std::string_view status;  // OPERATIONAL DEGRADED CRITICAL MAINTENANCE SCALING UPGRADING UNKNOWN
    std::string_view health;  // HEALTHY WARNING CRITICAL UNKNOWN
};

// The worst news first: half of the machines in trouble is critical, any is a degradation, any on its way up
// is scaling.
[[nodiscard]] ClusterStatus roll_up(const StatusCounts& machines);

// Makes a cluster's FIELDS say what its machines make of it now, but for the operator's MAINTENANCE.
[[nodiscard]] Outcome<void> follow_machines(const store::View& view, const store::Id& cluster,
                                            nlohmann::json& fields);

// Recounts a cluster's machines and stores what they make of it. After any change of a machine's status,
// and when machines join or leave.
[[nodiscard]] Outcome<void> refresh_cluster(store::Batch& batch, const store::Id& cluster);

}  // namespace rouse::events
