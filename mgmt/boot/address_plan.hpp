#pragma once
// The address plan: one address for each registered machine, promised by a lease record in the same commit,
// and beside it an IPv6 address where the network has a prefix. An address is free when no lease record
// stands for it.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/store/failure.hpp"
#include "mgmt/store/store.hpp"
#include "shared/addresses.hpp"

#include <optional>

#include <nlohmann/json_fwd.hpp>

namespace rouse::boot {

// Gives a machine an address and writes its lease. FIELDS are the machine's: "ip", when it is there, is the
// address asked for; otherwise it keeps what it has or had as a guest, or gets the lowest free one of the
// first pool with room: its cluster's own pools first, then those for everybody, in order of creation.
// "ip6" likewise: one that is there is asked for, otherwise it is the IPv4 address behind the pool's prefix,
// which is as unique. Sets "ip", "ip6" and "ip_pool"; when no pool has room, all are null and the machine
// waits (see place_waiting). HEIR_OF: the hardware address by which the same machine had its address before.
[[nodiscard]] Outcome<void> place(store::Batch& batch, const Appliance& appliance, nlohmann::json& fields,
                                  std::optional<MacAddress> heir_of = {});
// Writes the leases of the addresses that FIELDS name and another appliance planned: whoever had them here
// has them no more.
[[nodiscard]] Outcome<void> occupy(store::Batch& batch, const nlohmann::json& fields);
// Takes the address back: makes "ip", "ip6" and "ip_pool" null. A lease of which the machine was told stands
// until it ends: the address is nobody else's before.
[[nodiscard]] Outcome<void> displace(store::Batch& batch, nlohmann::json& fields);
// Makes "ip6" follow its pool, whose IPv6 network may have come, changed or gone. True: it changed.
[[nodiscard]] Outcome<bool> follow_prefix6(store::Batch& batch, nlohmann::json& fields);

}  // namespace rouse::boot
