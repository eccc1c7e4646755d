// What a DPDK device is asked for, by what it says of itself.

#include "dataplane/port/device_plan.hpp"

#include "shared/counters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_ethdev.h>

namespace rouse::port {
namespace {

using ::testing::HasSubstr;

// As the drivers of these cards list them (22.11).
constexpr std::uint64_t kIce = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_UDP |
                               RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_IPV6 |
                               RTE_ETH_RSS_NONFRAG_IPV6_UDP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
constexpr std::uint64_t kI40e = RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_UDP |
                                RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_FRAG_IPV6 |
                                RTE_ETH_RSS_NONFRAG_IPV6_UDP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
constexpr std::uint64_t kByAddress = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6;
constexpr std::uint64_t kByFlow = RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;

DevicePlan plan(const DeviceAbilities& abilities, const DeviceWishes& wishes) {
    const auto made = plan_device("dev", abilities, wishes);
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : DevicePlan{};
}
std::string refusal(const DeviceAbilities& abilities, const DeviceWishes& wishes) {
    const auto made = plan_device("dev", abilities, wishes);
    return made ? "" : made.error().message;
}

TEST(DevicePlan, SortsByAddressesWhereTheDeviceCan) {
    EXPECT_EQ(plan({.queues = 8, .hash_types = kIce}, {.queues = 4}).hash_types, kByAddress);
    EXPECT_EQ(plan({.queues = 8, .hash_types = RTE_ETH_RSS_IPV4 | kI40e}, {.queues = 4}).hash_types,
              RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV6_UDP);
}

TEST(DevicePlan, SortsByFlowWhereItKnowsNothingElse) {
    EXPECT_EQ(plan({.queues = 8, .hash_types = kI40e}, {.queues = 4}).hash_types, kByFlow);
}

TEST(DevicePlan, OfOneQueueNothingIsSorted) {
    EXPECT_EQ(plan({.queues = 8, .hash_types = kIce}, {.queues = 1}).hash_types, 0U);
}

TEST(DevicePlan, ByFlowTransfersStayTogetherWhileTheirPortsDo) {
    EXPECT_TRUE(keeps_flows_together(kByAddress, false));
    EXPECT_TRUE(keeps_flows_together(kByFlow, true));
    EXPECT_FALSE(keeps_flows_together(kByFlow, false));
    EXPECT_FALSE(keeps_flows_together(0, true)) << "the other end chooses";
    // More was granted than asked for.
    EXPECT_FALSE(keeps_flows_together(kByAddress | RTE_ETH_RSS_NONFRAG_IPV4_UDP, false));
    EXPECT_EQ(describe_sorting(kByAddress, true), "by address pair");
    EXPECT_EQ(describe_sorting(kByFlow, true), "by flow");
    EXPECT_EQ(describe_sorting(kByFlow, false), "sorted in software");
}

TEST(DevicePlan, HasAsManyQueuesAsCoresOrOne) {
    EXPECT_EQ(plan({.queues = 8, .hash_types = kIce}, {.cores = 4}).queues, 4U);
    EXPECT_EQ(plan({.queues = 2, .hash_types = kIce}, {.cores = 4}).queues, 2U);
    EXPECT_EQ(plan({.queues = 8}, {.cores = 4}).queues, 1U);
}

TEST(DevicePlan, NeverHasMoreQueuesThanThereAreCounters) {
    EXPECT_EQ(plan({.queues = 256, .hash_types = kIce}, {.cores = 128}).queues, kMaxWorkers);
    EXPECT_THAT(refusal({.queues = 256, .hash_types = kIce}, {.queues = 65}), HasSubstr("65 are wanted"));
    EXPECT_THAT(refusal({.driver = "net_vhost", .queues = 128}, {}), HasSubstr("128 are wanted"));
}

TEST(DevicePlan, WithoutSortingOpensAsManyQueuesAsAskedFor) {
    const DevicePlan made = plan({.driver = "net_memif", .queues = 14}, {.queues = 3});
    EXPECT_EQ(made.queues, 3U);
    EXPECT_EQ(made.hash_types, 0U);
}

TEST(DevicePlan, LeavesNoQueueUnreadIntoWhichFramesCome) {
    for (const std::string_view driver : {"net_vhost", "net_af_packet"}) {
        EXPECT_EQ(plan({.driver = driver, .queues = 4}, {}).queues, 4U);
        EXPECT_EQ(plan({.driver = driver, .queues = 4}, {.queues = 4}).queues, 4U);
        EXPECT_THAT(refusal({.driver = driver, .queues = 4}, {.queues = 2}),
                    HasSubstr("4 queues and 2 would be read: set dataplane.workers"));
    }
}

TEST(DevicePlan, TrustsNoSortingThatTheKernelDoes) {
    EXPECT_EQ(plan({.driver = "net_tap", .queues = 16, .hash_types = kIce}, {.queues = 2}).hash_types, 0U);
}

TEST(DevicePlan, AsksForTheOffloadsThatThereAre) {
    EXPECT_EQ(plan({}, {}).receive_offloads, 0U);
    EXPECT_EQ(plan({}, {}).transmit_offloads, 0U);
    const DevicePlan made =
        plan({.receive_offloads = ~std::uint64_t{0}, .transmit_offloads = ~std::uint64_t{0}}, {});
    EXPECT_EQ(made.receive_offloads, RTE_ETH_RX_OFFLOAD_UDP_CKSUM);
    EXPECT_EQ(made.transmit_offloads, RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE | RTE_ETH_TX_OFFLOAD_UDP_CKSUM);
}

// A guest behind vhost would leave out TCP's sums too, and the host, to whom those frames go, drops them.
TEST(DevicePlan, HasNoSumsCheckedThatTheOtherEndWouldThenLeaveOut) {
    for (const char* driver : {"net_vhost", "net_virtio", "net_virtio_user"})
        EXPECT_EQ(plan({.driver = driver, .receive_offloads = ~std::uint64_t{0}}, {}).receive_offloads, 0U)
            << driver;
}

TEST(ListeningSocket, IsThatOfADriverThatListens) {
    EXPECT_EQ(listening_socket("net_vhost0,iface=/run/v,queues=2"), "/run/v");
    EXPECT_EQ(listening_socket("net_vhost0,iface=/run/v,client=1"), "") << "another's, which may be alive";
    EXPECT_EQ(listening_socket("net_memif3,role=server,socket=/run/m,socket-abstract=no"), "/run/m");
    EXPECT_EQ(listening_socket("net_memif3,role=server,socket=/run/m"), "") << "no file";
    EXPECT_EQ(listening_socket("net_memif3,socket=/run/m,socket-abstract=no"), "");
    EXPECT_EQ(listening_socket("net_virtio_user0,path=/run/v,server=1"), "/run/v");
    EXPECT_EQ(listening_socket("net_virtio_user0,path=/dev/vhost-net"), "");
    EXPECT_EQ(listening_socket("net_pcap0,rx_pcap=/run/x"), "");
}

}  // namespace
}  // namespace rouse::port
