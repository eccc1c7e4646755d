#include "mgmt/events/timeline.hpp"

#include "mgmt/store/changes.hpp"
#include "mgmt/store/documents.hpp"

#include <cstring>

#include <nlohmann/json.hpp>

namespace rouse::events {

using store::bytes_of;

namespace {

Result<void> put(store::Batch& batch, const EventTables& tables, const store::Id& machine, BootRecord& boot,
                 nlohmann::ordered_json entry) {
    const std::uint64_t sequence = ++boot.last_sequence;
    entry["sequence"] = sequence;
    // Everything from the wire was made printable; agents' strings may still hold anything.
    const std::string value = entry.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    if (auto put = batch.put(tables.timeline, bytes_of(TimelineKey{machine, sequence}), bytes_of(value));
        !put)
        return put;
    for (; sequence - boot.oldest_sequence >= kMaxEntries; ++boot.oldest_sequence) {
        const auto removed =
            batch.remove(tables.timeline, bytes_of(TimelineKey{machine, boot.oldest_sequence}));
        if (!removed) return tl::unexpected(removed.error());
    }
    return {};
}

}  // namespace

Result<void> append(store::Batch& batch, const EventTables& tables, const store::Id& machine,
                    BootRecord& boot, std::uint64_t time_ns, std::string_view event, std::string text,
                    nlohmann::ordered_json details) {
    if (boot.number != 0) details["boot"] = boot.number;
    nlohmann::ordered_json entry{{"sequence", 0}};
    entry["time"] = store::to_timestamp(time_ns);
    entry["event"] = event;
    entry["text"] = std::move(text);
    entry["details"] = std::move(details);
    return put(batch, tables, machine, boot, std::move(entry));
}

Result<void> append_made_elsewhere(store::Batch& batch, const EventTables& tables, const store::Id& machine,
                                   BootRecord& boot, const nlohmann::ordered_json& entry) {
    nlohmann::ordered_json own{{"sequence", 0}};
    for (const char* name : {"time", "event", "text", "details"}) own[name] = entry.at(name);
    return put(batch, tables, machine, boot, std::move(own));
}

Result<Page> read_timeline(const store::View& view, const EventTables& tables, const store::Id& machine,
                           std::uint64_t after, std::size_t limit) {
    Page page{"[", after};
    if (after == UINT64_MAX || limit == 0) return Page{"[]", after};
    std::size_t entries = 0;
    const auto scanned = scan(view.txn(), tables.timeline, bytes_of(TimelineKey{machine, after + 1}),
                              [&](store::Bytes key, store::Bytes value) {
                                  TimelineKey found;
                                  if (key.size() != sizeof found) return false;
                                  std::memcpy(&found, key.data(), sizeof found);
                                  if (found.machine != machine) return false;
                                  if (entries != 0) page.json += ',';
                                  page.json += store::text_of(value);
                                  page.last_sequence = found.sequence.host();
                                  return ++entries < limit;
                              });
    if (!scanned) return tl::unexpected(scanned.error());
    page.json += ']';
    return page;
}

Result<std::optional<BootRecord>> read_boot(const store::View& view, const EventTables& tables,
                                            const store::Id& machine) {
    return view.record<BootRecord>(tables.boots, bytes_of(machine));
}

Result<void> write_boot(store::Batch& batch, const EventTables& tables, const store::Id& machine,
                        BootRecord& boot) {
    // Events push the deadline on all the time. The table is touched only when it would look too late, or
    // once the old time has come: then the recorder looks, finds the new deadline, and ends up here.
    const bool too_late =
        boot.deadline_ns != 0 && (boot.watched_ns == 0 || boot.deadline_ns < boot.watched_ns);
    if (too_late) {
        if (boot.watched_ns != 0) {
            const auto removed =
                batch.remove(tables.deadlines, bytes_of(DeadlineKey{boot.watched_ns, machine}));
            if (!removed) return tl::unexpected(removed.error());
        }
        boot.watched_ns = boot.deadline_ns;
        if (auto put = batch.put(tables.deadlines, bytes_of(DeadlineKey{boot.watched_ns, machine}),
                                 store::bytes_of(std::string_view{}));
            !put)
            return put;
    }
    return batch.put_record(tables.boots, bytes_of(machine), boot);
}

Result<void> forget_machine(store::Batch& batch, const EventTables& tables, const store::Id& machine) {
    const auto boot = read_boot(batch, tables, machine);
    if (!boot) return tl::unexpected(boot.error());
    if (!*boot) return {};
    for (auto sequence = (*boot)->oldest_sequence; sequence <= (*boot)->last_sequence; ++sequence)
        if (auto removed = batch.remove(tables.timeline, bytes_of(TimelineKey{machine, sequence})); !removed)
            return tl::unexpected(removed.error());
    if ((*boot)->watched_ns != 0)
        if (auto removed =
                batch.remove(tables.deadlines, bytes_of(DeadlineKey{(*boot)->watched_ns, machine}));
            !removed)
            return tl::unexpected(removed.error());
    if (auto removed = batch.remove(tables.boots, bytes_of(machine)); !removed)
        return tl::unexpected(removed.error());
    return store::forget_timeline_changes(batch, machine);
}

}  // namespace rouse::events
