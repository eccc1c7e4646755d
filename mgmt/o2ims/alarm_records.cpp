#include "mgmt/o2ims/alarm_records.hpp"

#include <utility>

namespace rouse::o2ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using nlohmann::json;

namespace {

constexpr const char* kRetentionSetting = "o2ims-alarms";
constexpr std::uint64_t kDayNs = 86'400 * kNanosPerSecond;

std::uint64_t cleared_ns(const Document& alarm) {
    return from_timestamp(alarm.text("cleared_at")).value_or(0);
}

// Cleared by hand after it was last so: it is no news.
Result<bool> is_settled(const View& view, const Condition& condition) {
    if (condition.seen_ns == 0) return false;
    bool settled = false;
    const auto ids = ids_by(view, kAlarmByCondition, condition.key());
    if (!ids) return tl::unexpected(ids.error());
    if (ids->empty()) return false;
    const auto last = find(view, kAlarms, ids->back());
    if (!last) return tl::unexpected(last.error());
    // Times in documents are of milliseconds.
    if (*last) settled = cleared_ns(**last) / 1'000'000 >= condition.seen_ns / 1'000'000;
    return settled;
}

// True: there is room for one more.
Outcome<bool> make_room(Batch& batch) {
    const auto there = count(batch, kAlarms);
    if (!there) return pass_on(there.error());
    if (*there < kMostAlarms) return true;
    std::optional<Id> oldest;
    const auto looked = for_each_id(batch, kAlarmByState, kCleared, [&](Id id) {
        oldest = id;
        return false;
    });
    if (!looked) return pass_on(looked.error());
    if (!oldest) return false;
    return erase(batch, kAlarms, *oldest);
}

Outcome<Document> told(Batch& batch, Outcome<Document> alarm, const AlarmTeller& tell) {
    if (!alarm || !tell) return alarm;
    if (const auto said = tell(batch, *alarm); !said) return pass_on(said.error());
    return alarm;
}

Outcome<Document> clear(Batch& batch, Document alarm, const AlarmTeller& tell) {
    const std::string now = to_timestamp(batch.now_ns());
    alarm.fields["state"] = kCleared;
    alarm.fields["event"] = static_cast<int>(AlarmEvent::cleared);
    alarm.fields["severity"] = static_cast<int>(Severity::cleared);
    alarm.fields["cleared_at"] = now;
    alarm.fields["changed_at"] = now;
    return told(batch, update(batch, kAlarms, std::move(alarm)), tell);
}

Outcome<bool> raise(Batch& batch, const Condition& condition, const AlarmTeller& tell) {
    const auto settled = is_settled(batch, condition);
    if (!settled) return pass_on(settled.error());
    if (*settled) return true;
    auto room = make_room(batch);
    if (!room || !*room) return room;
    auto stored = insert(batch, kAlarms,
                         {{"condition", condition.key()},
                          {"state", kRaised},
                          {"definition", definition_of(condition.alarm).name},
                          {"object_id", condition.object_id},
                          {"object_type_id", condition.object_type_id},
                          {"object_class", condition.object_class},
                          {"severity", static_cast<int>(condition.severity)},
                          {"text", condition.text},
                          {"acknowledged", false},
                          {"event", static_cast<int>(AlarmEvent::raised)},
                          {"raised_at", to_timestamp(batch.now_ns())}});
    const auto made = told(batch, std::move(stored), tell);
    if (!made) return pass_on(made.error());
    return true;
}

}  // namespace

Result<RaisedAlarms> raised_alarms(const View& view) {
    RaisedAlarms out;
    const auto ids = ids_by(view, kAlarmByState, kRaised);
    if (!ids) return tl::unexpected(ids.error());
    for (const Id& id : *ids) {
        const auto alarm = find(view, kAlarms, id);
        if (!alarm) return tl::unexpected(alarm.error());
        if (!*alarm) continue;
        RaisedAlarm raised{id, (*alarm)->text("condition"),
                           static_cast<Severity>((*alarm)->fields.value("severity", 1)),
                           (*alarm)->text("text")};
        auto key = raised.condition;
        out.emplace(std::move(key), std::move(raised));
    }
    return out;
}

