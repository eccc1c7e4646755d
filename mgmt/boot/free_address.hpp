#pragma once
// Which address of a network is free: the lowest for a registered machine, one from the other end of the
// range for a guest, so that the two keep out of each other's way. Hints in table `meta` remember up to where
// everything is known to be taken: a run of machines is one pass over the range and not one each.

#include "mgmt/boot/pool.hpp"
#include "mgmt/store/store.hpp"

#include <optional>

namespace rouse::boot {

// The lowest free address of the pool's range, for a registered machine; nothing when it is full.
[[nodiscard]] Result<std::optional<Ipv4Address>> take_lowest_free(store::Batch& batch,
                                                                  const Appliance& appliance,
                                                                  const Pool& pool);
// An address for a guest: the highest that nobody ever had, else the one that has been free the longest.
[[nodiscard]] Result<std::optional<Ipv4Address>> take_for_guest(store::Batch& batch,
                                                                const Appliance& appliance, const Pool& pool);

// To be told when an address becomes free, whoever had it.
Result<void> note_free(store::Batch& batch, store::NetworkId network, Ipv4Address address);
// When the range, the gateway or the network changed: look at all of it again.
Result<void> forget_hints(store::Batch& batch, store::NetworkId network);

}  // namespace rouse::boot
