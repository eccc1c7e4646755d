#pragma once
// Timelines across appliances: a worker tells its centre what happened to its machines. The worker's
// timelines are themselves the buffer while the centre is away: they are durable, and hold the newest
// kMaxEntries of each machine. What was told is remembered, so each entry arrives once.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/events/recorder.hpp"
#include "mgmt/events/tables.hpp"
#include "mgmt/store/failure.hpp"
#include "mgmt/store/id.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::events {

// On the worker: machines whose timelines have entries that were not told yet, at most LIMIT, with what to
// tell: {"machine", "last", "stage", "boot", "bytes", "files", "status", "health", "verdict", "hardware",
// "entries"}, at most kReportEntries entries each.
inline constexpr std::size_t kReportEntries = 100;
[[nodiscard]] Result<std::vector<nlohmann::ordered_json>> untold(const store::View& view,
                                                                 const EventTables& tables,
                                                                 std::size_t limit);
// They have been told: up to "last" of each.
Result<void> note_told(store::Batch& batch, const EventTables& tables,
                       const std::vector<nlohmann::ordered_json>& machines);

// On the centre: what WORKER told of one machine; INSTANCE is the worker's store, whose timelines begin anew
// when it is replaced. Entries that it told before are left out. Nothing: there is no such machine (any
// more).
[[nodiscard]] Outcome<TouchedMachines> apply_reported(store::Batch& batch, const EventTables& tables,
                                                      const boot::Appliance& appliance,
                                                      std::string_view worker, store::Id instance,
                                                      const nlohmann::json& report);

}  // namespace rouse::events
