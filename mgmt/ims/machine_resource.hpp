#pragma once
// Machines as a resource: /api/machines/ and the same objects under their cluster's path.

#include "mgmt/ims/resource.hpp"

namespace rouse::ims {

// Inside an operation of the Writer: the machine and all that is known of it.
[[nodiscard]] Outcome<void> remove_machine(store::Batch& batch, const Services& services, store::Id machine);

[[nodiscard]] Resource machine_resource(const Services& services);

}  // namespace rouse::ims
