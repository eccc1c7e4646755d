#pragma once
// Assignments as they stand in clusters' documents: reading them, deciding about them, and writing what was
// decided together with what follows for the rack's machines. For operations of the Writer.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/events/tables.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "mgmt/workers/assignment.hpp"
#include "mgmt/workers/roster.hpp"

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::workers {

[[nodiscard]] Assignment assignment_of(const nlohmann::json& cluster);

// What deciding takes; all of it outlives the operation.
struct Centre {
    const boot::Appliance& appliance;
    const Roster& roster;
    const events::EventTables& tables;
};
[[nodiscard]] Peers peers_of(const Centre& centre, const store::View& view);
[[nodiscard]] Result<Moment> moment_of(const Centre& centre, const store::View& view, std::uint64_t now_ns);

// A rack that changed hands, or whose state did.
struct Decision {
    store::Id cluster;
    std::string name;
    AssignmentState state = AssignmentState::own;
    std::string holder;
    std::string before;
    std::uint64_t epoch = 0;
};

// Makes CLUSTER's assignment NEXT: the document, and the machines: those that the new holder must hold back,
// what is known of their health, and a line on each timeline. Their projection follows
// (ims::project_machines).
[[nodiscard]] Outcome<Decision> write_assignment(store::Batch& batch, const Centre& centre,
                                                 store::Document cluster, const Assignment& next);

// Whether decide_all() would find anything to do.
[[nodiscard]] Result<bool> anything_due(const store::View& view, const Centre& centre, std::uint64_t now_ns);
// The status of each worker and the assignment of each rack, as they are now. Returns the racks that changed.
struct Decisions {
    std::vector<Decision> racks;
    std::vector<std::string> lost;  // workers
    std::vector<std::string> returned;
};
[[nodiscard]] Outcome<Decisions> decide_all(store::Batch& batch, const Centre& centre);

}  // namespace rouse::workers
