#include "mgmt/o2ims/provisioning/provisioner.hpp"

#include "mgmt/boot/machine.hpp"
#include "mgmt/events/cluster_status.hpp"
#include "mgmt/events/strangers.hpp"
#include "mgmt/events/timeline.hpp"
#include "mgmt/ims/machine_resource.hpp"
#include "mgmt/o2ims/inventory/resource_view.hpp"
#include "mgmt/o2ims/provisioning/provisioning_schemas.hpp"

#include <algorithm>
#include <utility>

namespace rouse::o2ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using nlohmann::json;

namespace {

constexpr const char* kHolder = "_request";  // of a machine: the request that it is reserved for
constexpr std::uint64_t kFreshNs = 600 * kNanosPerSecond;  // a stranger heard of since then is there
constexpr std::size_t kMostLookedAt = 1000;                // machines, for a free one

std::string name_of(Phase phase) {
    return std::string(kPhases[static_cast<std::size_t>(phase)]);
}
std::string name_of(ServerPhase phase) {
    return std::string(kServerPhases[static_cast<std::size_t>(phase)]);
}

json new_server(const json& wanted) {
    return {{"name", wanted["hostname"]},
            {"mac", wanted.value("mac", "")},
            {"machine", ""},
            {"made", false},
            {"boots_before", 0},
            {"phase", name_of(ServerPhase::awaiting_free_resources)}};
}

Patience patience_of(const json& parameters) {
    return {.power_on_seconds = parameters["powerOnSeconds"],
            .total_seconds = parameters["totalSeconds"],
            .boots = parameters["boots"]};
}

void set_phase(Document& request, Phase phase, std::string message, std::uint64_t now_ns) {
    request.fields["phase"] = name_of(phase);
    request.fields["message"] = std::move(message);
    request.fields["update_time"] = to_timestamp(now_ns);
}

Outcome<std::optional<Document>> machine_of(const View& view, const json& server) {
    const auto id = Id::parse(server["machine"].get_ref<const std::string&>());
    if (!id) return std::optional<Document>();
    auto machine = find(view, kMachines, *id);
    if (!machine) return pass_on(machine.error());
    return std::move(*machine);
}

Outcome<std::uint32_t> boots_of(const View& view, const events::EventTables& tables, const Id& machine) {
    const auto boot = events::read_boot(view, tables, machine);
    if (!boot) return pass_on(boot.error());
    return *boot ? (*boot)->number : 0;
}

Outcome<void> recount(Batch& batch, const std::string& cluster) {
    const auto id = Id::parse(cluster);
    return id ? events::refresh_cluster(batch, *id) : Outcome<void>{};
}

}  // namespace

Outcome<json> Provisioner::resolve(json parameters) const {
    std::optional<Failure> wrong;
    const auto read = inventory_->read([&](const Inventory::State& state) {
        for (std::size_t i = 0; i < parameters["servers"].size() && !wrong; ++i) {
            json& server = parameters["servers"][i];
            const std::string id = server.value("resourceId", "");
            if (id.empty()) continue;
            const std::string where = "/templateParameters/servers/" + std::to_string(i) + "/resourceId";
            const auto found = state.resources.find(id);
            if (found == state.resources.end()) {
                wrong.emplace(Failure::Kind::invalid, "is no resource of the inventory", where);
                continue;
            }
            const std::string& mac = found->second.mac;
            if (server.value("mac", mac) != mac)
                wrong.emplace(Failure::Kind::invalid, "is not the server with that mac", where);
            else
                server["mac"] = mac;
        }
        const std::string pool = parameters.value("resourcePoolId", "");
        if (!wrong && !pool.empty() && !state.pools.contains(pool))
            wrong.emplace(Failure::Kind::invalid, "is no resource pool",
                          "/templateParameters/resourcePoolId");
    });
    if (!read) return pass_on(read.error());
    if (wrong) return tl::unexpected(std::move(*wrong));
    return parameters;
}

Outcome<void> Provisioner::check_template(const View& view, const json& data) const {
    const std::string name = data["templateName"];
    const auto profile = find_by(view, kBootProfiles, kProfileByName, name);
    if (!profile) return pass_on(profile.error());
    if (!*profile)
        return refuse(Failure::Kind::invalid,
                      "there is no template " + name + "; see managedInfrastructureTemplates",
                      "/templateName");
    if (data["templateVersion"] != kTemplateVersion)
        return refuse(Failure::Kind::invalid, "the template has the version " + std::string(kTemplateVersion),
                      "/templateVersion");
    return {};
}

