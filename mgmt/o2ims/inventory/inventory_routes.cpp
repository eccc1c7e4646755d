#include "mgmt/o2ims/inventory/inventory_routes.hpp"

#include "mgmt/o2ims/inventory/inventory_dictionaries.hpp"
#include "mgmt/o2ims/inventory/inventory_schemas.hpp"
#include "mgmt/o2ims/monitoring/alarm_definitions.hpp"
#include "mgmt/o2ims/monitoring/alarm_schemas.hpp"
#include "mgmt/o2ims/query/collection.hpp"
#include "mgmt/o2ims/query/object_text.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace rouse::o2ims {

using http::Request;
using nlohmann::json;

namespace {

using Objects = Inventory::Objects;
using State = Inventory::State;

http::Route reading(std::string pattern, std::string summary, const http::Schema& schema, bool is_list) {
    return {.method = http::Method::get,
            .pattern = std::move(pattern),
            .access = http::Access::of(http::Role::o2ims_reader),
            .summary = std::move(summary),
            .response = &schema,
            .response_is_list = is_list,
            .query = is_list ? listing_parameters() : selector_parameters()};
}

tl::unexpected<http::Problem> unavailable(const Error& error) {
    return http::problem(http::Status::service_unavailable, error.message);
}

tl::unexpected<http::Problem> none(const char* what, const std::string& id) {
    return http::problem(http::Status::not_found, "there is no " + std::string(what) + " " + id);
}

// Ids are UUIDs, which clients may write in capitals.
std::string id_of(const Request& request, std::string_view name) {
    std::string id = request.parameter(name);
    for (char& c : id)
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    return id;
}

Listed listed(const Objects::value_type& object) {
    return object.second;
}
Listed listed(const Inventory::Resources::value_type& resource) {
    return {resource.first, resource.second.text};
}

json tree_of(const json& object) {
    return object;
}
json tree_of(const Inventory::Resource& resource) {
    return parse_text(resource.text);
}

// OBJECTS: one of the inventory's maps by id.
template <typename Map>
Listing::Source all_of(const Map& objects, const Listing& listing) {
    return [&objects, &listing](const std::string& after, const Listing::Take& take) {
        if (const auto id = listing.only_id()) {
            const auto found = objects.find(*id);
            if (found != objects.end() && *id > after) take(listed(*found));
            return;
        }
        for (auto at = objects.upper_bound(after); at != objects.end(); ++at)
            if (!take(listed(*at))) return;
    };
}

// Answers with what FIND(const State&) makes of the inventory.
template <typename Find>
http::Outcome answer(Inventory& inventory, Find&& find) {
    http::Outcome out = http::problem(http::Status::internal_server_error, "nothing was read");
    const auto read = inventory.read([&](const State& state) { out = find(state); });
    return read ? std::move(out) : http::Outcome(unavailable(read.error()));
}

Objects alarm_dictionaries_of(const Cloud& cloud) {
    Objects out;
    for (const auto subject : {AlarmSubject::server, AlarmSubject::appliance})
        out[alarm_dictionary_id(cloud, subject)] = alarm_dictionary(cloud, subject);
    return out;
}

// The copy of its dictionary that a type has inside, for those who ask for everything.
json with_dictionary(json type, const Objects& dictionaries) {
    const auto found = dictionaries.find(type.value("alarmDictionaryId", ""));
    type["alarmDictionary"] = found == dictionaries.end() ? json() : found->second;
    return type;
}

void add_alarm_dictionaries(Service& service, Inventory& inventory) {
    const auto all = std::make_shared<const Objects>(alarm_dictionaries_of(inventory.cloud()));
    const auto& schema = alarm_dictionary_schema();
    service.add(reading("/alarmDictionaries", "List: each alarm dictionary", schema, true),
                [all, &schema](Request& request) -> http::Outcome {
                    const auto listing = Listing::parse(request, schema, {"alarmDefinition"});
                    if (!listing) return tl::unexpected(listing.error());
                    return listing->answer(all_of(*all, *listing));
                });
    service.add(reading("/alarmDictionaries/{alarmDictionaryId}", "Read one alarm dictionary", schema, false),
                [all, &schema](Request& request) -> http::Outcome {
                    const std::string id = id_of(request, "alarmDictionaryId");
                    const auto found = all->find(id);
                    return found == all->end() ? http::Outcome(none("alarm dictionary", id))
                                               : answer_one(request, schema, found->second);
                });
    service.add(reading("/resourceTypes/{resourceTypeId}/alarmDictionary",
                        "The alarms that resources of a type may raise", schema, false),
                [&inventory, all, &schema](Request& request) {
                    const std::string id = id_of(request, "resourceTypeId");
                    return answer(inventory, [&](const State& state) -> http::Outcome {
                        const auto type = state.types.find(id);
                        if (type == state.types.end()) return none("resource type", id);
                        const auto found = all->find(type->second.value("alarmDictionaryId", ""));
                        return found == all->end() ? http::Outcome(none("alarm dictionary of the type", id))
                                                   : answer_one(request, schema, found->second);
                    });
                });
}

// As add_kind() would, and with the dictionary inside where it is asked for.
void add_types(Service& service, Inventory& inventory) {
    const auto dictionaries = std::make_shared<const Objects>(alarm_dictionaries_of(inventory.cloud()));
    const auto& schema = resource_type_schema();
    service.add(reading("/resourceTypes", "List: each resource type", schema, true),
                [&inventory, dictionaries, &schema](Request& request) -> http::Outcome {
                    const auto listing = Listing::parse(request, schema, {"alarmDictionary"});
                    if (!listing) return tl::unexpected(listing.error());
                    return answer(inventory, [&](const State& state) {
                        return listing->answer([&](const std::string& after, const Listing::Take& take) {
                            for (auto at = state.types.upper_bound(after); at != state.types.end(); ++at)
                                if (!take(with_dictionary(at->second, *dictionaries))) return;
                        });
                    });
                });
    service.add(reading("/resourceTypes/{resourceTypeId}", "Read one resource type", schema, false),
                [&inventory, dictionaries, &schema](Request& request) {
                    const std::string id = id_of(request, "resourceTypeId");
                    return answer(inventory, [&](const State& state) -> http::Outcome {
                        const auto found = state.types.find(id);
                        return found == state.types.end()
                                   ? http::Outcome(none("resource type", id))
                                   : answer_one(request, schema,
                                                with_dictionary(found->second, *dictionaries),
                                                {"alarmDictionary"});
                    });
                });
}

// A list and its single objects, of one of the inventory's maps.
template <typename Map>
void add_kind(Service& service, Inventory& inventory, const char* path, const char* parameter,
              const char* what, const http::Schema& schema, Map State::*objects, unsigned since = 1) {
    const std::string list = "/" + std::string(path);
    service.add(
        reading(list, "List: each " + std::string(what), schema, true),
        [&inventory, &schema, objects](Request& request) -> http::Outcome {
            const auto listing = Listing::parse(request, schema);
            if (!listing) return tl::unexpected(listing.error());
            return answer(inventory, [&](const State& state) {
                return listing->answer(all_of(state.*objects, *listing));
            });
        },
        since);
    service.add(
        reading(list + "/{" + parameter + "}", "Read one " + std::string(what), schema, false),
        [&inventory, &schema, objects, parameter, what](Request& request) -> http::Outcome {
            const std::string id = id_of(request, parameter);
            return answer(inventory, [&](const State& state) -> http::Outcome {
                const auto found = (state.*objects).find(id);
                return found == (state.*objects).end() ? http::Outcome(none(what, id))
                                                       : answer_one(request, schema, tree_of(found->second));
            });
        },
        since);
}

http::Outcome list_of_pool(Inventory& inventory, const Request& request) {
    const auto listing = Listing::parse(request, resource_schema());
    if (!listing) return tl::unexpected(listing.error());
    const std::string pool = id_of(request, "resourcePoolId");
    return answer(inventory, [&](const State& state) -> http::Outcome {
        if (!state.pools.contains(pool)) return none("resource pool", pool);
        return listing->answer([&](const std::string& after, const Listing::Take& take) {
            const auto found = state.by_pool.find(pool);
            if (found == state.by_pool.end()) return;
            const auto& resources = found->second;
            if (const auto id = listing->only_id()) {
                const auto only = resources.find(*id);
                if (only != resources.end() && *id > after) take(listed(*only->second));
                return;
            }
            for (auto at = resources.upper_bound(after); at != resources.end(); ++at)
                if (!take(listed(*at->second))) return;
        });
    });
}

http::Outcome read_of_pool(Inventory& inventory, const Request& request) {
    const std::string pool = id_of(request, "resourcePoolId");
    const std::string id = id_of(request, "resourceId");
    return answer(inventory, [&](const State& state) -> http::Outcome {
        if (!state.pools.contains(pool)) return none("resource pool", pool);
        const auto found = state.resources.find(id);
        if (found == state.resources.end() || found->second.pool != pool)
            return none("resource of this pool", id);
        return answer_one(request, resource_schema(), tree_of(found->second));
    });
}

json cloud_info(const Cloud& cloud) {
    json out{{"oCloudId", cloud.id.to_string()},
             {"globalCloudId", cloud.global_id},
             {"name", cloud.name},
             {"description", cloud.description},
             {"serviceUri", cloud.service_uri},
             {"extensions", json::object()}};
    if (cloud.profile == Profile::interop) out["globalcloudId"] = cloud.global_id;
    return out;
}

}  // namespace