Outcome<std::size_t> carry_out(Batch& batch, const AlarmDecisions& decisions, const AlarmTeller& tell) {
    const auto raised = raised_alarms(batch);
    if (!raised) return pass_on(raised.error());
    const auto still_raised = [&](const Id& id) -> Result<std::optional<Document>> {
        auto alarm = find(batch, kAlarms, id);
        if (alarm && *alarm && (*alarm)->text("state") != kRaised) alarm->reset();
        return alarm;
    };
    for (const Id& id : decisions.clear) {
        auto alarm = still_raised(id);
        if (!alarm) return pass_on(alarm.error());
        if (!*alarm) continue;
        if (auto done = clear(batch, std::move(**alarm), tell); !done) return pass_on(done.error());
    }
    for (const auto& [id, now] : decisions.change) {
        auto alarm = still_raised(id);
        if (!alarm) return pass_on(alarm.error());
        if (!*alarm) continue;
        (*alarm)->fields["severity"] = static_cast<int>(now.severity);
        (*alarm)->fields["text"] = now.text;
        (*alarm)->fields["event"] = static_cast<int>(AlarmEvent::changed);
        (*alarm)->fields["changed_at"] = to_timestamp(batch.now_ns());
        if (auto done = told(batch, update(batch, kAlarms, std::move(**alarm)), tell); !done)
            return pass_on(done.error());
    }
    std::size_t refused = 0;
    for (const Condition& condition : decisions.raise) {
        if (raised->contains(condition.key())) continue;
        const auto made = raise(batch, condition, tell);
        if (!made) return pass_on(made.error());
        if (!*made) ++refused;
    }
    return refused;
}

Outcome<Document> acknowledge(Batch& batch, Document alarm, const AlarmTeller& tell) {
    if (alarm.fields.value("acknowledged", false))
        return refuse(Failure::Kind::conflict, "the alarm is acknowledged already");
    alarm.fields["acknowledged"] = true;
    alarm.fields["event"] = static_cast<int>(AlarmEvent::acknowledged);
    alarm.fields["acknowledged_at"] = to_timestamp(batch.now_ns());
    alarm.fields["changed_at"] = alarm.fields["acknowledged_at"];
    return told(batch, update(batch, kAlarms, std::move(alarm)), tell);
}

Outcome<Document> clear_by_hand(Batch& batch, Document alarm, const AlarmTeller& tell) {
    if (alarm.text("state") == kCleared)
        return refuse(Failure::Kind::conflict, "the alarm is cleared already");
    const auto* definition = find_alarm(alarm.text("definition"));
    if (definition == nullptr || definition->is_automatic)
        return refuse(Failure::Kind::conflict,
                      "the alarm is cleared by itself, as soon as what it is about is mended");
    return clear(batch, std::move(alarm), tell);
}

Outcome<Retention> read_retention(const View& view) {
    const auto found = find_by(view, kSettings, kSettingByName, kRetentionSetting);
    if (!found) return pass_on(found.error());
    if (!*found) return Retention{};
    return Retention{(*found)->fields.value("retention_days", kAlarmRetentionDays), (*found)->revision,
                     (*found)->fields.value("extensions", json::object())};
}

Outcome<Retention> write_retention(Batch& batch, std::uint32_t days, const json& extensions) {
    auto found = find_by(batch, kSettings, kSettingByName, kRetentionSetting);
    if (!found) return pass_on(found.error());
    json fields = *found ? (*found)->fields : json{{"name", kRetentionSetting}};
    fields["retention_days"] = days;
    fields["extensions"] = extensions;
    const auto written =
        *found ? update(batch, kSettings, Document{(*found)->id, (*found)->revision, std::move(fields)})
               : insert(batch, kSettings, std::move(fields));
    if (!written) return pass_on(written.error());
    return Retention{days, written->revision, extensions};
}

Result<std::vector<Id>> alarms_to_purge(const View& view, const Purge& purge) {
    std::vector<Id> out;
    const auto ids = ids_by(view, kAlarmByState, kCleared);
    if (!ids) return tl::unexpected(ids.error());
    for (const Id& id : *ids) {
        if (purge.ids && !purge.ids->contains(id)) continue;
        const auto alarm = find(view, kAlarms, id);
        if (!alarm) return tl::unexpected(alarm.error());
        if (!*alarm || !(*alarm)->fields.value("acknowledged", false)) continue;
        const std::uint64_t cleared = cleared_ns(**alarm);
        if (cleared >= purge.from_ns && cleared <= purge.to_ns) out.push_back(id);
    }
    return out;
}

Result<std::vector<Id>> alarms_to_forget(const View& view, std::uint64_t now_ns) {
    const auto retention = read_retention(view);
    if (!retention) return fail(retention.error().message);
    const std::uint64_t age = retention->days * kDayNs;
    std::vector<Id> out;
    const auto ids = ids_by(view, kAlarmByState, kCleared);
    if (!ids) return tl::unexpected(ids.error());
    for (const Id& id : *ids) {
        const auto alarm = find(view, kAlarms, id);
        if (!alarm) return tl::unexpected(alarm.error());
        if (*alarm && cleared_ns(**alarm) + age <= now_ns) out.push_back(id);
    }
    return out;
}

}  // namespace rouse::o2ims
