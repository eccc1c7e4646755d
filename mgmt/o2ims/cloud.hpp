#pragma once
// What the O-Cloud is called, and how strictly it follows the specification: from the configuration.

#include "mgmt/store/id.hpp"

#include <cstdint>
#include <string>

namespace rouse::o2ims {

// Where the specification and the clients in the field disagree (O2IMS 1.9): what clients take, or the
// letter.
enum class Profile : std::uint8_t { interop, strict };

struct Cloud {
    store::Id id;           // oCloudId; also the name space of ids that follow from names
    std::string global_id;  // assigned by the SMO; oCloudId until then
    std::string name = "rouse";
    std::string description = "Bare metal, provisioned by rouse";
    std::string service_uri;   // apiRoot, by which the SMO reaches us
    std::string address = "";  // where it stands, for people
    Profile profile = Profile::interop;
    bool inventory_v2 = true;
};

}  // namespace rouse::o2ims