Service add_inventory(http::Router& router, Inventory& inventory) {
    std::vector<Version> versions{{1, "1.3.0"}};
    if (inventory.cloud().inventory_v2) versions.push_back({2, "2.0.0"});
    Service service(router, "infrastructureInventory", std::move(versions));
    service.add(reading("", "The O-Cloud itself", cloud_info_schema(), false),
                [info = cloud_info(inventory.cloud())](Request& request) {
                    return answer_one(request, cloud_info_schema(), info);
                });
    add_types(service, inventory);
    add_alarm_dictionaries(service, inventory);
    add_kind(service, inventory, "resourcePools", "resourcePoolId", "resource pool", resource_pool_schema(),
             &State::pools);
    add_kind(service, inventory, "resources", "resourceId", "resource", resource_schema(), &State::resources);
    add_kind(service, inventory, "oCloudSites", "oCloudSiteId", "site", site_schema(), &State::sites, 2);
    add_kind(service, inventory, "locations", "globalLocationId", "location", location_schema(),
             &State::locations, 2);
    service.add(reading("/resourcePools/{resourcePoolId}/resources", "List: each resource of a pool",
                        resource_schema(), true),
                [&inventory](Request& request) { return list_of_pool(inventory, request); });
    service.add(reading("/resourcePools/{resourcePoolId}/resources/{resourceId}",
                        "Read one resource of a pool", resource_schema(), false),
                [&inventory](Request& request) { return read_of_pool(inventory, request); });
    add_performance_dictionaries(service, inventory);
    add_deployment_managers(service);
    return service;
}

}  // namespace rouse::o2ims
