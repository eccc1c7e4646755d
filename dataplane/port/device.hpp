#pragma once
// A device opened for the workers: one port for each of its queues, and what concerns all of them.

#include "dataplane/port/port.hpp"
#include "shared/result.hpp"

#include <concepts>
#include <span>
#include <string>

namespace rouse::port {

template <typename D>
concept Device = requires(D device, const D opened, std::span<const MacAddress> groups) {
    requires Port<typename D::PortType>;
    // In the order of the queues, at least one; each is for one worker thread. Ports go with the device.
    { device.ports() } -> std::same_as<std::span<typename D::PortType>>;
    // True: all frames of one pair of IP addresses come by the same queue (RSS by address pair), so that a
    // transfer stays with the worker that began it. False: the workers hand frames over among themselves.
    { opened.keeps_flows_together() } -> std::same_as<bool>;
    // The kernel's interface that has our addresses.
    { opened.interface_name() } -> std::same_as<const std::string&>;
    // Has the device let frames to these Ethernet groups through, for as long as it is open. A kernel joins
    // only what its own addresses need.
    { device.join(groups) } -> std::same_as<Result<void>>;
    // False while the device knows that nobody is at the other end. Any thread.
    { opened.has_link() } -> std::same_as<bool>;
    // For people and logs: what carries the frames, and how.
    { opened.describe() } -> std::same_as<std::string>;
};

}  // namespace rouse::port
