#pragma once
// The whole store as one file.

#include "mgmt/store/store.hpp"

namespace rouse::store {

// Blocking, for as long as reading the store takes. Writes the store as it is at one moment, compacted, to
// FD, an empty file: a data file of LMDB's. Readers and the writer go on.
Result<void> copy_store(const Store& store, int descriptor);

}  // namespace rouse::store
