#include "mgmt/o2ims/inventory/inventory_dictionaries.hpp"

#include "mgmt/ims/problems.hpp"
#include "mgmt/o2ims/inventory/inventory_schemas.hpp"
#include "mgmt/o2ims/performance/measurements.hpp"
#include "mgmt/o2ims/performance/performance_schemas.hpp"
#include "mgmt/o2ims/query/collection.hpp"

#include <memory>
#include <utility>

namespace rouse::o2ims {

using http::Request;
using http::Role;
using nlohmann::json;

namespace {

http::Route reading_route(std::string pattern, std::string summary, const http::Schema& schema, bool is_list,
                          Role role) {
    return {.method = http::Method::get,
            .pattern = std::move(pattern),
            .access = http::Access::of(role),
            .summary = std::move(summary),
            .response = &schema,
            .response_is_list = is_list,
            .query = is_list ? listing_parameters() : selector_parameters()};
}

Inventory::Objects dictionaries_of(const Cloud& cloud) {
    Inventory::Objects out;
    for (const MeasuredOf of : {MeasuredOf::server, MeasuredOf::appliance})
        out.emplace(dictionary_id(cloud, of), dictionary(cloud, of));
    return out;
}

std::string in_lower_case(std::string id) {
    for (char& c : id)
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    return id;
}

http::Outcome read_dictionary(const Inventory::Objects& dictionaries, const Request& request,
                              const std::string& id) {
    const auto found = dictionaries.find(in_lower_case(id));
    if (found == dictionaries.end())
        return http::problem(http::Status::not_found, "there is no performance dictionary " + id);
    return answer_one(request, dictionary_schema(), found->second);
}

// Of a type that is in the inventory. Parts of servers have none.
http::Outcome read_dictionary_of_type(Inventory& inventory, const Inventory::Objects& dictionaries,
                                      const Request& request) {
    const std::string type = in_lower_case(request.parameter("resourceTypeId"));
    bool is_known = false;
    std::string id;
    const auto read = inventory.read([&](const Inventory::State& state) {
        const auto found = state.types.find(type);
        if (found == state.types.end()) return;
        is_known = true;
        id = found->second.value("performanceDictionaryId", "");
    });
    if (!read) return ims::refused(read.error());
    if (!is_known) return http::problem(http::Status::not_found, "there is no resource type " + type);
    if (id.empty())
        return http::problem(http::Status::not_found, "nothing is measured of this resource type");
    return read_dictionary(dictionaries, request, id);
}

}  // namespace

void add_performance_dictionaries(Service& service, Inventory& inventory) {
    const auto dictionaries = std::make_shared<const Inventory::Objects>(dictionaries_of(inventory.cloud()));
    service.add(reading_route("/performanceDictionaries", "List: each performance dictionary",
                              dictionary_schema(), true, Role::o2ims_reader),
                [dictionaries](Request& request) -> http::Outcome {
                    const auto listing = Listing::parse(request, dictionary_schema());
                    if (!listing) return tl::unexpected(listing.error());
                    return listing->answer([&](const std::string& after, const Listing::Take& take) {
                        for (auto at = dictionaries->upper_bound(after); at != dictionaries->end(); ++at)
                            if (!take(at->second)) return;
                    });
                });
    service.add(
        reading_route("/performanceDictionaries/{performanceDictionaryId}", "Read one performance dictionary",
                      dictionary_schema(), false, Role::o2ims_reader),
        [dictionaries](Request& request) {
            return read_dictionary(*dictionaries, request, request.parameter("performanceDictionaryId"));
        });
    service.add(reading_route("/resourceTypes/{resourceTypeId}/performanceDictionary",
                              "Read what is measured of a resource type", dictionary_schema(), false,
                              Role::o2ims_reader),
                [&inventory, dictionaries](Request& request) {
                    return read_dictionary_of_type(inventory, *dictionaries, request);
                });
}

void add_deployment_managers(Service& service) {
    service.add(reading_route("/deploymentManagers", "List: each deployment manager",
                              deployment_manager_schema(), true, Role::o2ims_deployer),
                [](Request& request) -> http::Outcome {
                    const auto listing = Listing::parse(request, deployment_manager_schema());
                    if (!listing) return tl::unexpected(listing.error());
                    return listing->answer([](const std::string&, const Listing::Take&) {});
                });
    service.add(reading_route("/deploymentManagers/{deploymentManagerId}", "Read one deployment manager",
                              deployment_manager_schema(), false, Role::o2ims_deployer),
                [](Request& request) -> http::Outcome {
                    return http::problem(http::Status::not_found,
                                         "there is no deployment manager " +
                                             request.parameter("deploymentManagerId") +
                                             ": this O-Cloud makes no clusters");
                });
}

}  // namespace rouse::o2ims
