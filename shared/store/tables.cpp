#include "shared/store/tables.hpp"

namespace rouse::store {

Result<Tables> Tables::open(Transaction& txn, bool create) {
    Tables tables;
    struct Entry {
        const char* name;
        Table* table;
    };
    for (const Entry& entry : {Entry{"meta", &tables.meta},
                               {"hosts", &tables.hosts},
                               {"networks", &tables.networks},
                               {"leases", &tables.leases},
                               {"leases6", &tables.leases6},
                               {"profiles", &tables.profiles},
                               {"names", &tables.names},
                               {"images", &tables.images},
                               {"rendered", &tables.rendered},
                               {"switches", &tables.switches}}) {
        auto table = txn.table(entry.name, create);
        if (!table) return tl::unexpected(table.error());
        *entry.table = *table;
    }
    return tables;
}

}  // namespace rouse::store
