#pragma once
// GET of everything in the inventory service (O2IMS 1.4).

#include "mgmt/http/router.hpp"
#include "mgmt/o2ims/inventory.hpp"

namespace rouse::o2ims {

// INVENTORY outlives the router.
void add_inventory(http::Router& router, Inventory& inventory);

}  // namespace rouse::o2ims
