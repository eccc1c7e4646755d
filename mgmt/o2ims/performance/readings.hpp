#pragma once
// Where readings come from: machines' load and boots out of the store, the appliance's counters out of shared
// memory and of its listeners.

#include "mgmt/events/dataplane_counters.hpp"
#include "mgmt/ims/http_transfers.hpp"
#include "mgmt/o2ims/inventory/inventory.hpp"
#include "mgmt/o2ims/performance/measurement_job.hpp"
#include "mgmt/store/store.hpp"

#include <vector>

namespace rouse::o2ims {

// All of it outlives whoever has it.
struct ReadingSources {
    store::Store& store;
    events::EventTables tables;
    Inventory& inventory;
    events::DataplaneCounters& dataplane;
    const ims::HttpTransfers& transfers;
};

// One of each registered machine, and one of the appliance. Of a machine nothing but its boots is known until
// its system has said how loaded it is. Any thread.
[[nodiscard]] Result<std::vector<Reading>> take_readings(const ReadingSources& from);

}  // namespace rouse::o2ims
