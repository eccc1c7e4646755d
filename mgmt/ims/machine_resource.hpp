#pragma once
// Machines as a resource: /api/machines/ and the same objects under their cluster's path.

#include "mgmt/ims/resource.hpp"

namespace rouse::ims {

// Inside an operation of the Writer: the machine and all that is known of it.
[[nodiscard]] Outcome<void> remove_machine(store::Batch& batch, const Services& services, store::Id machine);

// Inside an operation of the Writer: what is known of a machine's load.
[[nodiscard]] Outcome<void> remove_metrics(store::Batch& batch, store::Id machine);

// With what a machine has before anything is known of it.
[[nodiscard]] nlohmann::json as_new_machine(nlohmann::json fields);

[[nodiscard]] const http::Schema& machine_schema();
[[nodiscard]] Resource machine_resource(const Services& services);

}  // namespace rouse::ims