Outcome<Document> Provisioner::accept(Batch& batch, const json& data, const json& parameters) const {
    if (auto checked = check_template(batch, data); !checked) return pass_on(checked.error());
    const auto taken = find_by(batch, kProvisioningRequests, kProvisioningRequestById,
                               data["provisioningRequestId"].get_ref<const std::string&>());
    if (!taken) return pass_on(taken.error());
    if (*taken)
        return refuse(Failure::Kind::conflict, "is another request's; PUT changes that one",
                      "/provisioningRequestId");
    json servers = json::array();
    for (const json& wanted : parameters["servers"]) servers.push_back(new_server(wanted));
    Document request{.fields = {{"request_id", data["provisioningRequestId"]},
                                {"data", data},
                                {"parameters", parameters},
                                {"servers", std::move(servers)},
                                {"_accepted_ns", batch.now_ns()}}};
    set_phase(request, Phase::pending, "accepted", batch.now_ns());
    return insert(batch, kProvisioningRequests, std::move(request.fields));
}

Outcome<Document> Provisioner::replace(Batch& batch, Document request, const json& data,
                                       const json& parameters) const {
    if (request.text("phase") == name_of(Phase::deleting))
        return refuse(Failure::Kind::conflict, "the request is being deleted");
    if (auto checked = check_template(batch, data); !checked) return pass_on(checked.error());
    json servers = json::array();
    json former = std::move(request.fields["servers"]);
    for (const json& wanted : parameters["servers"]) {
        json server = new_server(wanted);
        const auto same = std::find_if(former.begin(), former.end(), [&](const json& one) {
            return one["name"] == server["name"] && (server["mac"] == "" || server["mac"] == one["mac"]);
        });
        if (same != former.end()) {
            server = *same;
            former.erase(same);
            if (const auto machine = Id::parse(server["machine"].get_ref<const std::string&>())) {
                const auto boots = boots_of(batch, services_.consumer.tables(), *machine);
                if (!boots) return pass_on(boots.error());
                server["boots_before"] = *boots;
                if (auto assigned = assign(batch, request, server, wanted); !assigned)
                    return pass_on(assigned.error());
            }
        }
        servers.push_back(std::move(server));
    }
    for (const json& server : former)
        if (auto released = release(batch, server); !released) return pass_on(released.error());
    request.fields["servers"] = std::move(servers);
    request.fields["data"] = data;
    request.fields["parameters"] = parameters;
    request.fields["_accepted_ns"] = batch.now_ns();
    set_phase(request, Phase::pending, "accepted anew", batch.now_ns());
    return update(batch, kProvisioningRequests, std::move(request));
}

Outcome<Document> Provisioner::begin_deletion(Batch& batch, Document request) const {
    if (request.text("phase") == name_of(Phase::deleting)) return request;
    set_phase(request, Phase::deleting, "its servers are released", batch.now_ns());
    return update(batch, kProvisioningRequests, std::move(request));
}

Result<ServerFacts> Provisioner::facts_of(const View& view, const json& server) const {
    ServerFacts out{.name = server["name"]};
    const auto machine = machine_of(view, server);
    if (!machine) return fail(machine.error().message);
    if (!*machine) return out;
    out.resource_id = resource_id(inventory_->cloud(), (*machine)->text("mac"));
    const auto boot = events::read_boot(view, services_.consumer.tables(), (*machine)->id);
    if (!boot) return tl::unexpected(boot.error());
    if (!*boot) return out;
    const std::uint32_t before = server["boots_before"];
    out.boots = (*boot)->number > before ? (*boot)->number - before : 0;
    out.stage = (*boot)->stage;
    out.verdict = (*machine)->text("verdict");
    return out;
}

Result<Judgement> Provisioner::judge_now(const View& view, const Document& request,
                                         std::uint64_t now_ns) const {
    std::vector<ServerFacts> servers;
    for (const json& server : request.fields["servers"]) {
        auto facts = facts_of(view, server);
        if (!facts) return tl::unexpected(facts.error());
        servers.push_back(std::move(*facts));
    }
    const std::uint64_t accepted = request.fields["_accepted_ns"];
    const std::uint64_t elapsed = now_ns > accepted ? (now_ns - accepted) / kNanosPerSecond : 0;
    return judge(servers, patience_of(request.fields["parameters"]), elapsed);
}

