#pragma once
// GET of everything in the inventory service (O2IMS 1.4).

#include "mgmt/http/router.hpp"
#include "mgmt/o2ims/inventory/inventory.hpp"
#include "mgmt/o2ims/service.hpp"

namespace rouse::o2ims {

// INVENTORY outlives the router. The service, for what else belongs to it.
Service add_inventory(http::Router& router, Inventory& inventory);

}  // namespace rouse::o2ims
