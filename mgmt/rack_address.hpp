#pragma once
// Where the appliance is on the rack network, from the configuration or from the interface itself.

#include "shared/addresses.hpp"
#include "shared/config.hpp"
#include "shared/result.hpp"

#include <cstdint>
#include <string>

namespace rouse::mgmt {

struct RackAddress {
    Ipv4Address address;
    std::uint16_t port = 80;  // of the rack-side HTTP listener

    [[nodiscard]] std::string listen() const { return address.to_string() + ":" + std::to_string(port); }
};

// rack.listen, else dataplane.address, else the first IPv4 address of dataplane.port's interface. The error
// says what is missing; it may pass by itself, when the interface gets its address.
[[nodiscard]] Result<RackAddress> find_rack_address(const Config& config);

}  // namespace rouse::mgmt