Result<bool> Provisioner::is_due(const View& view, const Document& request, std::uint64_t now_ns) const {
    const std::string phase = request.text("phase");
    if (phase != name_of(Phase::progressing)) return true;  // only open ones are asked about
    const auto judged = judge_now(view, request, now_ns);
    if (!judged) return tl::unexpected(judged.error());
    if (name_of(judged->phase) != phase || judged->message != request.text("message")) return true;
    const auto& servers = request.fields["servers"];
    for (const json& server : servers)
        if (server["machine"] == "") {
            const auto free = find_free(view);
            return free && !free->empty();
        }
    return false;
}

Result<std::vector<Id>> Provisioner::due_requests(const View& view, std::uint64_t now_ns) const {
    std::vector<Id> out;
    for (const Phase phase : {Phase::deleting, Phase::pending, Phase::progressing}) {
        const auto some = ids_by(view, kProvisioningRequestByPhase, name_of(phase));
        if (!some) return tl::unexpected(some.error());
        for (const Id& id : *some) {
            const auto request = find(view, kProvisioningRequests, id);
            if (!request) return tl::unexpected(request.error());
            const auto due = *request ? is_due(view, **request, now_ns) : Result<bool>(false);
            if (!due) return tl::unexpected(due.error());
            if (*due) out.push_back(id);
        }
    }
    return out;
}

Outcome<void> Provisioner::advance(Batch& batch, const Id& id) const {
    auto request = find(batch, kProvisioningRequests, id);
    if (!request) return pass_on(request.error());
    if (!*request) return {};
    const std::string phase = (*request)->text("phase");
    if (phase == name_of(Phase::deleting)) return finish_deletion(batch, **request);
    if (phase != name_of(Phase::pending) && phase != name_of(Phase::progressing)) return {};
    return progress(batch, std::move(**request));
}

Outcome<void> Provisioner::progress(Batch& batch, Document request) const {
    const Document before = request;
    json& servers = request.fields["servers"];
    const json& wanted = request.fields["parameters"]["servers"];
    for (std::size_t i = 0; i < servers.size(); ++i) {
        if (auto kept = forget_deleted(batch, servers[i], wanted[i]); !kept) return kept;
        if (servers[i]["machine"] != "") continue;
        const auto assigned = assign(batch, request, servers[i], wanted[i]);
        if (assigned) continue;
        if (assigned.error().kind == Failure::Kind::store) return assigned;
        set_phase(request, Phase::failed,
                  servers[i]["name"].get<std::string>() +
                      " failed at stage registration: " + assigned.error().message,
                  batch.now_ns());
        servers[i]["phase"] = name_of(ServerPhase::failed);
        const auto failed = update(batch, kProvisioningRequests, std::move(request));
        return failed ? Outcome<void>{} : pass_on(failed.error());
    }
    const auto judged = judge_now(batch, request, batch.now_ns());
    if (!judged) return pass_on(judged.error());
    for (std::size_t i = 0; i < servers.size(); ++i) servers[i]["phase"] = name_of(judged->servers[i].phase);
    if (name_of(judged->phase) != request.text("phase") || judged->message != request.text("message"))
        set_phase(request, judged->phase, judged->message, batch.now_ns());
    if (request.fields == before.fields) return {};
    const auto updated = update(batch, kProvisioningRequests, std::move(request));
    return updated ? Outcome<void>{} : pass_on(updated.error());
}

// Gives SERVER a machine: the one with its hardware address, or a free one; nothing yet when there is none.
// It boots what the template is of.
Outcome<void> Provisioner::assign(Batch& batch, const Document& request, json& server,
                                  const json& wanted) const {
    std::string mac = server["mac"];
    if (mac.empty()) {
        auto free = find_free(batch);
        if (!free) return pass_on(free.error());
        if (free->empty()) return {};
        mac = *free;
    }
    const std::string holder = request.id.to_string();
    auto known = find_by(batch, kMachines, kMachineByMac, mac);
    if (!known) return pass_on(known.error());
    json fields = *known ? (*known)->fields : json{{"mac", mac}};
    if (const std::string held = fields.value(kHolder, ""); !held.empty() && held != holder)
        return refuse(Failure::Kind::conflict, "the server with the mac " + mac + " is another request's");
    fields["hostname"] = wanted["hostname"];
    fields["boot_profile"] = request.fields["data"]["templateName"];
    fields[kHolder] = holder;
    for (const char* name : {"ip", "role"})
        if (wanted.contains(name)) fields[name] = wanted[name];
    const std::string pool = request.fields["parameters"].value("resourcePoolId", "");
    if (!pool.empty() && pool != inventory_->unassigned_pool()) fields["cluster"] = pool;
    const auto machine =
        *known ? boot::change_machine(batch, services_.appliance, **known, std::move(fields))
               : boot::register_machine(batch, services_.appliance, ims::as_new_machine(std::move(fields)));
    if (!machine) return pass_on(machine.error());
    const auto boots = boots_of(batch, services_.consumer.tables(), machine->id);
    if (!boots) return pass_on(boots.error());
    if (server["machine"] == "") {
        server["made"] = !*known;
        server["boots_before"] = *boots;
    }
    server["mac"] = mac;
    server["machine"] = machine->id.to_string();
    if (*known && (*known)->text("cluster") != machine->text("cluster"))
        if (auto counted = recount(batch, (*known)->text("cluster")); !counted) return counted;
    return recount(batch, machine->text("cluster"));
}

