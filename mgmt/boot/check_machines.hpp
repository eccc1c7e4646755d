#pragma once
// Whether what the dataplane reads of machines is what their documents say.

#include "mgmt/store/check.hpp"

namespace rouse::boot {

// Adds to CHECK: each machine has its host record and its lease, and no registered machine's host record is
// without its machine.
Result<void> check_machines(const store::View& view, store::StoreCheck& check);

}  // namespace rouse::boot
