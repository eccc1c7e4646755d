#pragma once
// What the kernel knows of a network interface of its own, in the calling thread's network namespace.

#include "shared/addresses.hpp"
#include "shared/result.hpp"

#include <cstdint>
#include <string>

namespace rouse::port {

struct Interface {
    std::string name;
    MacAddress hardware_address{};
    std::uint32_t mtu = 0;  // bytes of IP packet
    bool is_up = false;     // administratively
    std::uint32_t receive_queues = 1;
    bool queues_are_combined = true;  // each serves both directions, in the words of `ethtool -L`
};

// Fails when there is no such interface or it does not carry Ethernet frames. Needs no privileges.
[[nodiscard]] Result<Interface> query_interface(const std::string& name);

// INTERFACE is up and its driver says that somebody is at the other end. One ioctl(2).
[[nodiscard]] bool has_carrier(const std::string& interface);

// Has INTERFACE choose the receive queue of UDP datagrams by their two addresses alone (`ethtool -N
// <interface> rx-flow-hash udp4 sd`, and udp6): by ports as well, which is the default of most, a transfer's
// packets would come by different queues. False when its driver does not know how. Needs CAP_NET_ADMIN.
[[nodiscard]] bool hash_by_address_pair(const std::string& interface);

}  // namespace rouse::port
