#include "mgmt/o2ims/inventory/inventory.hpp"

#include "mgmt/http/json_text.hpp"
#include "mgmt/o2ims/monitoring/alarm_definitions.hpp"
#include "mgmt/o2ims/uuid.hpp"
#include "mgmt/store/changes.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <utility>
#include <vector>

namespace rouse::o2ims {

using nlohmann::json;
using store::Change;
using store::Id;
using store::Kind;

namespace {

// Changes that are applied in one go; more follow at once.
constexpr std::size_t kChunk = 4096;

// A text that grew piece by piece takes up to twice its length.
std::string exactly(std::string text) {
    text.shrink_to_fit();
    return text;
}

bool matters(Kind kind) {
    return kind == Kind::cluster || kind == Kind::machine;
}

}  // namespace

Inventory::Inventory(store::Store& store, events::EventTables tables, Cloud cloud)
    : store_(&store),
      tables_(tables),
      cloud_(std::move(cloud)),
      site_(named_id(cloud_.id, "site").to_string()),
      location_(named_id(cloud_.id, "location").to_string()),
      unassigned_(named_id(cloud_.id, "pool/unassigned").to_string()) {}

std::string Inventory::resource_id(const MacAddress& mac) const {
    return o2ims::resource_id(cloud_, mac.to_string());
}

Result<void> Inventory::refresh() {
    const auto snapshot = store_->snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    const auto last = store::last_change(*snapshot);
    if (!last) return tl::unexpected(last.error());
    const std::uint64_t now = monotonic_ns();
    {
        const std::shared_lock lock(mutex_);
        if (!is_empty_ && *last == sequence_ && now - strangers_ns_ < kStrangersEveryNs) return {};
    }
    const std::unique_lock lock(mutex_);
    const auto oldest = store::oldest_resumable(*snapshot);
    if (!oldest) return tl::unexpected(oldest.error());
    if (is_empty_ || sequence_ < *oldest || *last < sequence_) {
        if (auto read = read_anew(*snapshot); !read) return read;
    } else {
        while (sequence_ < *last) {
            std::vector<Change> changes;
            auto gathered = store::changes_after(*snapshot, sequence_, kChunk, [&](const Change& change) {
                changes.push_back(change);
                return true;
            });
            if (!gathered) return gathered;
            if (changes.empty()) break;
            for (const Change& change : changes) {
                if (auto applied = apply(*snapshot, change); !applied) return applied;
                sequence_ = change.sequence;
            }
        }
    }
    sequence_ = *last;
    if (now - strangers_ns_ >= kStrangersEveryNs || is_empty_) {
        if (auto read = refresh_strangers(*snapshot); !read) return read;
        strangers_ns_ = now;
    }
    is_empty_ = false;
    return {};
}

Result<void> Inventory::read_anew(const store::View& view) {
    state_ = {};
    touched_ = {};
    resource_of_.clear();
    users_.clear();
    strangers_.clear();
    update_places();
    for (const auto* collection : {&store::kClusters, &store::kMachines}) {
        Result<void> trouble;
        const auto visited = store::for_each_key(view, *collection, [&](Id id) {
            trouble = apply(view, {.kind = collection->kind, .what = Change::What::updated, .id = id});
            return trouble.has_value();
        });
        if (!visited) return visited;
        if (!trouble) return trouble;
    }
    return {};
}

Result<void> Inventory::apply(const store::View& view, const Change& change) {
    if (!matters(change.kind)) return {};
    return change.kind == Kind::cluster ? apply_cluster(view, change.id) : apply_machine(view, change.id);
}

// Of a cluster that is gone its machines are, too: their own changes say so.
Result<void> Inventory::apply_cluster(const store::View& view, const Id& id) {
    const auto cluster = store::find(view, store::kClusters, id);
    if (!cluster) return tl::unexpected(cluster.error());
    const std::string pool = id.to_string();
    touch(&Touched::pools, pool);
    if (!*cluster) {
        state_.pools.erase(pool);
        update_places();
        return {};
    }
    const store::Document& now = **cluster;
    json& shown = state_.pools[pool];
    const bool is_new = shown.is_null();
    shown = {{"resourcePoolId", pool},
             {"name", now.text("name")},
             {"description", now.text("description")},
             {"oCloudSiteId", site_},
             {"oCloudId", cloud_.id.to_string()},
             {"globalLocationId", location_},
             {"location", cloud_.address},
             {"extensions",
              {{"clusterId", pool}, {"status", now.text("status")}, {"health", now.text("health")}}}};
    if (is_new) update_places();
    return {};
}

Result<void> Inventory::apply_machine(const store::View& view, const Id& id) {
    const auto machine = store::find(view, store::kMachines, id);
    if (!machine) return tl::unexpected(machine.error());
    const std::string key = id.to_string();
    if (const auto known = resource_of_.find(key); known != resource_of_.end()) {
        drop_resource(known->second);
        resource_of_.erase(known);
    }
    if (!*machine) return {};
    const std::string cluster = (*machine)->text("cluster");
    const auto seen = view_of_machine(cloud_, (*machine)->fields, cluster.empty() ? unassigned_ : cluster);
    const std::string resource = seen.resource["resourceId"];
    strangers_.erase(resource);
    resource_of_[key] = resource;
    put_resource(seen);
    return {};
}

Result<void> Inventory::refresh_strangers(const store::View& view) {
    const auto seen = events::read_strangers(view, tables_);
    if (!seen) return tl::unexpected(seen.error());
    const auto before = std::exchange(strangers_, {});
    for (const auto& stranger : *seen) {
        const auto made = view_of_stranger(cloud_, stranger, unassigned_);
        const std::string id = made.resource["resourceId"];
        const bool is_registered = state_.resources.contains(id) && !before.contains(id);
        if (is_registered) continue;
        strangers_.insert(id);
        put_resource(made);
    }
    for (const auto& id : before)
        if (!strangers_.contains(id)) drop_resource(id);
    return {};
}

void Inventory::put_resource(const ResourceView& seen) {
    const json& shown = seen.resource;
    const std::string id = shown["resourceId"];
    drop_resource(id);
    const json& extensions = shown["extensions"];
    Resource resource{.type = shown["resourceTypeId"],
                      .pool = shown["resourcePoolId"],
                      .mac = store::text_of_field(extensions, "mac"),
                      .machine = Id::parse(store::text_of_field(extensions, "machineId")),
                      .text = exactly(http::to_text(shown)),
                      .part_types = {}};
    for (const auto& [type, described] : seen.types.items()) {
        ++users_[type];
        touch(&Touched::types, type);
        state_.types[type] = described;
        if (type != resource.type) resource.part_types.push_back(type);
    }
    touch(&Touched::resources, id);
    const auto& put = *state_.resources.emplace(id, std::move(resource)).first;
    state_.by_pool[put.second.pool].emplace(put.first, &put);
}

void Inventory::drop_resource(const std::string& id) {
    const auto found = state_.resources.find(id);
    if (found == state_.resources.end()) return;
    touch(&Touched::resources, id);
    const Resource& resource = found->second;
    release_type(resource.type);
    for (const auto& type : resource.part_types) release_type(type);
    const auto pool = state_.by_pool.find(resource.pool);
    pool->second.erase(id);
    if (pool->second.empty()) state_.by_pool.erase(pool);
    state_.resources.erase(found);
}

// A type is there as long as something is of it.
void Inventory::release_type(const std::string& id) {
    const auto used = users_.find(id);
    if (--used->second > 0) return;
    users_.erase(used);
    touch(&Touched::types, id);
    state_.types.erase(id);
}

// The site lists its pools, of which one is always there.
void Inventory::update_places() {
    const std::string cloud = cloud_.id.to_string();
    state_.pools[unassigned_] = {{"resourcePoolId", unassigned_},
                                 {"name", "unassigned"},
                                 {"description", "Servers that are in no cluster, discovered ones included"},
                                 {"oCloudSiteId", site_},
                                 {"oCloudId", cloud},
                                 {"globalLocationId", location_},
                                 {"location", cloud_.address},
                                 {"extensions", json::object()}};
    // What alarms of no server are about.
    const std::string appliance = appliance_type_id(cloud_);
    state_.types[appliance] = {{"resourceTypeId", appliance},
                               {"name", "appliance"},
                               {"description", "The appliance itself, with its workers, pools and profiles"},
                               {"vendor", "rouse"},
                               {"model", "appliance"},
                               {"version", "unknown"},
                               {"resourceKind", "LOGICAL"},
                               {"resourceClass", "UNDEFINED"},
                               {"alarmDictionaryId", alarm_dictionary_id(cloud_, AlarmSubject::appliance)},
                               {"extensions", {{"part", "appliance"}}}};
    json pools = json::array();
    for (const auto& [id, pool] : state_.pools) pools.push_back(id);
    state_.sites = {{site_,
                     {{"oCloudSiteId", site_},
                      {"globalLocationId", location_},
                      {"name", cloud_.name},
                      {"description", cloud_.description},
                      {"resourcePools", std::move(pools)},
                      {"extensions", json::object()}}}};
    state_.locations = {{location_,
                         {{"globalLocationId", location_},
                          {"name", cloud_.name},
                          {"description", "Where " + cloud_.name + " stands"},
                          {"oCloudSiteIds", {site_}},
                          {"address", cloud_.address.empty() ? "not configured" : cloud_.address},
                          {"extensions", json::object()}}}};
}

}  // namespace rouse::o2ims
