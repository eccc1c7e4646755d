#pragma once
// The address plan: pools of addresses, and one address for each registered machine, promised by a lease
// record in the same commit. An address is free when no lease record stands for it.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "shared/addresses.hpp"
#include "shared/store/records.hpp"

#include <optional>

#include <nlohmann/json_fwd.hpp>

namespace rouse::boot {

// An ip-pool's document as the plan works with it.
struct Pool {
    store::Id id;
    store::NetworkId network = 0;
    Ipv4Prefix prefix;
    Ipv4Address gateway;  // zero: none
    Ipv4Address range_start, range_end;
    std::string cluster;  // id; empty: for every machine

    [[nodiscard]] static Result<Pool> of(const store::Document& document);
};

// Checks a pool's fields against each other and against the other pools, and fills in a range that was left
// out (every host address). SELF: the pool that these fields are a new version of.
[[nodiscard]] Outcome<void> check_pool(const store::View& view, nlohmann::json& fields,
                                       std::optional<store::Id> self);

// The NetworkRecord of a pool.
[[nodiscard]] Outcome<void> project_pool(store::Batch& batch, const store::Document& pool);
// Deletes a pool and its records; no machine may have an address of it.
[[nodiscard]] Outcome<void> remove_pool(store::Batch& batch, const store::Document& pool);

// Gives a machine an address and writes its lease. FIELDS are the machine's: "ip", when it is there, is the
// address asked for; otherwise the lowest free one of the first pool with room is taken, its cluster's own
// pools first, then those for everybody, in order of creation. Sets "ip" and "ip_pool"; when no pool has
// room, both are null and the machine waits (see place_waiting).
[[nodiscard]] Outcome<void> place(store::Batch& batch, const Appliance& appliance, nlohmann::json& fields);
// Gives the address back: removes the lease, makes "ip" and "ip_pool" null.
[[nodiscard]] Outcome<void> displace(store::Batch& batch, nlohmann::json& fields);

}  // namespace rouse::boot
