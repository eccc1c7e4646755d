#pragma once
// Where the kernel keeps the interface, it keeps its neighbours too: the machines that it answers ARP and
// sends files by HTTP. By default no more than 1024 of them, all interfaces together; further ones get no
// answer until others are forgotten, so that a rack comes up a thousand machines at a time.

#include "shared/result.hpp"

#include <cstddef>
#include <string>

namespace rouse::worker {

// Raises that limit to MACHINES, for both families; it never lowers one. The limit is the whole host's and is
// seen from its first network namespace alone: in another one there is nothing to do. Fails with what to set
// by hand.
[[nodiscard]] Result<void> allow_neighbours(std::size_t machines,
                                            const std::string& directory = "/proc/sys/net");

}  // namespace rouse::worker
