#include "mgmt/o2ims/monitoring/alarm_facts.hpp"

#include "mgmt/boot/boot_profile.hpp"
#include "mgmt/boot/lease_book.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/events/timeline.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>
#include <sys/statvfs.h>

namespace rouse::o2ims {

using events::BootStage;
using nlohmann::json;
using store::Document;
using store::View;

namespace {

// Of a timeline: three boots have far less.
constexpr std::uint64_t kEntriesLookedAt = 300;

// Boots that failed since the last that did not, by the newest entries of a timeline.
std::uint32_t failures_in(const json& entries) {
    std::uint32_t failures = 0;
    for (const json& entry : entries) {
        const std::string event = store::text_of_field(entry, "event");
        if (event == to_string(events::TimelineEvent::boot_failed)) ++failures;
        if (event == to_string(events::TimelineEvent::agent_home) ||
            event == to_string(events::TimelineEvent::handed_over))
            failures = 0;
    }
    return failures;
}

// What was found; what could not be is logged.
template <typename T>
std::optional<T> or_nothing(Result<T> found, const char* what) {
    if (found) return std::move(*found);
    spdlog::error("alarms about {} stay as they are: {}", what, found.error().message);
    return std::nullopt;
}

}  // namespace

AlarmFacts AlarmFactFinder::gather(const View& view, const RaisedAlarms& raised, std::uint64_t now_ns) {
    AlarmFacts out;
    out.workers = or_nothing(workers(view), "workers");
    out.pools = or_nothing(pools(view), "pools");
    out.profiles = or_nothing(profiles(view), "boot profiles");
    out.servers = or_nothing(servers(view, raised), "servers");
    out.dataplane = ims::dataplane_trouble(observation_);
    for (const auto& [address, seen_ns] : services_.consumer.foreign_servers())
        out.foreign_servers[address.to_string()] = seen_ns;
    if (const auto tls = observation_.tls())
        out.certificate_seconds = tls->not_after - static_cast<std::int64_t>(now_ns / kNanosPerSecond);
    struct statvfs disk {};
    if (::statvfs(observation_.state_dir.c_str(), &disk) == 0)
        out.disk = AlarmFacts::Disk{std::uint64_t{disk.f_bavail} * disk.f_frsize,
                                    std::uint64_t{disk.f_blocks} * disk.f_frsize};
    return out;
}

Result<std::vector<AlarmFacts::Worker>> AlarmFactFinder::workers(const View& view) const {
    std::vector<AlarmFacts::Worker> out;
    const auto read = store::for_each(view, store::kWorkers, std::nullopt, [&](const Document& worker) {
        const std::string name = worker.text("worker_id");
        out.push_back(
            {worker.id.to_string(), name, services_.roster.state(name) == workers::WorkerState::inactive});
        return true;
    });
    if (!read) return tl::unexpected(read.error());
    return out;
}

Result<std::vector<AlarmFacts::Pool>> AlarmFactFinder::pools(const View& view) const {
    std::vector<AlarmFacts::Pool> out;
    const auto all = boot::all_pools(view);
    if (!all) return tl::unexpected(all.error());
    for (const auto& pool : *all) {
        const auto counts = boot::lease_counts(view, pool.network.id);
        if (!counts) return tl::unexpected(counts.error());
        const std::uint32_t capacity = pool.capacity(services_.appliance);
        const std::uint32_t used = std::min(capacity, counts->in_range);
        out.push_back({pool.id.to_string(), pool.network.range_start.to_string(), capacity, capacity - used});
    }
    return out;
}

Result<std::vector<AlarmFacts::Profile>> AlarmFactFinder::profiles(const View& view) const {
    std::vector<AlarmFacts::Profile> out;
    Result<void> trouble;
    const auto read = store::for_each(view, store::kBootProfiles, std::nullopt, [&](const Document& profile) {
        const auto missing = boot::warnings_about(view, profile.fields);
        if (!missing)
            trouble = fail(missing.error().message);
        else if (!missing->empty())
            out.push_back({profile.id.to_string(), profile.text("name"), missing->front()});
        return trouble.has_value();
    });
    if (!read) return tl::unexpected(read.error());
    if (!trouble) return tl::unexpected(trouble.error());
    return out;
}

// Those whose boot has failed now, and those that had: they may be trying again.
Result<std::vector<AlarmFacts::Server>> AlarmFactFinder::servers(const View& view,
                                                                 const RaisedAlarms& raised) {
    auto machines = store::ids_by(view, store::kMachineByStatus, info(BootStage::failed).status);
    if (!machines) return tl::unexpected(machines.error());
    std::set<store::Id> ids(machines->begin(), machines->end());
    for (const auto& [id, known] : known_) ids.insert(id);
    const auto alarmed = inventory_->read([&](const Inventory::State& state) {
        const std::string prefix = std::string(definition_of(AlarmName::boot_failed).name) + "/";
        for (auto at = raised.lower_bound(prefix); at != raised.end() && at->first.starts_with(prefix);
             ++at) {
            const auto resource = state.resources.find(at->first.substr(prefix.size()));
            if (resource == state.resources.end()) continue;  // it is gone
            if (const auto& machine = resource->second.machine) ids.insert(*machine);
        }
    });
    if (!alarmed) return tl::unexpected(alarmed.error());
    std::vector<AlarmFacts::Server> out;
    std::map<store::Id, KnownServer> now;
    for (const store::Id& id : ids) {
        const auto boot = events::read_boot(view, services_.consumer.tables(), id);
        if (!boot) return tl::unexpected(boot.error());
        if (!*boot) continue;
        const auto before = known_.find(id);
        if (before != known_.end() && before->second.sequence == (*boot)->last_sequence &&
            before->second.facts.stage == (*boot)->stage) {
            now.emplace(*before);
        } else {
            const auto machine = store::find(view, store::kMachines, id);
            if (!machine) return tl::unexpected(machine.error());
            if (!*machine) continue;
            auto facts = look_at(view, **machine, **boot);
            if (!facts) return tl::unexpected(facts.error());
            now[id] = {(*boot)->last_sequence, std::move(*facts)};
        }
        out.push_back(now[id].facts);
        if (now[id].facts.failures == 0) now.erase(id);
    }
    known_ = std::move(now);
    return out;
}

Result<AlarmFacts::Server> AlarmFactFinder::look_at(const View& view, const Document& machine,
                                                    const events::BootRecord& boot) {
    const std::uint64_t last = boot.last_sequence;
    const auto page =
        events::read_timeline(view, services_.consumer.tables(), machine.id,
                              last > kEntriesLookedAt ? last - kEntriesLookedAt : 0, kEntriesLookedAt);
    if (!page) return tl::unexpected(page.error());
    AlarmFacts::Server out{.name = machine.text("hostname"), .stage = boot.stage};
    out.failures = failures_in(json::parse(page->json, nullptr, false));
    out.verdict = machine.text("verdict");
    if (const auto mac = MacAddress::parse(machine.text("mac")))
        out.resource_id = inventory_->resource_id(*mac);
    const auto read = inventory_->read([&](const Inventory::State& state) {
        const auto resource = state.resources.find(out.resource_id);
        if (resource != state.resources.end()) out.type_id = resource->second.type;
    });
    if (!read) return tl::unexpected(read.error());
    return out;
}

}  // namespace rouse::o2ims
