#pragma once
// The subscriptions of a service over REST (O2IMS 1.3): GET and POST on the collection, GET and DELETE on
// one, and PATCH where the service has it (1.5).

#include "mgmt/ims/services.hpp"
#include "mgmt/o2ims/cloud.hpp"
#include "mgmt/o2ims/delivery.hpp"
#include "mgmt/o2ims/service.hpp"

#include <string>

namespace rouse::o2ims {

// Of all services together.
inline constexpr std::size_t kMaxSubscriptions = 256;

struct SubscriptionKind {
    std::string service;                     // as stored: kInventoryService, …
    std::string path = "/subscriptions";     // "/alarmSubscriptions"
    std::string id_name = "subscriptionId";  // "alarmSubscriptionId"
    std::string noun = "inventory subscription";
    const http::Schema* schema = nullptr;  // its first field is ID_NAME; lives as long as the program
    unsigned since = 1;                    // major version of the service
    unsigned patched_since = 0;            // from which on there is a PATCH; 0: none
};

struct Subscribing {
    const ims::Services& services;
    Delivery& delivery;
    Profile profile = Profile::interop;
    bool tests_callbacks = false;  // a GET on the callback must be answered before it is accepted
};

// SERVICE's routes for KIND, whose schema's attributes are what is stored. How its filters (see filter_of())
// read is what Delivery::add_language() was told; what DELIVERY is outlives the router.
void add_subscriptions(Service& service, const Subscribing& with, SubscriptionKind kind);

}  // namespace rouse::o2ims
