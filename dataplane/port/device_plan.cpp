#include "dataplane/port/device_plan.hpp"

#include "shared/counters.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include <rte_ethdev.h>

namespace rouse::port {
namespace {

constexpr std::uint64_t kByPorts =
    RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP | RTE_ETH_RSS_IPV6_UDP_EX;

// What the drivers made of software do otherwise than their abilities let expect.
struct Peculiarities {
    std::string_view driver;
    bool fills_all_queues = false;  // whoever feeds it uses all that it was made with, read or not
    bool chooses_itself = false;    // it names hash types, and yet the kernel chooses the queue
    bool counts_refusals = false;
    // Once asked for checked sums, it has the other end leave them out, and what goes on to the host is lost.
    bool leaves_sums_out = false;
};
constexpr std::array kPeculiar{
    Peculiarities{
        .driver = "net_vhost", .fills_all_queues = true, .counts_refusals = true, .leaves_sums_out = true},
    Peculiarities{.driver = "net_virtio", .leaves_sums_out = true},
    Peculiarities{.driver = "net_virtio_user", .leaves_sums_out = true},
    Peculiarities{.driver = "net_af_packet", .fills_all_queues = true},
    Peculiarities{.driver = "net_tap", .chooses_itself = true, .counts_refusals = true},
};

Peculiarities peculiarities_of(std::string_view driver) noexcept {
    const auto found = std::find_if(kPeculiar.begin(), kPeculiar.end(),
                                    [&](const Peculiarities& each) { return each.driver == driver; });
    return found == kPeculiar.end() ? Peculiarities{} : *found;
}

// By addresses alone where the device can: then even a transfer whose packets come to different ports of ours
// stays on one queue. Many cards know packets of UDP only together with their ports.
std::uint64_t choose_hash_types(std::uint64_t offered) noexcept {
    const auto of_family = [offered](std::uint64_t by_address, std::uint64_t by_ports) {
        return offered & ((offered & by_address) != 0 ? by_address : by_ports);
    };
    return of_family(RTE_ETH_RSS_IPV4, RTE_ETH_RSS_NONFRAG_IPV4_UDP) |
           of_family(RTE_ETH_RSS_IPV6, RTE_ETH_RSS_NONFRAG_IPV6_UDP);
}

}  // namespace

Result<DevicePlan> plan_device(const std::string& name, const DeviceAbilities& abilities,
                               const DeviceWishes& wishes) {
    const Peculiarities peculiar = peculiarities_of(abilities.driver);
    const unsigned most = std::min<unsigned>(abilities.queues, kMaxWorkers);
    const std::uint64_t hash_types = peculiar.chooses_itself ? 0 : choose_hash_types(abilities.hash_types);
    DevicePlan plan{.queues = wishes.queues};
    if (peculiar.fills_all_queues) {
        if (plan.queues == 0) plan.queues = abilities.queues;
        if (plan.queues < abilities.queues)
            return fail("DPDK device " + name + " is made with " + std::to_string(abilities.queues) +
                        " queues and " + std::to_string(plan.queues) +
                        " would be read: set dataplane.workers to as many, or change its parameters");
    } else if (plan.queues == 0) {
        plan.queues = hash_types != 0 ? std::min(most, wishes.cores) : 1;
    }
    if (plan.queues > most)
        return fail("DPDK device " + name + " has " + std::to_string(most) +
                    " queues that can be served and " + std::to_string(plan.queues) +
                    " are wanted: use fewer workers");
    if (plan.queues > 1) plan.hash_types = hash_types;
    if (!peculiar.leaves_sums_out)
        plan.receive_offloads = abilities.receive_offloads & RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    // Every frame we send is one mbuf of its queue's pool, referred to once.
    plan.transmit_offloads =
        abilities.transmit_offloads & (RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE | RTE_ETH_TX_OFFLOAD_UDP_CKSUM);
    return plan;
}

bool keeps_flows_together(std::uint64_t granted, bool transfers_keep_ports) noexcept {
    if ((granted & kByPorts) != 0) return transfers_keep_ports;
    return (granted & (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6)) != 0;
}

std::string describe_sorting(std::uint64_t granted, bool is_together) {
    if (!is_together) return "sorted in software";
    return (granted & kByPorts) != 0 ? "by flow" : "by address pair";
}

bool counts_refusals(std::string_view driver) noexcept {
    return peculiarities_of(driver).counts_refusals;
}

std::string listening_socket(const std::string& spec) {
    std::istringstream words(spec);
    std::map<std::string, std::string> parameters;
    std::string driver;
    std::getline(words, driver, ',');
    for (std::string word; std::getline(words, word, ',');)
        if (const auto equals = word.find('='); equals != std::string::npos)
            parameters[word.substr(0, equals)] = word.substr(equals + 1);
    driver.erase(driver.find_last_not_of("0123456789") + 1);
    const auto is_server = [&] { return parameters["role"] == "server" || parameters["role"] == "master"; };
    if (driver == "net_vhost" && parameters["client"] != "1") return parameters["iface"];
    if (driver == "net_memif" && is_server() && parameters["socket-abstract"] == "no")
        return parameters["socket"];
    if (driver == "net_virtio_user" && parameters["server"] == "1") return parameters["path"];
    return {};
}

}  // namespace rouse::port
