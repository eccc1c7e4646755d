#pragma once
// Who this O-Cloud is, from the configuration and what the store remembers.

#include "mgmt/o2ims/cloud.hpp"
#include "mgmt/store/writer.hpp"
#include "shared/config.hpp"
#include "shared/result.hpp"

namespace rouse::o2ims {

// Makes an id at the first start and keeps it. Fails for ids in the configuration that are no UUIDs.
[[nodiscard]] Result<Cloud> identify(store::Writer& writer, const Config& config);

}  // namespace rouse::o2ims
