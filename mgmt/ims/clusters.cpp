// /api/cluster/, also spelled /api/clusters/, and a cluster's machines.

#include "mgmt/events/cluster_status.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/follow_up.hpp"
#include "mgmt/ims/machine_resource.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/words.hpp"
#include "mgmt/workers/racks.hpp"

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using http::Request;
using nlohmann::json;

namespace {

// It becomes part of file names where templates say {{cluster}}.
bool has_no_slash(std::string_view name) {
    return name.find_first_of("/\\") == std::string_view::npos;
}

const http::Schema& cluster_schema() {
    static const http::Schema schema(
        "Cluster", "Machines that belong together",
        {http::uuid("id", "identifies the cluster").read_only(),
         http::string("name", "unique among clusters")
             .length(1, 100)
             .check(has_no_slash, "must not hold a slash or backslash")
             .required(),
         http::string("description", "for people").length(0, 1000).multiline(),
         http::choice("status",
                      "what its machines make of it; MAINTENANCE, once written, stands until another word is",
                      words(kClusterStatuses)),
         http::choice("health", "what its machines make of it", words(kHealths)).read_only(),
         http::string("boot_profile", "name of the profile for machines that name none").length(0, 100),
         http::string("worker", "id of the worker that serves it; null: this appliance does").length(0, 63),
         http::string("standby", "id of the worker that takes over when that one is lost").length(0, 63),
         http::boolean("automatic_return", "a worker that is back gets the cluster back by itself"),
         http::string("served_by", "id of the appliance that serves it now; null: this one").read_only(),
         http::choice("assignment",
                      "own: no worker is named; orphaned: who serves it is lost, and nobody is there",
                      {"own", "served", "taken_over", "orphaned"})
             .read_only(),
         http::integer("epoch", "grows whenever another appliance serves it").read_only(),
         http::timestamp("fenced_until", "a lost worker may serve it until then: no answer may change")
             .read_only(),
         http::timestamp("created_at", "when it was made").read_only(),
         http::timestamp("updated_at", "when it last changed").read_only()});
    return schema;
}

Outcome<void> check_profile_exists(const View& view, const json& fields) {
    const auto name = fields.value("boot_profile", std::string());
    if (name.empty()) return {};
    const auto profile = find_by(view, kBootProfiles, kProfileByName, name);
    if (!profile) return pass_on(profile.error());
    if (!*profile) return refuse(Failure::Kind::invalid, "there is no boot profile " + name, "/boot_profile");
    return {};
}

// Who is to serve it exists, and is not asked for twice.
Outcome<void> check_appliances(const View& view, const boot::Appliance& centre,
                               const workers::Assignment& wish) {
    for (const auto& [id, pointer] : {std::pair{&wish.worker, "/worker"}, {&wish.standby, "/standby"}}) {
        if (id->empty() || *id == centre.id()) continue;
        const auto worker = find_by(view, kWorkers, kWorkerByWorkerId, *id);
        if (!worker) return pass_on(worker.error());
        if (!*worker)
            return refuse(Failure::Kind::invalid, "there is no worker " + *id + "; enrol it first", pointer);
    }
    if (!wish.standby.empty() && wish.worker.empty())
        return refuse(Failure::Kind::invalid, "means nothing without a worker", "/standby");
    if (!wish.standby.empty() && wish.standby == wish.worker)
        return refuse(Failure::Kind::invalid, "must be another appliance than its worker", "/standby");
    return {};
}

// The document CLUSTER, which is stored already as to all else, with who is to serve it as in WISH.
Outcome<Document> give(Batch& batch, const Services& services, Document cluster,
                       const workers::Assignment& wish) {
    const workers::Assignment now = workers::assignment_of(cluster.fields);
    if (wish.worker == now.worker && wish.standby == now.standby && wish.returns == now.returns)
        return cluster;
    if (auto checked = check_appliances(batch, services.appliance, wish); !checked)
        return pass_on(checked.error());
    const workers::Centre centre{services.appliance, services.roster, services.consumer.tables()};
    const auto moment = workers::moment_of(centre, batch, batch.now_ns());
    if (!moment) return pass_on(moment.error());
    const auto next = workers::assign(now, wish.worker, wish.standby, wish.returns,
                                      workers::peers_of(centre, batch), *moment);
    const Id id = cluster.id;
    if (auto written = workers::write_assignment(batch, centre, std::move(cluster), next); !written)
        return pass_on(written.error());
    auto given = find(batch, kClusters, id);
    if (!given) return pass_on(given.error());
    return std::move(**given);
}

// Takes what is wished out of FIELDS, which keep what is so NOW.
workers::Assignment take_wish(json& fields, const json& now) {
    const workers::Assignment wish = workers::assignment_of(fields);
    for (const char* name : {"worker", "standby", "automatic_return"}) {
        fields.erase(name);
        if (now.contains(name)) fields[name] = now[name];
    }
    return wish;
}

// A cluster's machines go with it (IMS.md 3).
Outcome<void> remove_cluster(Batch& batch, const Services& services, const Document& cluster) {
    const std::string id_text = cluster.id.to_string();
    bool has_pool = false;
    const auto listed = for_each(batch, kIpPools, std::nullopt, [&](const Document& pool) {
        has_pool = pool.text("cluster") == id_text;
        return !has_pool;
    });
    if (!listed) return pass_on(listed.error());
    if (has_pool)
        return refuse(Failure::Kind::conflict,
                      "an ip-pool is this cluster's own; delete it or free it first");
    const auto machines = ids_by(batch, kMachineByCluster, id_text);
    if (!machines) return pass_on(machines.error());
    for (const Id& id : *machines)
        if (auto removed = remove_machine(batch, services, id); !removed) return removed;
    if (auto erased = erase(batch, kClusters, cluster.id); !erased) return pass_on(erased.error());
    return {};
}

Resource cluster_resource(const Services& services) {
    Resource resource{.paths = {"/api/cluster", "/api/clusters"},
                      .tag = "Clusters",
                      .collection = kClusters,
                      .schema = cluster_schema(),
                      .indexed = {{"name", &kClusterByName}},
                      .sticky = {"status", "worker", "standby", "automatic_return"}};
    resource.create = [services](Batch& batch, json fields) -> Outcome<Document> {
        if (auto checked = check_profile_exists(batch, fields); !checked) return pass_on(checked.error());
        fields["_maintenance"] = fields.value("status", std::string()) == "MAINTENANCE";
        fields["status"] = fields["_maintenance"] ? "MAINTENANCE" : "UNKNOWN";
        fields["health"] = "UNKNOWN";
        const auto wish = take_wish(fields, json::object());
        auto made = insert(batch, kClusters, std::move(fields));
        return made ? give(batch, services, std::move(*made), wish) : made;
    };
    resource.change = [services](Batch& batch, const Document& current, json fields) -> Outcome<Document> {
        if (auto checked = check_profile_exists(batch, fields); !checked) return pass_on(checked.error());
        if (const auto wanted = fields.value("status", std::string()); wanted != current.text("status"))
            fields["_maintenance"] = wanted == "MAINTENANCE";
        if (auto followed = events::follow_machines(batch, current.id, fields); !followed)
            return pass_on(followed.error());
        const auto wish = take_wish(fields, current.fields);
        auto changed = update(batch, kClusters, Document{current.id, current.revision, std::move(fields)});
        return changed ? give(batch, services, std::move(*changed), wish) : changed;
    };
    resource.remove = [services](Batch& batch, const Document& current, bool) {
        return remove_cluster(batch, services, current);
    };
    resource.follow_up = [services](const Document* before,
                                    const Document& now) -> boost::asio::awaitable<Outcome<void>> {
        // Scripts may show the cluster's name, its profile is its machines', and who serves them its own.
        const bool matters = before != nullptr && (before->text("name") != now.text("name") ||
                                                   before->text("boot_profile") != now.text("boot_profile") ||
                                                   before->text("served_by") != now.text("served_by"));
        if (!matters) co_return Outcome<void>{};
        std::vector<Id> machines;
        {
            const auto snapshot = services.snapshot();
            if (!snapshot) co_return pass_on(snapshot.error());
            auto found = ids_by(*snapshot, kMachineByCluster, now.id.to_string());
            if (!found) co_return pass_on(found.error());
            machines = std::move(*found);
        }
        co_return co_await project_machines(services, std::move(machines));
    };
    return resource;
}

// The machines of a cluster under its own path, where they can be reached by both ids (IMS.md 2).
Resource members_resource(const Services& services, const Resource& clusters) {
    Resource members = machine_resource(services);
    members.paths.clear();
    for (const auto& path : clusters.paths) members.paths.push_back(path + "/{id}/machines");
    members.tag = clusters.tag;
    members.scope.emplace(Scope{"id", "cluster", kClusters});
    members.id_parameter = "machineId";
    members.location = "/api/machines";
    return members;
}

}  // namespace

void add_clusters(http::Router& router, const Services& services) {
    Resource clusters = cluster_resource(services);
    const auto members = std::make_shared<const Resource>(members_resource(services, clusters));
    for (const auto& path : clusters.paths)
        router.add({.method = http::Method::post,
                    .pattern = path + "/{id}/add_machine/",
                    .access = http::Access::of(http::Role::operator_),
                    .tag = clusters.tag,
                    .summary = "Register a machine in this cluster",
                    .body = http::BodyKind::json,
                    .request = &members->schema,
                    .response = &members->schema,
                    .success = http::Status::created,
                    .failures = {http::Status::conflict, http::Status::insufficient_storage}},
                   http::Handler([services, members](Request& request) {
                       return create_in(services, *members, request);
                   }));
    add_resource(router, services, *members);
    add_resource(router, services, std::move(clusters));
}

}  // namespace rouse::ims
