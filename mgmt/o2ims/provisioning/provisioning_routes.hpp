#pragma once
// The provisioning service (O2IMS 1.6), and the templates that its requests name (the artifacts service).

#include "mgmt/http/router.hpp"
#include "mgmt/o2ims/provisioning/provisioner.hpp"

namespace rouse::o2ims {

// PROVISIONER is copied.
void add_provisioning(http::Router& router, const ims::Services& services, const Provisioner& provisioner);
void add_templates(http::Router& router, const ims::Services& services);

}  // namespace rouse::o2ims
