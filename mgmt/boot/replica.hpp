#pragma once
// Documents that another appliance, the centre, made: they become this one's with the same ids, and what the
// dataplane is told follows from them. The centre's word is law: whatever here contradicts it gives way. Each
// runs inside an operation of the Writer and may be repeated.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/boot/catalogue.hpp"
#include "mgmt/store/collections.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"

#include <optional>
#include <vector>

namespace rouse::boot {

// A cluster, pool, profile or machine. What this appliance itself found out about a machine (status, health,
// verdict, hardware) stays, but for the operator's word MAINTENANCE.
[[nodiscard]] Outcome<void> adopt_document(store::Batch& batch, const Appliance& appliance,
                                           const store::Collection& collection, store::Document document);

// It is gone at the centre, or not this appliance's any more. True if it was there.
[[nodiscard]] Outcome<bool> drop_document(store::Batch& batch, const store::Collection& collection,
                                          store::Id id);

// Machines of the cluster that are not among KEPT.
[[nodiscard]] Result<std::vector<store::Id>> machines_beside(const store::View& view, store::Id cluster,
                                                             const std::vector<store::Id>& kept);

}  // namespace rouse::boot
