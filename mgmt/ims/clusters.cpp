// /api/cluster/, also spelled /api/clusters/, and a cluster's machines.

#include "mgmt/ims/api.hpp"
#include "mgmt/ims/follow_up.hpp"
#include "mgmt/ims/machine_resource.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/words.hpp"

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using http::Request;
using nlohmann::json;

namespace {

const http::Schema& cluster_schema() {
    static const http::Schema schema(
        "Cluster", "Machines that belong together",
        {http::uuid("id", "identifies the cluster").read_only(),
         http::string("name", "unique among clusters").length(1, 100).required(),
         http::string("description", "for people").length(0, 1000).multiline(),
         http::choice("status", "what its machines make of it", words(kClusterStatuses)),
         http::choice("health", "what its machines make of it", words(kHealths)),
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
                      .sticky = {"status", "health"}};
    resource.create = [](Batch& batch, json fields) -> Outcome<Document> {
        if (auto checked = check_profile_exists(batch, fields); !checked) return pass_on(checked.error());
        fields.emplace("status", "UNKNOWN");
        fields.emplace("health", "UNKNOWN");
        return insert(batch, kClusters, std::move(fields));
    };
    resource.change = [](Batch& batch, const Document& current, json fields) -> Outcome<Document> {
        if (auto checked = check_profile_exists(batch, fields); !checked) return pass_on(checked.error());
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

boost::asio::awaitable<http::Outcome> add_machine(const Services& services, const Resource& machines,
                                                  const Request& request) {
    {
        const auto snapshot = services.snapshot();
        if (!snapshot) co_return refused(snapshot.error());
        const auto cluster = require(*snapshot, kClusters, request.parameter("id"));
        if (!cluster) co_return refused(cluster.error());
    }
    json fields = request.json();
    fields["cluster"] = Id::parse(request.parameter("id"))->to_string();
    co_return co_await create(services, machines, request, std::move(fields));
}

}  // namespace

void add_clusters(http::Router& router, const Services& services) {
    Resource resource = cluster_resource(services);
    const auto machines = std::make_shared<const Resource>(machine_resource(services));
    for (const auto& path : resource.paths)
        router.add({.method = http::Method::post,
                    .pattern = path + "/{id}/add_machine/",
                    .access = http::Access::of(http::Role::operator_),
                    .tag = resource.tag,
                    .summary = "Register a machine in this cluster",
                    .body = http::BodyKind::json,
                    .request = &machines->schema,
                    .response = &machines->schema,
                    .success = http::Status::created},
                   http::Handler([services, machines](Request& request) {
                       return add_machine(services, *machines, request);
                   }));
    add_resource(router, services, std::move(resource));
}

}  // namespace rouse::ims
