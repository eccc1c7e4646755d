#pragma once
// What a DPDK device is asked for, chosen from what it says that it can do. Pure; the numbers are
// rte_ethdev.h's.

#include "shared/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rouse::port {

struct DeviceAbilities {
    std::string_view driver;
    unsigned queues = 1;                 // each way, at most
    std::uint64_t hash_types = 0;        // RTE_ETH_RSS_…: what it can choose the receive queue by
    std::uint64_t receive_offloads = 0;  // RTE_ETH_RX_OFFLOAD_…
    std::uint64_t transmit_offloads = 0;
};

struct DeviceWishes {
    unsigned queues = 0;  // 0: as many as suit it
    unsigned cores = 1;
    // A transfer's ports never change, so that a hash over them keeps it together as well.
    bool transfers_keep_ports = false;
};

struct DevicePlan {
    unsigned queues = 1;
    std::uint64_t hash_types = 0;  // 0: it is not told how to choose
    std::uint64_t receive_offloads = 0;
    std::uint64_t transmit_offloads = 0;
};

// Fails when the device has too few queues, or would put frames into some that nobody reads.
[[nodiscard]] Result<DevicePlan> plan_device(const std::string& name, const DeviceAbilities& abilities,
                                             const DeviceWishes& wishes);

// Of several queues whose choice is by GRANTED, a transfer's packets come by one.
[[nodiscard]] bool keeps_flows_together(std::uint64_t granted, bool transfers_keep_ports) noexcept;
// "by address pair", "by flow", or "sorted in software".
[[nodiscard]] std::string describe_sorting(std::uint64_t granted, bool is_together);

// DRIVER's count of errors includes frames that it only had no room for, and that were offered again.
[[nodiscard]] bool counts_refusals(std::string_view driver) noexcept;

// The path of the socket at which the device of SPEC would listen; empty: at none.
[[nodiscard]] std::string listening_socket(const std::string& spec);

}  // namespace rouse::port
