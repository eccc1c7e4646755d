#pragma once
// Turns events into what is kept: timeline entries, boots, the status of machines and clusters. Each function
// is the body of an operation of the Writer: all of it is in one commit or nothing is. Stateless.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/events/tables.hpp"
#include "mgmt/events/timeline.hpp"
#include "mgmt/store/failure.hpp"
#include "mgmt/store/id.hpp"
#include "shared/event.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::events {

// A machine whose timeline grew, to be told to waiters once the commit is durable.
struct Touched {
    store::Id machine;
    std::uint64_t last_sequence = 0;
};
using TouchedMachines = std::vector<Touched>;

// An event and the ring that it came by: EventConsumer::identity().
struct RingEvent {
    std::uint64_t ring = 0;
    Event event;
};
// Applies events, oldest first, except those that were applied before: of each ring the last sequence is kept
// in the same commit, which makes delivery exactly once. Leases follow in it too: those that guests ask for,
// and what becomes of all of them.
[[nodiscard]] Result<TouchedMachines> apply_events(store::Batch& batch, const EventTables& tables,
                                                   const boot::Appliance& appliance,
                                                   std::span<const RingEvent> events);

// Applies events of the management plane's own, such as transfers by HTTP, oldest first; each is given once.
[[nodiscard]] Result<TouchedMachines> apply_own_events(store::Batch& batch, const EventTables& tables,
                                                       std::span<const Event> events);

// Passes the verdict on boots whose stage has lasted too long at NOW (CLOCK_REALTIME), at most LIMIT of them.
// Only after all waiting events were applied: they may say otherwise.
[[nodiscard]] Result<TouchedMachines> apply_deadlines(store::Batch& batch, const EventTables& tables,
                                                      std::uint64_t now_ns, std::size_t limit);

// Whether apply_deadlines() would find anything to do. Reads only.
[[nodiscard]] Result<bool> any_deadline_due(const store::View& view, const EventTables& tables,
                                            std::uint64_t now_ns);

// What a ramdisk's agent said.
struct AgentNews {
    store::Id machine;
    BootTrigger trigger = BootTrigger::kernel_report;  // or home_report
    std::string text;                                  // of the entry
    nlohmann::ordered_json details;
    nlohmann::json hardware;  // home_report: the machine document's new member "hardware"; null: leave it
};
// Not found when the machine was deleted.
[[nodiscard]] Outcome<TouchedMachines> apply_agent_news(store::Batch& batch, const EventTables& tables,
                                                        const AgentNews& news);

}  // namespace rouse::events
