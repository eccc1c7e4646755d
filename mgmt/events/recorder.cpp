#include "mgmt/events/recorder.hpp"

#include "mgmt/boot/machine.hpp"
#include "mgmt/events/cluster_status.hpp"
#include "mgmt/events/lease_keeper.hpp"
#include "mgmt/events/sentence.hpp"
#include "mgmt/events/strangers.hpp"
#include "mgmt/events/text.hpp"
#include "mgmt/store/changes.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

namespace rouse::events {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using store::bytes_of;

// A machine while events are applied to it; written back once, however many there were.
struct Loaded {
    BootRecord boot;
    BootStage stored_stage = BootStage::idle;  // as the machine's document shows it
    std::uint64_t stored_sequence = 0;         // of the timeline's last entry
    MachineFacts facts;
    std::string failure;  // the verdict, when the boot failed just now
};

// Whose hardware address it is.
struct Sender {
    std::optional<store::Id> machine;  // none: not registered
    bool is_guest = false;
};

class Session {
  public:
    // With APPLIANCE, machines that begin a boot get a new token.
    Session(store::Batch& batch, const EventTables& tables, const boot::Appliance* appliance = nullptr)
        : batch_(batch), tables_(tables), appliance_(appliance) {}

    Result<void> apply(const Event& event, LeaseKeeper& leases);
    Result<void> apply_own(const Event& event);
    Result<void> expire(const store::Id& machine, std::uint64_t watched_ns, std::uint64_t now_ns);
    Outcome<void> report(const AgentNews& news);
    // Writes all that was gathered; what was touched.
    Outcome<TouchedMachines> finish();

  private:
    Result<Sender*> sender_of(const MacAddress& mac);
    Result<void> apply_to(const store::Id& machine, const Event& event);
    Result<void> replace_address(const store::Id& machine, const Event& event, LeaseKeeper& leases);
    Result<Loaded*> load(const store::Id& machine);
    Result<MachineFacts> facts_of(const store::HostRecord& host);
    Result<void> add(const store::Id& machine, Loaded& loaded, std::uint64_t time_ns, std::string_view event,
                     std::string text, ordered_json details) {
        return append(batch_, tables_, machine, loaded.boot, time_ns, event, std::move(text),
                      std::move(details));
    }
    Result<void> begin(const store::Id& machine, Loaded& loaded, const Event& event);
    Outcome<void> write_document(const store::Id& machine, Loaded& loaded, const json* hardware);

