#include "mgmt/workers/racks.hpp"

#include "mgmt/events/timeline.hpp"
#include "mgmt/store/changes.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace rouse::workers {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using nlohmann::json;

namespace {

std::string text_in(const json& fields, const char* name) {
    const auto found = fields.find(name);
    return found != fields.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool flag_in(const json& fields, const char* name) {
    const auto found = fields.find(name);
    return found != fields.end() && found->is_boolean() && found->get<bool>();
}

json text_or_null(const std::string& text) {
    return text.empty() ? json() : json(text);
}

void put_assignment(json& fields, const Assignment& next, AssignmentState state, std::uint64_t tenure) {
    fields["worker"] = text_or_null(next.worker);
    fields["standby"] = text_or_null(next.standby);
    fields["automatic_return"] = next.returns;
    fields["served_by"] = text_or_null(next.holder);
    fields["assignment"] = to_string(state);
    fields["epoch"] = next.epoch;
    fields["_since"] = next.since;
    fields["_tenure"] = tenure;
    boot::set_fences(fields, next.fences);
    std::uint64_t until = 0;
    for (const auto& fence : next.fences) until = std::max(until, fence.until_ns);
    fields["fenced_until"] = until == 0 ? json() : json(to_timestamp(until));
}

// What a change of the rack means for one of its machines.
struct Effect {
    bool hold = false;     // if its answer changed and the leaving holder has not confirmed it
    bool release = false;  // no fence is left
    Peer leaving;
    std::optional<bool> orphaned;  // it became so, or is not any more
    std::string event, text;       // for the timeline; empty: nothing

    [[nodiscard]] bool is_any() const { return hold || release || orphaned || !event.empty(); }
};

bool apply_to_fields(json& fields, const Effect& effect) {
    const json before = fields;
    if (effect.release) fields.erase("_held");
    if (effect.hold && must_hold(fields.value("_addressed", std::uint64_t{0}), effect.leaving))
        fields["_held"] = true;
    if (effect.orphaned == true && !fields.contains("_health")) {
        fields["_health"] = fields.value("health", json());
        fields["health"] = "UNKNOWN";
    }
    if (effect.orphaned == false && fields.contains("_health")) {
        if (text_in(fields, "health") == "UNKNOWN") fields["health"] = fields["_health"];
        fields.erase("_health");
    }
    return fields != before;
}

Outcome<void> apply_to_machine(Batch& batch, const Centre& centre, Id id, const Effect& effect) {
    auto machine = find(batch, kMachines, id);
    if (!machine) return pass_on(machine.error());
    if (!*machine) return {};
    if (apply_to_fields((*machine)->fields, effect))
        if (auto updated = update(batch, kMachines, **machine); !updated) return pass_on(updated.error());
    if (effect.event.empty()) return {};
    const auto stored = events::read_boot(batch, centre.tables, id);
    if (!stored) return pass_on(stored.error());
    auto record = stored->value_or(events::BootRecord{});
    auto added =
        events::append(batch, centre.tables, id, record, batch.now_ns(), effect.event, effect.text, {});
    if (added) added = events::write_boot(batch, centre.tables, id, record);
    return added ? Outcome<void>{} : pass_on(added.error());
}

std::string who(const std::string& holder, const Centre& centre) {
    return holder.empty() ? centre.appliance.id() : holder;
}

void tell(Effect& effect, const Decision& decision, AssignmentState before, const Centre& centre) {
    using events::TimelineEvent;
    const std::string now = who(decision.holder, centre), then = who(decision.before, centre);
    if (now != then && decision.state == AssignmentState::taken_over) {
        effect.event = events::to_string(TimelineEvent::taken_over);
        effect.text = then + " was lost; " + now + " serves this machine now";
    } else if (now != then) {
        effect.event = events::to_string(TimelineEvent::handed_on);
        effect.text = now + " serves this machine now, and " + then + " no longer";
    } else if (decision.state == AssignmentState::orphaned && before != decision.state) {
        effect.event = events::to_string(TimelineEvent::worker_lost);
        effect.text = now + ", which serves this machine, is not heard of any more, and no standby is there";
    } else if (before == AssignmentState::orphaned && before != decision.state) {
        effect.event = events::to_string(TimelineEvent::worker_returned);
        effect.text = now + ", which serves this machine, is heard of again";
    }
}

AssignmentState stored_state(const json& fields) {
    const std::string text = text_in(fields, "assignment");
    for (const auto state : {AssignmentState::served, AssignmentState::taken_over, AssignmentState::orphaned})
        if (text == to_string(state)) return state;
    return AssignmentState::own;
}

// Workers whose documents' status is not what it is now.
Result<std::vector<Document>> workers_out_of_date(const View& view, const Roster& roster) {
    std::vector<Document> out;
    const auto listed = for_each(view, kWorkers, std::nullopt, [&](Document worker) {
        const auto state = roster.state(worker.text("worker_id"));
        if (worker.text("status") != to_string(state)) out.push_back(std::move(worker));
        return true;
    });
    if (!listed) return tl::unexpected(listed.error());
    return out;
}

struct Due {
    Document cluster;
    Assignment next;
};
Result<std::vector<Due>> racks_due(const View& view, const Centre& centre, std::uint64_t now_ns) {
    const auto moment = moment_of(centre, view, now_ns);
    if (!moment) return tl::unexpected(moment.error());
    const Peers peers = peers_of(centre, view);
    std::vector<Due> due;
    const auto listed = for_each(view, kClusters, std::nullopt, [&](Document cluster) {
        const Assignment now = assignment_of(cluster.fields);
        if (now == Assignment{}) return true;
        Assignment after = next(now, peers, *moment);
        if (after != now || state_of(after, peers, *moment) != stored_state(cluster.fields))
            due.push_back({std::move(cluster), std::move(after)});
        return true;
    });
    if (!listed) return tl::unexpected(listed.error());
    return due;
}

}  // namespace

Assignment assignment_of(const json& cluster) {
    return {.worker = text_in(cluster, "worker"),
            .standby = text_in(cluster, "standby"),
            .holder = text_in(cluster, "served_by"),
            .returns = flag_in(cluster, "automatic_return"),
            .epoch = cluster.value("epoch", std::uint64_t{0}),
            .since = cluster.value("_since", std::uint64_t{0}),
            .fences = boot::fences_of(cluster)};
}

Peers peers_of(const Centre& centre, const View& view) {
    return [&centre, &view](const std::string& worker) { return centre.roster.peer(view, worker); };
}

Result<Moment> moment_of(const Centre& centre, const View& view, std::uint64_t now_ns) {
    const auto sequence = last_change(view);
    if (!sequence) return tl::unexpected(sequence.error());
    return Moment{now_ns, *sequence, centre.appliance.id()};
}

Outcome<Decision> write_assignment(Batch& batch, const Centre& centre, Document cluster,
                                   const Assignment& next) {
    const auto moment = moment_of(centre, batch, batch.now_ns());
    if (!moment) return pass_on(moment.error());
    const Assignment now = assignment_of(cluster.fields);
    const AssignmentState before = stored_state(cluster.fields);
    Decision decision{cluster.id,  cluster.text("name"), state_of(next, peers_of(centre, batch), *moment),
                      next.holder, now.holder,           next.epoch};
    Effect effect;
    effect.release = next.fences.empty() && !now.fences.empty();
    effect.leaving = centre.roster.peer(batch, now.holder);
    effect.hold =
        next.holder != now.holder && !next.fences.empty() && next.fences.back().worker == now.holder;
    if ((decision.state == AssignmentState::orphaned) != (before == AssignmentState::orphaned))
        effect.orphaned = decision.state == AssignmentState::orphaned;
    tell(effect, decision, before, centre);
    if (effect.is_any()) {
        const auto machines = ids_by(batch, kMachineByCluster, cluster.id.to_string());
        if (!machines) return pass_on(machines.error());
        for (const Id& id : *machines)
            if (auto applied = apply_to_machine(batch, centre, id, effect); !applied)
                return pass_on(applied.error());
    }
    const bool is_own = next.holder.empty() || next.holder == centre.appliance.id();
    put_assignment(cluster.fields, next, decision.state, is_own ? 0 : centre.roster.tenure_seconds());
    // Who begins to follow the rack is sent all of it.
    if (next.worker != now.worker || next.standby != now.standby || next.holder != now.holder)
        cluster.fields["_assigned"] = moment->sequence;
    const auto updated = update(batch, kClusters, std::move(cluster));
    if (!updated) return pass_on(updated.error());
    return decision;
}

Result<bool> anything_due(const View& view, const Centre& centre, std::uint64_t now_ns) {
    const auto workers = workers_out_of_date(view, centre.roster);
    if (!workers) return tl::unexpected(workers.error());
    if (!workers->empty()) return true;
    const auto racks = racks_due(view, centre, now_ns);
    if (!racks) return tl::unexpected(racks.error());
    return !racks->empty();
}

Outcome<Decisions> decide_all(Batch& batch, const Centre& centre) {
    Decisions decisions;
    auto workers = workers_out_of_date(batch, centre.roster);
    if (!workers) return pass_on(workers.error());
    for (Document& worker : *workers) {
        const std::string id = worker.text("worker_id");
        const auto state = centre.roster.state(id);
        if (state == WorkerState::inactive)
            decisions.lost.push_back(id);
        else if (worker.text("status") == to_string(WorkerState::inactive))
            decisions.returned.push_back(id);
        if (const auto beat = centre.roster.last_beat(id)) {
            worker.fields["last_heartbeat"] = to_timestamp(beat->realtime_ns);
            worker.fields["services"] = beat->services;
            worker.fields["metrics"] = beat->metrics;
        }
        worker.fields["status"] = to_string(state);
        if (auto updated = update(batch, kWorkers, std::move(worker)); !updated)
            return pass_on(updated.error());
    }
    auto racks = racks_due(batch, centre, batch.now_ns());
    if (!racks) return pass_on(racks.error());
    for (Due& due : *racks) {
        auto decision = write_assignment(batch, centre, std::move(due.cluster), due.next);
        if (!decision) return pass_on(decision.error());
        decisions.racks.push_back(std::move(*decision));
    }
    return decisions;
}

}  // namespace rouse::workers
