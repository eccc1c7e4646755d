#pragma once
// A machine, or a stranger, as a resource with the types of itself and its parts.

#include "mgmt/events/strangers.hpp"
#include "mgmt/o2ims/cloud.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

struct ResourceView {
    nlohmann::json resource;                          // ResourceInfo
    nlohmann::json types = nlohmann::json::object();  // ResourceTypeInfo by id: its own and its elements'
};

// Ids follow from what things are, so that they stay: a server's from its hardware address.
[[nodiscard]] std::string resource_id(const Cloud& cloud, const std::string& mac);
// Of the type of the appliance itself, which is what measurements and alarms of no server are about.
[[nodiscard]] std::string appliance_type_id(const Cloud& cloud);
[[nodiscard]] ResourceView view_of_machine(const Cloud& cloud, const nlohmann::json& machine,
                                           const std::string& pool);
[[nodiscard]] ResourceView view_of_stranger(const Cloud& cloud, const events::SeenStranger& stranger,
                                            const std::string& pool);

}  // namespace rouse::o2ims
