// What the XDP program steers beside the services' own ports, when told to.

#include "tests/unit/ebpf/defence_fixture.hpp"

namespace rouse::ebpf {
namespace {

Bytes ipv6(std::uint8_t next_header, std::initializer_list<std::uint8_t> payload, std::uint8_t version = 6) {
    std::vector<std::byte> header(40);
    header[0] = static_cast<std::byte>(version << 4);
    header[6] = static_cast<std::byte>(next_header);
    PacketBuilder frame;
    frame.eth({.source = kKnown, .type = 0x86dd}).payload(header);
    for (const std::uint8_t octet : payload) frame.payload(1, static_cast<std::byte>(octet));
    return frame.build();
}
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint8_t kUdp = 17;

// What another server says to CLIENT.
Bytes answer_to(const MacAddress& client, const MacAddress& to = kBroadcastMac,
                const MacAddress& server = kKnown) {
    return PacketBuilder()
        .eth({.destination = to, .source = server})
        .ipv4()
        .udp({.source_port = 67, .destination_port = 68})
        .payload(DhcpBuilder(wire::DhcpType::offer, client).payload())
        .build();
}

TEST_F(Defence, ExtrasAreSteeredEachByItsSwitch) {
    const Bytes solicitation = ipv6(kIcmpv6, {133, 0, 0, 0, 0, 0, 0, 0});
    const Bytes dhcpv6 = ipv6(kUdp, {546 >> 8, 546 & 0xff, 547 >> 8, 547 & 0xff, 0, 8, 0, 0});
    const Bytes tftp6 = ipv6(kUdp, {7, 1, 0, 69, 0, 8, 0, 0});
    const Bytes answer = answer_to(kStranger);
    const Extras none;
    struct Row {
        Extras extras;
        bool solicitation, dhcpv6, tftp6, answer;
    };
    for (const Row& row : {Row{none, false, false, false, false},
                           {{.router_solicitations = true}, true, false, false, false},
                           {{.dhcpv6 = true}, false, true, false, false},
                           {{.tftp_ipv6 = true}, false, false, true, false},
                           {{.dhcp_answers = true}, false, false, false, true},
                           {{.other_hosts = true}, true, true, true, true},
                           {{true, true, true, true}, true, true, true, true}}) {
        list_->steer(row.extras);
        EXPECT_EQ(run(solicitation), row.solicitation ? XDP_REDIRECT : XDP_PASS);
        EXPECT_EQ(run(dhcpv6), row.dhcpv6 ? XDP_REDIRECT : XDP_PASS);
        EXPECT_EQ(run(tftp6), row.tftp6 ? XDP_REDIRECT : XDP_PASS);
        EXPECT_EQ(run(answer), row.answer ? XDP_REDIRECT : XDP_PASS);
    }
}

TEST_F(Defence, ExtrasTakeNothingElse) {
    list_->steer({true, true, true, true});
    for (unsigned type = 0; type <= 0xff; ++type)
        EXPECT_EQ(run(ipv6(kIcmpv6, {static_cast<std::uint8_t>(type), 0, 0, 0})),
                  type == 133 ? XDP_REDIRECT : XDP_PASS)
            << type;
    for (unsigned port = 0; port <= 0xffff; ++port)
        ASSERT_EQ(run(ipv6(kUdp, {0, 1, static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port),
                                  0, 8, 0, 0})),
                  port == 547 || port == 69 ? XDP_REDIRECT : XDP_PASS)
            << port;
    EXPECT_EQ(run(ipv6(0, {58, 0, 0, 0, 0, 0, 0, 0, 133, 0})), XDP_PASS) << "behind a hop-by-hop header";
    EXPECT_EQ(run(ipv6(kIcmpv6, {133}, 4)), XDP_PASS) << "IP version 4";
    EXPECT_EQ(run(ipv6(kIcmpv6, {})), XDP_PASS) << "nothing after the header";
    EXPECT_EQ(run(ipv6(kUdp, {0, 1, 547 >> 8})), XDP_PASS) << "cut off in the port";
    EXPECT_EQ(run(ipv6(kUdp, {0, 1, 547 >> 8, 547 & 0xff})), XDP_REDIRECT) << "cut off after it";
}

TEST_F(Defence, TransfersOverIpv6HaveTheirPortsWhereTftpIsServedThere) {
    constexpr PortRange kRange{61440, 4096};
    for (const bool served : {false, true}) {
        list_->steer({.tftp_ipv6 = served, .tftp_ports = kRange});
        for (unsigned port = 0; port <= 0xffff; ++port) {
            const bool ours = served && (port == 69 || kRange.contains(static_cast<std::uint16_t>(port)));
            ASSERT_EQ(run(ipv6(kUdp, {0, 1, static_cast<std::uint8_t>(port >> 8),
                                      static_cast<std::uint8_t>(port), 0, 8, 0, 0})),
                      ours ? XDP_REDIRECT : XDP_PASS)
                << port;
        }
    }
}

TEST_F(Defence, ExtrasOfStrangersMeetTheBuckets) {
    list_->steer({true, true, true, true});
    list_->set_limits({.each = {2, kNeverAgain}, .all = {1000, kNeverAgain}});
    Bytes solicitation = ipv6(kIcmpv6, {133, 0, 0, 0});
    std::memcpy(solicitation.data() + 6, &kStranger, sizeof kStranger);
    EXPECT_EQ(admitted(solicitation, 10), 2U);
    const Bytes foreign_offer = answer_to(kStranger, kBroadcastMac, stranger(1));
    EXPECT_EQ(admitted(foreign_offer, 10), 2U);
}

TEST_F(Defence, AnswersToThisHostsOwnClientStayTheKernels) {
    Extras extras{.dhcp_answers = true};
    extras.own_address = kAlsoKnown;
    list_->steer(extras);
    EXPECT_EQ(run(answer_to(kKnown)), XDP_REDIRECT);
    EXPECT_EQ(run(answer_to(kAlsoKnown)), XDP_PASS) << "broadcast, but for us";
    EXPECT_EQ(run(answer_to(kKnown, kAlsoKnown)), XDP_PASS) << "not broadcast";
    const Bytes cut = PacketBuilder().eth().ipv4().udp({.source_port = 67, .destination_port = 68}).build();
    EXPECT_EQ(run(cut), XDP_PASS) << "names no client";
}

TEST_F(Defence, AllThatIsForOtherHostsIsForWhoPlaysThem) {
    Extras extras{.other_hosts = true};
    extras.own_address = kAlsoKnown;
    list_->steer(extras);
    Bytes arp(42);
    wire::store(arp, 0, wire::EthernetHeader{kKnown, kRouter, wire::kEtherTypeArp});
    EXPECT_EQ(run(arp), XDP_REDIRECT);
    EXPECT_EQ(run(answer_to(kAlsoKnown)), XDP_REDIRECT) << "to everybody";
    EXPECT_EQ(run(answer_to(kKnown, kKnown)), XDP_REDIRECT);
    EXPECT_EQ(run(answer_to(kKnown, kAlsoKnown)), XDP_PASS) << "to this host alone";
    wire::store(arp, 0, kAlsoKnown);
    EXPECT_EQ(run(arp), XDP_PASS);
}

TEST_F(Defence, WhatADhcpv6RelaySendsOnIsItsClients) {
    list_->steer({.dhcpv6 = true});
    list_->set_limits(kNobody);
    const auto relayed = [](const MacAddress& client, std::uint8_t type) {
        std::initializer_list<std::uint8_t> ports{547 >> 8, 547 & 0xff, 547 >> 8, 547 & 0xff, 0, 8, 0, 0};
        Bytes frame = ipv6(kUdp, ports);
        std::memcpy(frame.data() + 6, &kRouter, sizeof kRouter);
        frame.resize(frame.size() + 34);
        std::byte* message = frame.data() + frame.size() - 34;
        message[0] = static_cast<std::byte>(type);
        const auto& m = client.octets;
        const std::array<std::uint8_t, 16> peer{
            0xfe, 0x80, 0,    0,    0,    0,    0,   0, static_cast<std::uint8_t>(m[0] ^ 2),
            m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};
        std::memcpy(message + 18, peer.data(), peer.size());
        return frame;
    };
    EXPECT_EQ(run(relayed(kKnown, 12)), XDP_REDIRECT);
    EXPECT_EQ(run(relayed(kStranger, 12)), XDP_DROP);
    EXPECT_EQ(run(relayed(kKnown, 1)), XDP_DROP) << "not relayed, and from a router that is no machine";
}

}  // namespace
}  // namespace rouse::ebpf
