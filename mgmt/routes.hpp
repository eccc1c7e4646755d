#pragma once
// All routes of the two listeners: what /openapi.json describes, and tests go through.

#include "mgmt/http/router.hpp"
#include "mgmt/ims/http_transfers.hpp"
#include "mgmt/ims/observation.hpp"
#include "mgmt/ims/services.hpp"
#include "mgmt/live/hub.hpp"
#include "mgmt/o2ims/collector.hpp"
#include "mgmt/o2ims/delivery.hpp"
#include "mgmt/o2ims/inventory.hpp"

namespace rouse::mgmt {

// What O2ims is about; all of it outlives the router.
struct O2imsParts {
    o2ims::Inventory& inventory;
    const o2ims::Collector& collector;
    o2ims::Delivery& delivery;
    bool tests_callbacks = false;  // a subscription is refused unless its callback answers
};

// For operators and programs, the SMO's and the documentation included. LIVE outlives the router.
void add_api_routes(http::Router& router, const ims::Services& services, const ims::Observation& observation,
                    live::Hub& live, const O2imsParts& o2ims);

// For machines. TRANSFERS outlives the router.
void add_rack_routes(http::Router& router, const ims::Services& services, const ims::Observation& observation,
                     ims::HttpTransfers& transfers);

}  // namespace rouse::mgmt
