#pragma once
// The tables that both processes share. rouse-mgmt creates them in its first transaction; the dataplane opens
// them read only and waits until they are there.

#include "shared/store/lmdb.hpp"

namespace rouse::store {

// Raise it with every change of a record's layout or a table's meaning, and every new index of a kind that
// has documents already; rouse-mgmt then migrates, by the steps in mgmt/store/migrate.cpp.
inline constexpr std::uint32_t kSchemaVersion = 4;
inline constexpr std::string_view kSchemaVersionKey = "schema_version";  // in `meta`; value: be32

// In `meta`; value: be64. rouse-mgmt raises it in every transaction that changes `hosts`, `leases` or
// `networks`, so that who mirrors them need not look at commits that changed something else.
inline constexpr std::string_view kHostsGenerationKey = "hosts_generation";

struct Tables {
    Table meta, hosts, networks, leases, leases6, profiles, names, images, rendered, switches;

    [[nodiscard]] static Result<Tables> open(Transaction& txn, bool create = false);
};

}  // namespace rouse::store
