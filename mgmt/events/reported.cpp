#include "mgmt/events/reported.hpp"

#include "mgmt/boot/machine.hpp"
#include "mgmt/events/cluster_status.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/event.hpp"

#include <cstring>

namespace rouse::events {

using nlohmann::json;
using nlohmann::ordered_json;
using store::bytes_of;
using store::Id;

namespace {

constexpr const char* kFindings[] = {"status", "health", "verdict", "hardware"};

// Value in table `reported`; on a worker the key is the machine's id and `instance` is zero, on a centre the
// worker's id follows it.
struct Told {
    Id instance;
    be64 sequence;
};
static_assert(sizeof(Told) == 24);

std::string told_key(const Id& machine, std::string_view worker) {
    return std::string(store::text_of(bytes_of(machine))) + std::string(worker);
}

Result<Told> read_told(const store::View& view, const EventTables& tables, const std::string& key) {
    const auto stored = view.txn().get(tables.reported, bytes_of(key));
    if (!stored) return tl::unexpected(stored.error());
    Told told;
    if (*stored && (*stored)->size() == sizeof told) std::memcpy(&told, (*stored)->data(), sizeof told);
    return told;
}

// What to tell of MACHINE after SEQUENCE.
Result<ordered_json> tell(const store::View& view, const EventTables& tables, const Id& machine,
                          const BootRecord& boot, std::uint64_t after) {
    const auto page = read_timeline(view, tables, machine, after, kReportEntries);
    if (!page) return tl::unexpected(page.error());
    ordered_json out{{"machine", machine.to_string()},
                     {"last", page->last_sequence},
                     {"stage", info(boot.stage).name},
                     {"boot", boot.number},
                     {"bytes", boot.bytes},
                     {"files", boot.files}};
    const auto document = store::find(view, store::kMachines, machine);
    if (!document) return tl::unexpected(document.error());
    if (*document)
        for (const char* name : kFindings)
            if (const auto found = (*document)->fields.find(name); found != (*document)->fields.end())
                out[name] = *found;
    out["entries"] = ordered_json::parse(page->json);
    return out;
}

std::optional<BootStage> parse_stage(std::string_view name) {
    for (std::size_t i = 0; i < kBootStages.size(); ++i)
        if (kBootStages[i].name == name) return static_cast<BootStage>(i);
    return std::nullopt;  // one that a newer worker knows
}

void follow_boot(BootRecord& boot, const json& report) {
    if (const auto stage = parse_stage(report.value("stage", std::string()))) boot.stage = *stage;
    boot.number = report.value("boot", boot.number);
    boot.bytes = report.value("bytes", boot.bytes);
    boot.files = report.value("files", boot.files);
    boot.deadline_ns = 0;  // its worker passes the verdict
}

Outcome<void> follow_findings(store::Batch& batch, store::Document machine, const json& report) {
    const json before = machine.fields;
    const bool is_word = machine.text("status") == "MAINTENANCE";
    for (const char* name : kFindings) {
        if (is_word && std::string_view(name) == "status") continue;
        if (report.contains(name))
            machine.fields[name] = report[name];
        else if (std::string_view(name) == "verdict")
            machine.fields.erase(name);
    }
    if (machine.fields == before) return {};
    const auto cluster = Id::parse(machine.text("cluster"));
    if (auto updated = store::update(batch, store::kMachines, std::move(machine)); !updated)
        return pass_on(updated.error());
    return cluster ? refresh_cluster(batch, *cluster) : Outcome<void>{};
}

// Only the centre plans addresses: a machine that declined its own gets another one here.
Outcome<void> replace_declined(store::Batch& batch, const boot::Appliance& appliance, const Id& machine,
                               const json& entry) {
    if (entry.value("event", std::string()) != to_string(EventKind::dhcp_decline)) return {};
    const auto address =
        Ipv4Address::parse(entry.value("details", json::object()).value("ip", std::string()));
    const auto document = store::find(batch, store::kMachines, machine);
    if (!document) return pass_on(document.error());
    if (!address || !*document) return {};
    const auto replaced = boot::replace_declined(batch, appliance, **document, *address);
    return replaced ? Outcome<void>{} : pass_on(replaced.error());
}

}  // namespace

Result<std::vector<ordered_json>> untold(const store::View& view, const EventTables& tables,
                                         std::size_t limit) {
    std::vector<ordered_json> out;
    Result<void> trouble;
    const auto scanned = scan(view.txn(), tables.boots, {}, [&](store::Bytes key, store::Bytes value) {
        Id machine;
        const auto boot = store::decode<BootRecord>(value);
        if (key.size() != sizeof machine || !boot) return true;
        std::memcpy(&machine, key.data(), sizeof machine);
        const auto told = read_told(view, tables, told_key(machine, ""));
        if (!told) {
            trouble = tl::unexpected(told.error());
            return false;
        }
        if (boot->last_sequence <= told->sequence.host()) return true;
        auto one = tell(view, tables, machine, *boot, told->sequence.host());
        if (!one) {
            trouble = tl::unexpected(one.error());
            return false;
        }
        out.push_back(std::move(*one));
        return out.size() < limit;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    if (!trouble) return tl::unexpected(trouble.error());
    return out;
}

Result<void> note_told(store::Batch& batch, const EventTables& tables,
                       const std::vector<ordered_json>& machines) {
    for (const auto& one : machines) {
        const auto machine = Id::parse(one.at("machine").get_ref<const std::string&>());
        const Told told{{}, be64(one.at("last").get<std::uint64_t>())};
        if (auto put = batch.put(tables.reported, bytes_of(told_key(*machine, "")), bytes_of(told)); !put)
            return put;
    }
    return {};
}

Outcome<TouchedMachines> apply_reported(store::Batch& batch, const EventTables& tables,
                                        const boot::Appliance& appliance, std::string_view worker,
                                        Id instance, const json& report) {
    const auto machine = Id::parse(report.at("machine").get_ref<const std::string&>());
    auto document =
        machine ? store::find(batch, store::kMachines, *machine) : Result<std::optional<store::Document>>{};
    if (!document) return pass_on(document.error());
    if (!*document) return TouchedMachines{};
    const std::string key = told_key(*machine, worker);
    auto told = read_told(batch, tables, key);
    if (!told) return pass_on(told.error());
    if (told->instance != instance) *told = {instance, be64(0)};
    const auto stored = read_boot(batch, tables, *machine);
    if (!stored) return pass_on(stored.error());
    BootRecord boot = stored->value_or(BootRecord{});
    follow_boot(boot, report);
    std::uint64_t last = told->sequence.host();
    for (const json& entry : report.at("entries")) {
        const auto sequence = entry.at("sequence").get<std::uint64_t>();
        if (sequence <= last) continue;
        ordered_json own = entry;
        own["details"]["appliance"] = worker;
        if (auto added = append_made_elsewhere(batch, tables, *machine, boot, own); !added)
            return pass_on(added.error());
        last = sequence;
    }
    if (auto written = write_boot(batch, tables, *machine, boot); !written) return pass_on(written.error());
    if (auto followed = follow_findings(batch, std::move(**document), report); !followed)
        return pass_on(followed.error());
    for (const json& entry : report.at("entries"))
        if (entry.at("sequence").get<std::uint64_t>() > told->sequence.host())
            if (auto replaced = replace_declined(batch, appliance, *machine, entry); !replaced)
                return pass_on(replaced.error());
    told->sequence = be64(last);
    if (auto put = batch.put(tables.reported, bytes_of(key), bytes_of(*told)); !put)
        return pass_on(put.error());
    return TouchedMachines{{*machine, boot.last_sequence}};
}

}  // namespace rouse::events
