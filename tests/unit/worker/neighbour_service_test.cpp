// What a worker does on the link beside DHCP and TFTP, on a port that owns its device and on one that a
// kernel keeps.

#include "dataplane/wire/arp.hpp"
#include "dataplane/wire/icmp.hpp"
#include "dataplane/wire/icmpv6.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/worker_fixture.hpp"

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

using test::ScratchStore;
using wire::Icmpv6Type;

// A device like the memory port's, of which a kernel keeps the interface.
struct KernelsPort : port::MemoryPort {
    using port::MemoryPort::MemoryPort;
    static constexpr bool kOwnsInterface = false;
};

const MacAddress kClientMac = ScratchStore::mac_of(3);
const Ipv6Address kClientAddress6 = wire::link_local_of(kClientMac);

std::vector<std::byte> icmpv6_frame(Icmpv6Type type, const Ipv6Address& destination,
                                    std::span<const std::byte> body, std::uint8_t hop_limit = 255) {
    std::vector<std::byte> frame(wire::kIcmpv6FrameOverhead + body.size());
    wire::store_bytes(frame, wire::kIcmpv6FrameOverhead, body);
    wire::write_icmpv6(frame,
                       {.source_mac = kClientMac,
                        .destination_mac = destination.is_multicast() ? wire::multicast_mac_of(destination)
                                                                      : test::kServerMac,
                        .source = kClientAddress6,
                        .destination = destination},
                       type, hop_limit, body.size());
    return frame;
}

std::vector<std::byte> router_solicitation() {
    return icmpv6_frame(Icmpv6Type::router_solicitation, wire::kAllRouters, std::vector<std::byte>(4));
}

std::vector<std::byte> neighbour_solicitation() {
    std::vector<std::byte> body(sizeof(wire::NeighbourSolicitation));
    wire::store(body, 0, wire::NeighbourSolicitation{.reserved = 0, .target = test::kServerAddress6});
    return icmpv6_frame(Icmpv6Type::neighbour_solicitation, wire::solicited_node_of(test::kServerAddress6),
                        body);
}

std::vector<std::byte> arp_request() {
    std::vector<std::byte> frame(60);
    wire::store(frame, 0, wire::EthernetHeader{kBroadcastMac, kClientMac, wire::kEtherTypeArp});
    wire::store(frame, sizeof(wire::EthernetHeader),
                wire::ArpPacket{.hardware_type = wire::kArpHardwareEthernet,
                                .protocol_type = wire::kEtherTypeIpv4,
                                .hardware_length = 6,
                                .protocol_length = 4,
                                .operation = wire::kArpRequest,
                                .sender_mac = kClientMac,
                                .sender = ScratchStore::address_of(3),
                                .target_mac = {},
                                .target = test::kServerAddress});
    return frame;
}

std::vector<std::byte> echo_request() {
    test::PacketBuilder packet;
    packet.eth({.destination = test::kServerMac, .source = kClientMac})
        .ipv4({.protocol = wire::kProtocolIcmp,
               .source = ScratchStore::address_of(3),
               .destination = test::kServerAddress});
    std::vector<std::byte> echo(12);
    wire::store(echo, 0, wire::IcmpHeader{wire::IcmpType::echo_request, 0, 0});
    wire::ChecksumSum sum;
    sum.add(echo);
    wire::store(echo, 0, wire::IcmpHeader{wire::IcmpType::echo_request, 0, sum.checksum()});
    return packet.payload(echo).build();
}

class NeighbourServiceTest : public ::testing::Test {
  protected:
    ScratchStore store_;
    void SetUp() override {
        store_.add_network_and_profile();
        store_.add_machines(10);
    }
    void change_network(void (*change)(store::NetworkRecord&)) {
        store_.commit([&](store::Transaction& txn, const store::Tables& tables) {
            const be32 one(1);
            auto network =
                *store::decode<store::NetworkRecord>(**txn.get(tables.networks, store::bytes_of(one)));
            change(network);
            test::must(txn.put(tables.networks, store::bytes_of(one), store::bytes_of(network)));
        });
    }
    static wire::RouterAdvertisement advertisement_in(std::span<const std::byte> frame,
                                                      const MacAddress& listener) {
        wire::Self6 client(listener);
        wire::Packet6 packet;
        EXPECT_EQ(wire::parse_packet6(frame, client, packet), DropReason::none);
        EXPECT_EQ(packet.hop_limit, 255);
        wire::Icmpv6Message message;
        EXPECT_EQ(wire::parse_icmpv6(packet, message), DropReason::none);
        EXPECT_EQ(message.type, Icmpv6Type::router_advertisement);
        return wire::load<wire::RouterAdvertisement>(message.body).value_or(wire::RouterAdvertisement{});
    }
};