    store::Batch& batch_;
    const EventTables& tables_;
    const boot::Appliance* appliance_;
    std::map<store::Id, Loaded> machines_;
    std::unordered_map<MacAddress, Sender> by_mac_;
    std::map<store::Id, json> hardware_;
    std::set<store::Id> clusters_;
    StrangerNotes strangers_;
};

std::optional<store::Id> id_of(const store::HostRecord& host) {
    return store::Id::parse({host.machine_id.data(), host.machine_id.size()});
}

Result<Sender*> Session::sender_of(const MacAddress& mac) {
    if (const auto known = by_mac_.find(mac); known != by_mac_.end()) return &known->second;
    const auto host = batch_.record<store::HostRecord>(batch_.tables().hosts, bytes_of(mac));
    if (!host) return tl::unexpected(host.error());
    Sender sender;
    sender.is_guest = *host && (*host)->is_guest();
    if (*host) sender.machine = id_of(**host);
    if (sender.machine) {
        auto loaded = load(*sender.machine);
        if (!loaded) return tl::unexpected(loaded.error());
        const auto facts = facts_of(**host);
        if (!facts) return tl::unexpected(facts.error());
        (*loaded)->facts = *facts;
    }
    return &by_mac_.emplace(mac, sender).first->second;
}

Result<MachineFacts> Session::facts_of(const store::HostRecord& host) {
    if (host.profile == 0) return MachineFacts{};
    const be32 key(host.profile);
    const auto profile = batch_.record<store::ProfileRecord>(batch_.tables().profiles, bytes_of(key));
    if (!profile) return tl::unexpected(profile.error());
    return MachineFacts{.has_profile = profile->has_value(),
                        .awaits_agent = profile->has_value() && (*profile)->has_script()};
}

Result<Loaded*> Session::load(const store::Id& machine) {
    if (const auto known = machines_.find(machine); known != machines_.end()) return &known->second;
    const auto boot = read_boot(batch_, tables_, machine);
    if (!boot) return tl::unexpected(boot.error());
    Loaded loaded;
    loaded.boot = boot->value_or(BootRecord{});
    loaded.stored_stage = loaded.boot.stage;
    loaded.stored_sequence = loaded.boot.last_sequence;
    // What held when its last event came; machine_of() knows better when one comes now.
    const bool awaited = loaded.boot.has(BootRecord::kAgentAwaited);
    loaded.facts = {.has_profile = true, .awaits_agent = awaited};
    return &machines_.emplace(machine, std::move(loaded)).first->second;
}

Result<void> Session::begin(const store::Id& machine, Loaded& loaded, const Event& event) {
    if (is_under_way(loaded.boot.stage)) {
        auto added = add(machine, loaded, event.time_ns, to_string(TimelineEvent::boot_unfinished),
                         "started over before its boot was finished; it " + verdict(loaded.boot),
                         {{"stage", info(loaded.boot.stage).name}});
        if (!added) return added;
    }
    loaded.failure.clear();
    advance(loaded.boot, BootTrigger::begin, event.time_ns, loaded.facts);
    if (appliance_ == nullptr) return {};
    const auto renewed = boot::renew_token(batch_, *appliance_, machine);
    return renewed ? Result<void>{} : fail(renewed.error().message);
}

Result<void> Session::apply(const Event& event, LeaseKeeper& leases) {
    const auto sender = sender_of(event.mac);
    if (!sender) return tl::unexpected(sender.error());
    const auto effect = leases.follow(event, (*sender)->machine.has_value());
    if (!effect) return tl::unexpected(effect.error());
    if (*effect == LeaseKeeper::Effect::guest) (*sender)->is_guest = true;
    if (const auto& machine = (*sender)->machine) {
        if (auto applied = apply_to(*machine, event); !applied) return applied;
        if (event.kind == EventKind::dhcp_decline) return replace_address(*machine, event, leases);
        return {};
    }
    if ((*sender)->is_guest) return {};
    // Another appliance serves it: here it is no stranger.
    const auto elsewhere =
        store::find_by(batch_, store::kMachines, store::kMachineByMac, event.mac.to_string());
    if (elsewhere && *elsewhere) return {};
    Event noted = event;
    if (*effect == LeaseKeeper::Effect::refused) {
        noted.kind = EventKind::dhcp_ignored;
        noted.detail = static_cast<std::uint16_t>(DropReason::dhcp_no_address);
    }
    strangers_.note(noted);
    return {};
}

Result<void> Session::apply_own(const Event& event) {
    const auto sender = sender_of(event.mac);
    if (!sender) return tl::unexpected(sender.error());
    const auto& machine = (*sender)->machine;
    return machine ? apply_to(*machine, event) : Result<void>{};  // a guest has no timeline
}

Result<void> Session::apply_to(const store::Id& machine, const Event& event) {
    Loaded& loaded = machines_.at(machine);
    const auto trigger = trigger_of(event, loaded.boot, loaded.facts);
    std::string text = sentence(event);
    if (trigger == BootTrigger::begin) {
        if (auto begun = begin(machine, loaded, event); !begun) return begun;
        text += late_start_hint(event);
    }
    note(loaded.boot, event);
    if (trigger && *trigger != BootTrigger::begin)
        advance(loaded.boot, *trigger, event.time_ns, loaded.facts);
    return add(machine, loaded, event.time_ns, event_name(event), std::move(text), details(event));
}

Result<void> Session::replace_address(const store::Id& machine, const Event& event, LeaseKeeper& leases) {
    auto done = leases.replace_declined(event, machine);
    if (!done) return tl::unexpected(done.error());
    if (done->text.empty()) return {};
    const auto kind = done->replaced ? TimelineEvent::address_replaced : TimelineEvent::address_kept;
    return add(machine, machines_.at(machine), event.time_ns, to_string(kind), std::move(done->text),
               {{"ip", event.address.to_string()}});
}

Result<void> Session::expire(const store::Id& machine, std::uint64_t watched_ns, std::uint64_t now_ns) {
    const auto removed = batch_.remove(tables_.deadlines, bytes_of(DeadlineKey{watched_ns, machine}));
    if (!removed) return tl::unexpected(removed.error());
    const auto document = store::find(batch_, store::kMachines, machine);
    if (document && !*document) return {};  // deleted meanwhile
    auto found = load(machine);
    if (!found) return tl::unexpected(found.error());
    Loaded& loaded = **found;
    loaded.boot.watched_ns = 0;
    // Progress was made since: finish() puts it back at its new deadline.
    if (loaded.boot.deadline_ns == 0 || loaded.boot.deadline_ns > now_ns) return {};

    const BootRecord stopped = loaded.boot;
    advance(loaded.boot,
            stopped.has(BootRecord::kAgentAwaited) ? BootTrigger::expiry : BootTrigger::expiry_unwatched,
            now_ns, loaded.facts);
    ordered_json details{{"stage", info(stopped.stage).name}};
    if (loaded.boot.stage == BootStage::handed_over)
        return add(machine, loaded, now_ns, to_string(TimelineEvent::handed_over),
                   "fetched all it asked for (" + delivery_summary(loaded.boot) +
                       "); its boot profile awaits no agent, so nothing more is seen from here",
                   std::move(details));
    loaded.failure = verdict(stopped);
    return add(machine, loaded, now_ns, to_string(TimelineEvent::boot_failed),
               "boot failed: " + loaded.failure, std::move(details));
}

Outcome<void> Session::report(const AgentNews& news) {
    const auto found = load(news.machine);
    if (!found) return pass_on(found.error());
    Loaded& loaded = **found;
    // Said again, because our answer was lost.
    if (news.trigger == BootTrigger::kernel_report && loaded.boot.stage == BootStage::kernel_up) return {};
    const bool home = news.trigger == BootTrigger::home_report;
    std::string text = news.text;
    if (home && is_under_way(loaded.boot.stage) && loaded.boot.number != 0 &&
        batch_.now_ns() > loaded.boot.started_ns)
        text += "; " + human_duration(batch_.now_ns() - loaded.boot.started_ns) +
                " after its first DISCOVER, " + delivery_summary(loaded.boot);
    advance(loaded.boot, news.trigger, batch_.now_ns(), loaded.facts);
    if (!news.hardware.is_null()) hardware_[news.machine] = news.hardware;
    const auto event = home ? TimelineEvent::agent_home : TimelineEvent::kernel_up;
    if (auto added =
            add(news.machine, loaded, batch_.now_ns(), to_string(event), std::move(text), news.details);
        !added)
        return pass_on(added.error());
    return {};
}

Outcome<void> Session::write_document(const store::Id& machine, Loaded& loaded, const json* hardware) {
    const BootStageInfo& stage = info(loaded.boot.stage);
    const BootStageInfo& before = info(loaded.stored_stage);
    const bool moved = stage.status != before.status || stage.health != before.health;
    if ((!moved || stage.status.empty()) && hardware == nullptr) return {};
    auto found = store::find(batch_, store::kMachines, machine);
    // A machine on its way out, or a damaged document: that must not hold up all others' events.
    if (!found || !*found) return {};
    store::Document document = std::move(**found);
    if (hardware != nullptr) document.fields["hardware"] = *hardware;
    if (moved && !stage.status.empty()) {
        // The operator's word stands until they take it back.
        if (document.text("status") != "MAINTENANCE") document.fields["status"] = stage.status;
        document.fields["health"] = stage.health;
        document.fields.erase("verdict");
        if (loaded.boot.stage == BootStage::failed) document.fields["verdict"] = loaded.failure;
    }
    if (const auto cluster = store::Id::parse(document.text("cluster"))) clusters_.insert(*cluster);
    const auto updated = store::update(batch_, store::kMachines, std::move(document));
    if (!updated) return tl::unexpected(updated.error());
    return {};
}

Outcome<TouchedMachines> Session::finish() {
    TouchedMachines touched;
    for (auto& [machine, loaded] : machines_) {
        const auto hardware = hardware_.find(machine);
        if (auto written =
                write_document(machine, loaded, hardware == hardware_.end() ? nullptr : &hardware->second);
            !written)
            return tl::unexpected(written.error());
        if (auto written = write_boot(batch_, tables_, machine, loaded.boot); !written)
            return pass_on(written.error());
        if (loaded.boot.last_sequence > loaded.stored_sequence) {
            store::Change grown;
            grown.kind = store::Kind::timeline;
            grown.what = store::Change::What::updated;
            grown.id = machine;
            grown.first_entry = loaded.stored_sequence + 1;
            grown.last_entry = loaded.boot.last_sequence;
            if (auto noted = store::append_change(batch_, grown); !noted) return pass_on(noted.error());
        }
        touched.push_back({machine, loaded.boot.last_sequence});
    }
    for (const auto& cluster : clusters_)
        if (auto refreshed = refresh_cluster(batch_, cluster); !refreshed)
            return tl::unexpected(refreshed.error());
    if (auto written = strangers_.write(batch_, tables_); !written) return pass_on(written.error());
    return touched;
}

Result<std::vector<DeadlineKey>> deadlines_due(const store::View& view, const EventTables& tables,
                                               std::uint64_t now_ns, std::size_t limit) {
    std::vector<DeadlineKey> due;
    const auto scanned = scan(view.txn(), tables.deadlines, {}, [&](store::Bytes key, store::Bytes) {
        DeadlineKey found;
        if (key.size() != sizeof found) return false;
        std::memcpy(&found, key.data(), sizeof found);
        if (found.time_ns.host() > now_ns || due.size() == limit) return false;
        due.push_back(found);
        return true;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    return due;
}

// Operations on events fail only with the store.
Result<TouchedMachines> store_result(Outcome<TouchedMachines> outcome) {
    if (outcome) return std::move(*outcome);
    return fail(std::move(outcome.error().message));
}

// Of each ring, the sequence of the last event that was applied: table `rings`.
class AppliedSequences {
  public:
    AppliedSequences(store::Batch& batch, const EventTables& tables) : batch_(batch), tables_(tables) {}

    // True when the event was not applied before; now it counts as applied.
    Result<bool> advance(std::uint64_t ring, std::uint64_t sequence) {
        auto known = last_.find(ring);
        if (known == last_.end()) {
            const auto stored = read(ring);
            if (!stored) return tl::unexpected(stored.error());
            known = last_.emplace(ring, *stored).first;
        }
        if (sequence <= known->second) return false;
        known->second = sequence;
        return true;
    }
    Result<void> write() {
        for (const auto& [ring, sequence] : last_) {
            const be64 key(ring);
            const be64 value(sequence);
            if (auto put = batch_.put(tables_.rings, bytes_of(key), bytes_of(value)); !put) return put;
        }
        return {};
    }

  private:
    Result<std::uint64_t> read(std::uint64_t ring) {
        const be64 key(ring);
        const auto stored = batch_.txn().get(tables_.rings, bytes_of(key));
        if (!stored) return tl::unexpected(stored.error());
        be64 last(0);
        if (*stored && (*stored)->size() == sizeof last) std::memcpy(&last, (*stored)->data(), sizeof last);
        return last.host();
    }
    store::Batch& batch_;
    const EventTables& tables_;
    std::map<std::uint64_t, std::uint64_t> last_;
};

}  // namespace

Result<TouchedMachines> apply_events(store::Batch& batch, const EventTables& tables,
                                     const boot::Appliance& appliance, std::span<const RingEvent> events) {
    AppliedSequences applied(batch, tables);
    Session session(batch, tables, &appliance);
    LeaseKeeper leases(batch, appliance);
    for (const auto& [ring, event] : events) {
        const auto is_new = applied.advance(ring, event.sequence);
        if (!is_new) return tl::unexpected(is_new.error());
        if (!*is_new) continue;
        if (auto done = session.apply(event, leases); !done) return tl::unexpected(done.error());
    }
    auto touched = session.finish();
    if (auto written = applied.write(); !written) return tl::unexpected(written.error());
    return store_result(std::move(touched));
}

Result<TouchedMachines> apply_own_events(store::Batch& batch, const EventTables& tables,
                                         std::span<const Event> events) {
    Session session(batch, tables);
    for (const Event& event : events)
        if (auto done = session.apply_own(event); !done) return tl::unexpected(done.error());
    return store_result(session.finish());
}

Result<bool> any_deadline_due(const store::View& view, const EventTables& tables, std::uint64_t now_ns) {
    const auto due = deadlines_due(view, tables, now_ns, 1);
    if (!due) return tl::unexpected(due.error());
    return !due->empty();
}

Result<TouchedMachines> apply_deadlines(store::Batch& batch, const EventTables& tables, std::uint64_t now_ns,
                                        std::size_t limit) {
    const auto due = deadlines_due(batch, tables, now_ns, limit);
    if (!due) return tl::unexpected(due.error());
    Session session(batch, tables);
    for (const DeadlineKey& key : *due)
        if (auto done = session.expire(key.machine, key.time_ns.host(), now_ns); !done)
            return tl::unexpected(done.error());
    return store_result(session.finish());
}

Outcome<TouchedMachines> apply_agent_news(store::Batch& batch, const EventTables& tables,
                                          const AgentNews& news) {
    const auto machine = store::find(batch, store::kMachines, news.machine);
    if (!machine) return pass_on(machine.error());
    if (!*machine) return refuse(Failure::Kind::not_found, "the machine was deleted");
    Session session(batch, tables);
    if (auto done = session.report(news); !done) return tl::unexpected(done.error());
    return session.finish();
}

}  // namespace rouse::events
