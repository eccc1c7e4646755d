#include "mgmt/events/tables.hpp"

namespace rouse::events {

Result<EventTables> EventTables::open(store::Batch& batch) {
    EventTables tables;
    struct Entry {
        const char* name;
        store::Table* table;
    };
    for (const Entry& entry : {Entry{"timeline", &tables.timeline},
                               {"boots", &tables.boots},
                               {"deadlines", &tables.deadlines},
                               {"rings", &tables.rings},
                               {"strangers", &tables.strangers},
                               {"reported", &tables.reported}}) {
        auto table = batch.txn().table(entry.name, true);
        if (!table) return tl::unexpected(table.error());
        *entry.table = *table;
    }
    return tables;
}

}  // namespace rouse::events