TEST_F(NeighbourServiceTest, WhoeverLooksForARouterIsToldAtOnceThatThereIsNone) {
    test::WorkerFixture fixture(store_);
    const auto sent = fixture.exchange(router_solicitation());
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].size(), wire::kIcmpv6FrameOverhead + sizeof(wire::RouterAdvertisement));
    const auto advertisement = advertisement_in(sent[0], kClientMac);
    EXPECT_EQ(advertisement.flags, 0);
    EXPECT_EQ(advertisement.router_lifetime, be16(0));
}

TEST_F(NeighbourServiceTest, AnIpv6NetworkSendsItsMachinesToDhcp) {
    change_network(
        [](store::NetworkRecord& network) { network.prefix6 = *Ipv6Prefix::parse("2001:db8:77::/64"); });
    test::WorkerFixture fixture(store_);
    const auto sent = fixture.exchange(router_solicitation());
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(advertisement_in(sent[0], kClientMac).flags, 0xc0);
}

TEST_F(NeighbourServiceTest, ARouterSpeaksUnasked) {
    test::WorkerFixture fixture(store_);
    EXPECT_FALSE(fixture.worker.turn(1, 1));
    EXPECT_TRUE(fixture.port.take_sent().empty());
    change_network([](store::NetworkRecord& network) {
        network.prefix6 = *Ipv6Prefix::parse("2001:db8:77::/64");
        network.router_lifetime6 = 1800;
    });
    fixture.worker.turn(2 * kNanosPerSecond, 1);
    const auto sent = fixture.port.take_sent();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(advertisement_in(sent[0], wire::multicast_mac_of(wire::kAllNodes)).router_lifetime, be16(1800));
    fixture.worker.turn(2 * kNanosPerSecond + 1, 1);
    EXPECT_TRUE(fixture.port.take_sent().empty());
}

TEST_F(NeighbourServiceTest, SwitchedOffItIsSilent) {
    store_.commit([](store::Transaction& txn, const store::Tables& tables) {
        const store::SwitchRecord off{.dhcp_enabled = 0};
        test::must(
            txn.put(tables.switches, store::bytes_of(store::kDataplaneSwitches), store::bytes_of(off)));
    });
    test::WorkerFixture fixture(store_);
    EXPECT_TRUE(fixture.exchange(router_solicitation()).empty());
    EXPECT_EQ(fixture.dropped(DropReason::dhcp_disabled), 1U);
}

TEST_F(NeighbourServiceTest, APortThatOwnsItsDeviceIsAHostOnTheLink) {
    test::WorkerFixture fixture(store_);
    for (const auto& frame : {arp_request(), echo_request(), neighbour_solicitation()})
        EXPECT_EQ(fixture.exchange(frame).size(), 1U);
    const std::array<std::byte, 4> echo{};
    EXPECT_EQ(
        fixture.exchange(icmpv6_frame(Icmpv6Type::echo_request, test::kServerAddress6, echo, 64)).size(), 1U);
}

TEST_F(NeighbourServiceTest, WhereAKernelKeepsTheInterfaceItIsLeftToIt) {
    test::BasicWorkerFixture<KernelsPort> fixture(store_);
    for (const auto& frame : {arp_request(), echo_request(), neighbour_solicitation()})
        EXPECT_TRUE(fixture.exchange(frame).empty());
    EXPECT_EQ(fixture.dropped(DropReason::ethertype_unknown), 1U);
    EXPECT_EQ(fixture.dropped(DropReason::ipv4_protocol_unknown), 1U);
    EXPECT_EQ(fixture.dropped(DropReason::icmp_type_unhandled), 1U);
    EXPECT_EQ(fixture.exchange(router_solicitation()).size(), 1U);
}

}  // namespace
}  // namespace rouse::worker
