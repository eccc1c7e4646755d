#pragma once
// The store's tables of this folder: what happened to machines, and how far the dataplane's rings were read.

#include "mgmt/store/store.hpp"

namespace rouse::events {

struct EventTables {
    store::Table timeline;   // key: TimelineKey; value: the entry as JSON text, as REST sends it
    store::Table boots;      // key: machine Id; value: BootRecord
    store::Table deadlines;  // key: DeadlineKey; no value. Never later than the boot's own deadline
    store::Table rings;      // key: ring identity (be64); value: last sequence applied (be64)
    store::Table strangers;  // key: MAC address; value: Stranger
    store::Table reported;   // what of timelines was told to another appliance, or by one: see reported.hpp

    // Creates what is missing. In an operation of the Writer, once per process.
    [[nodiscard]] static Result<EventTables> open(store::Batch& batch);
};

}  // namespace rouse::events
