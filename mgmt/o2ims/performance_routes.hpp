#pragma once
// The performance service (O2IMS 1.7): measurement jobs, their results, how long these are kept.

#include "mgmt/http/router.hpp"
#include "mgmt/ims/services.hpp"
#include "mgmt/o2ims/collector.hpp"
#include "mgmt/o2ims/inventory.hpp"
#include "mgmt/o2ims/service.hpp"

namespace rouse::o2ims {

// INVENTORY and COLLECTOR outlive the router.
Service add_performance(http::Router& router, const ims::Services& services, Inventory& inventory,
                        const Collector& collector);

}  // namespace rouse::o2ims
