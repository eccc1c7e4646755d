#pragma once
// Who is at the other end of a rack-side connection.

#include "mgmt/store/id.hpp"
#include "mgmt/store/store.hpp"
#include "shared/addresses.hpp"
#include "shared/result.hpp"
#include "shared/store/records.hpp"

#include <optional>

namespace rouse::ims {

struct RackClient {
    MacAddress mac;
    store::HostRecord host;

    // Nothing for a guest.
    [[nodiscard]] std::optional<store::Id> machine() const {
        return store::Id::parse({host.machine_id.data(), host.machine_id.size()});
    }
};

// The machine, registered or guest, that the peer's address is promised to; nothing for strangers.
[[nodiscard]] Result<std::optional<RackClient>> rack_client(const store::View& view, const IpAddress& peer);

}  // namespace rouse::ims
