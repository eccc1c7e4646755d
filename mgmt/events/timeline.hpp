#pragma once
// A machine's timeline: entries numbered from 1 without gaps, of which the newest kMaxEntries are kept.

#include "mgmt/events/boot_record.hpp"
#include "mgmt/events/tables.hpp"
#include "mgmt/store/id.hpp"
#include "shared/endian.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace rouse::events {

inline constexpr std::uint64_t kMaxEntries = 1000;

// Names of entries that come from the management plane; the dataplane's are kEvents. X(name, what happened)
#define ROUSE_TIMELINE_EVENTS(X)                                                     \
    X(boot_unfinished, "the machine started over in the middle of a boot")           \
    X(boot_failed, "a boot stopped; text: at which stage, why and what to do")       \
    X(handed_over, "all was delivered, and the boot profile awaits no agent")        \
    X(kernel_up, "the ramdisk's kernel runs")                                        \
    X(agent_home, "the ramdisk's agent reported what the machine is made of")        \
    X(address_replaced, "its address is in use by something else: it was set aside") \
    X(address_kept, "its address is in use by something else, and was not replaced") \
    X(taken_over, "its appliance was lost, and another one serves it")               \
    X(handed_on, "another appliance serves it now")                                  \
    X(worker_lost, "its appliance is lost, and no other one serves it")              \
    X(worker_returned, "its appliance is back")

enum class TimelineEvent : std::uint8_t {
#define X(name, help) name,
    ROUSE_TIMELINE_EVENTS(X)
#undef X
};

inline constexpr auto kTimelineEvents = std::to_array<ListEntry>({
#define X(name, help) {#name, help},
    ROUSE_TIMELINE_EVENTS(X)
#undef X
});

[[nodiscard]] constexpr std::string_view to_string(TimelineEvent event) noexcept {
    return kTimelineEvents[static_cast<std::size_t>(event)].name;
}

struct TimelineKey {
    store::Id machine;
    be64 sequence;
};
static_assert(sizeof(TimelineKey) == 24);

// Appends {"sequence","time","event","text","details"} with details.boot, and drops what is too old. Numbers
// the entry from BOOT, which the caller stores in the same transaction.
Result<void> append(store::Batch& batch, const EventTables& tables, const store::Id& machine,
                    BootRecord& boot, std::uint64_t time_ns, std::string_view event, std::string text,
                    nlohmann::ordered_json details);

// The same for an entry that another appliance made: TIME as it stands in it, its details untouched.
Result<void> append_made_elsewhere(store::Batch& batch, const EventTables& tables, const store::Id& machine,
                                   BootRecord& boot, const nlohmann::ordered_json& entry);

struct Page {
    std::string json;                 // an array of at most LIMIT entries, oldest first
    std::uint64_t last_sequence = 0;  // of the last one in it; AFTER when there is none
};
// The entries whose sequence is greater than AFTER.
[[nodiscard]] Result<Page> read_timeline(const store::View& view, const EventTables& tables,
                                         const store::Id& machine, std::uint64_t after, std::size_t limit);

// Nothing: no event of this machine was ever seen.
[[nodiscard]] Result<std::optional<BootRecord>> read_boot(const store::View& view, const EventTables& tables,
                                                          const store::Id& machine);
// Stores BOOT and keeps table `deadlines` in step with it.
Result<void> write_boot(store::Batch& batch, const EventTables& tables, const store::Id& machine,
                        BootRecord& boot);

// Forgets everything about a machine. For the operation that deletes it.
Result<void> forget_machine(store::Batch& batch, const EventTables& tables, const store::Id& machine);

// Key of table `deadlines`: boots to look at, soonest first.
struct DeadlineKey {
    be64 time_ns;
    store::Id machine;
};
static_assert(sizeof(DeadlineKey) == 24);

}  // namespace rouse::events
