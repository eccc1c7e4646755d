#pragma once
// Ids of objects that exist because others do: the same name has the same id, on every start.

#include "mgmt/store/id.hpp"

#include <string_view>

namespace rouse::o2ims {

// UUID version 5 (RFC 9562 5.5) of NAME in the name space SPACE.
[[nodiscard]] store::Id named_id(const store::Id& space, std::string_view name);

}  // namespace rouse::o2ims
