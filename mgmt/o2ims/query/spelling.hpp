#pragma once
// The many ways in which clients spell the paths of O2ims (O2IMS 1.2): one of them is what routes are
// registered with, and every other is understood as that. What is sent back (Location, links) is in the
// client's own.

#include <optional>
#include <string>
#include <string_view>

namespace rouse::o2ims {

// "/O2ims_infrastructureInventory/v2/resourcePools" -> "/o2ims-infrastructureInventory/v2/resourcePools";
// likewise "/o2ims/v1/resourcePools" and "/o2ims/api/v1/resourcePools", whose service the resource tells.
// PATH as sent, without its query. Nothing for paths that are not of O2ims.
[[nodiscard]] std::optional<std::string> canonical_path(std::string_view path);

// The part of PATH up to its version, as the client spelt it: "/O2ims_infrastructureInventory/v2".
[[nodiscard]] std::string spelled_base(std::string_view path);

}  // namespace rouse::o2ims
