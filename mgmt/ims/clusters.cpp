// /api/cluster/, also spelled /api/clusters/, and a cluster's machines.

#include "mgmt/events/cluster_status.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/follow_up.hpp"
#include "mgmt/ims/machine_resource.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/words.hpp"

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
                      .sticky = {"status"}};
    resource.create = [](Batch& batch, json fields) -> Outcome<Document> {
        if (auto checked = check_profile_exists(batch, fields); !checked) return pass_on(checked.error());
        fields["_maintenance"] = fields.value("status", std::string()) == "MAINTENANCE";
        fields["status"] = fields["_maintenance"] ? "MAINTENANCE" : "UNKNOWN";
        fields["health"] = "UNKNOWN";
        return insert(batch, kClusters, std::move(fields));
    };
    resource.change = [](Batch& batch, const Document& current, json fields) -> Outcome<Document> {
        if (auto checked = check_profile_exists(batch, fields); !checked) return pass_on(checked.error());
        if (const auto wanted = fields.value("status", std::string()); wanted != current.text("status"))
            fields["_maintenance"] = wanted == "MAINTENANCE";
        if (auto followed = events::follow_machines(batch, current.id, fields); !followed)
            return pass_on(followed.error());
        return update(batch, kClusters, Document{current.id, current.revision, std::move(fields)});
    };
    resource.remove = [services](Batch& batch, const Document& current, bool) {
        return remove_cluster(batch, services, current);
    };
    resource.follow_up = [services](const Document* before,
                                    const Document& now) -> boost::asio::awaitable<Outcome<void>> {
        // Scripts may show the cluster's name, and its profile is its machines'.
        const bool matters = before != nullptr && (before->text("name") != now.text("name") ||
                                                   before->text("boot_profile") != now.text("boot_profile"));
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
