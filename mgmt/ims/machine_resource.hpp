#pragma once
// Machines as a resource: /api/machines/ and the same objects under their cluster's path.

#include "mgmt/ims/resource.hpp"

namespace rouse::ims {

[[nodiscard]] Resource machine_resource(const Services& services);

}  // namespace rouse::ims
