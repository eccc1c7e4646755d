#pragma once
// What the inventory service (O2IMS 1.4) has that is no part of the inventory itself: performance
// dictionaries and deployment managers.

#include "mgmt/o2ims/inventory/inventory.hpp"
#include "mgmt/o2ims/service.hpp"

namespace rouse::o2ims {

// /performanceDictionaries[/{id}] and /resourceTypes/{id}/performanceDictionary. INVENTORY outlives the
// router.
void add_performance_dictionaries(Service& service, Inventory& inventory);

// /deploymentManagers[/{id}]: none, since this O-Cloud makes no clusters. For the deployer alone, as wherever
// there are some: their profiles hold credentials.
void add_deployment_managers(Service& service);

}  // namespace rouse::o2ims
