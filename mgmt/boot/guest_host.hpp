#pragma once
// A guest's HostRecord: what its network's profile gives to machines that nobody registered. They get the
// profile's files with a boot line of their own, which has no name, no cluster and no token. Templates that
// differ between machines are for registered ones.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "shared/addresses.hpp"
#include "shared/store/records.hpp"

#include <optional>

namespace rouse::boot {

// Makes HOST's profile and boot line say what pool and profile say; the caller stores it. A line that says so
// already stays, another one stays readable for kRenderedGraceSeconds.
[[nodiscard]] Outcome<void> render_guest(store::Batch& batch, const Appliance& appliance, const Pool& pool,
                                         const std::optional<store::Document>& profile, const MacAddress& mac,
                                         store::HostRecord& host);

// Deletes the guest's record, and its line.
[[nodiscard]] Outcome<void> remove_guest(store::Batch& batch, const MacAddress& mac,
                                         const store::HostRecord& host);

}  // namespace rouse::boot