// The hardware address of a server that nobody has a use for: one that was just discovered, else a machine
// without cluster, profile and request. Empty: there is none.
Outcome<std::string> Provisioner::find_free(const View& view) const {
    const auto strangers = events::read_strangers(view, services_.consumer.tables());
    if (!strangers) return pass_on(strangers.error());
    if (!strangers->empty() && realtime_ns() - strangers->front().what.last_seen_ns < kFreshNs)
        return strangers->front().mac.to_string();
    std::size_t looked_at = 0;
    std::string out;
    std::optional<Failure> trouble;
    const auto visited = for_each_id(view, kMachineByStatus, "INACTIVE", [&](Id id) {
        const auto machine = find(view, kMachines, id);
        if (!machine) trouble.emplace(machine.error());
        if (!machine || !*machine) return machine.has_value();
        const bool is_free = (*machine)->text("cluster").empty() &&
                             (*machine)->text("boot_profile").empty() && (*machine)->text(kHolder).empty();
        if (is_free) out = (*machine)->text("mac");
        return !is_free && ++looked_at < kMostLookedAt;
    });
    if (!visited) return pass_on(visited.error());
    if (trouble) return tl::unexpected(std::move(*trouble));
    return out;
}

// A machine that somebody deleted meanwhile is looked for anew.
Outcome<void> Provisioner::forget_deleted(const View& view, json& server, const json& wanted) const {
    if (server["machine"] == "") return {};
    const auto machine = machine_of(view, server);
    if (!machine) return pass_on(machine.error());
    if (!*machine) server = new_server(wanted);
    return {};
}

// A machine that the request registered goes; one that was there before boots nothing any more.
Outcome<void> Provisioner::release(Batch& batch, const json& server) const {
    const auto machine = machine_of(batch, server);
    if (!machine) return pass_on(machine.error());
    if (!*machine) return {};
    const std::string cluster = (*machine)->text("cluster");
    if (server["made"].get<bool>()) {
        if (auto removed = ims::remove_machine(batch, services_, (*machine)->id); !removed) return removed;
    } else {
        json fields = (*machine)->fields;
        fields.erase(kHolder);
        fields.erase("boot_profile");
        const auto changed = boot::change_machine(batch, services_.appliance, **machine, std::move(fields));
        if (!changed) return pass_on(changed.error());
    }
    return recount(batch, cluster);
}

Outcome<void> Provisioner::finish_deletion(Batch& batch, const Document& request) const {
    for (const json& server : request.fields["servers"])
        if (auto released = release(batch, server); !released) return released;
    const auto erased = erase(batch, kProvisioningRequests, request.id);
    return erased ? Outcome<void>{} : pass_on(erased.error());
}

json Provisioner::view_of(const Document& request) const {
    json servers = json::array();
    json provisioned = json::array();
    for (const json& server : request.fields["servers"]) {
        const std::string mac = server["machine"] == "" ? std::string() : server["mac"].get<std::string>();
        const std::string id = mac.empty() ? mac : resource_id(inventory_->cloud(), mac);
        servers.push_back({{"resourceName", server["name"]},
                           {"resourceId", id},
                           {"resourceProvisioningPhase", server["phase"]}});
        if (server["phase"] == name_of(ServerPhase::provisioned)) provisioned.push_back(id);
    }
    return {{"provisioningRequestReference", request.id.to_string()},
            {"provisioningRequestData", request.fields["data"]},
            {"status",
             {{"updateTime", request.text("update_time")},
              {"message", request.text("message")},
              {"provisioningPhase", request.text("phase")},
              {"infrastructureResourceProvisioningStatus", std::move(servers)}}},
            {"provisionedResourceSet",
             {{"nodeClusterId", ""}, {"infrastructureResourceIds", std::move(provisioned)}}}};
}

}  // namespace rouse::o2ims
