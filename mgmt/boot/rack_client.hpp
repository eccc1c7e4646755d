#pragma once
// Which machine a peer of the rack-side HTTP listener is: by the same rules as TFTP has (see
// worker::TftpHost::identify), so that the two serve the same machines.

#include "mgmt/store/id.hpp"
#include "mgmt/store/store.hpp"
#include "shared/addresses.hpp"
#include "shared/result.hpp"
#include "shared/store/records.hpp"

#include <functional>
#include <optional>

namespace rouse::boot {

// The hardware address that the rack's link knows a peer by; nothing for a peer behind a router, or one that
// the link does not know. Wait-free but for a system call, on any thread. Empty: nobody is on the link.
using NeighbourLookup = std::function<std::optional<MacAddress>(const IpAddress& peer)>;

struct RackClient {
    MacAddress mac;
    store::HostRecord host;

    // Nothing for a guest.
    [[nodiscard]] std::optional<store::Id> machine() const {
        return store::Id::parse({host.machine_id.data(), host.machine_id.size()});
    }
};

// The machine, registered or guest, that the peer's address is promised to; on our link only if its hardware
// address is the machine's too, so that borrowing a machine's address gets a stranger nothing. Where another
// server gives the addresses, and of link-local ones, a machine is known by its hardware address alone.
// Nothing for strangers.
[[nodiscard]] Result<std::optional<RackClient>> find_rack_client(const store::View& view,
                                                                 const NeighbourLookup& neighbours,
                                                                 const IpAddress& peer);

}  // namespace rouse::boot
