#pragma once
// From what an older build wrote to what this one reads: a step for each schema version, all in the
// transaction that opens the store, so that there is no moment at which it is neither.

#include "mgmt/store/store.hpp"

#include <cstdint>
#include <string>

namespace rouse::store {

// Of the store in DIRECTORY, which messages name; a fresh store has this build's. Errors: it cannot be read,
// or is a newer build's.
[[nodiscard]] Result<std::uint32_t> schema_version(const View& view, const std::string& directory);

// Leaves the store at kSchemaVersion; returns the version that was found. After an error BATCH must not be
// committed.
[[nodiscard]] Result<std::uint32_t> migrate(Batch& batch, const std::string& directory);

}  // namespace rouse::store
