#include "dataplane/wire/ipv6.hpp"

#include "dataplane/wire/icmpv6.hpp"
#include "dataplane/wire/udp6.hpp"
#include "tests/support/hex.hpp"
#include "tests/support/pcap.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace rouse::wire {
namespace {

Ipv6Address address(const char* text) {
    return *Ipv6Address::parse(text);
}

const MacAddress kOurMac{{2, 0, 0, 0, 0, 0xfe}};

Self6 make_self() {
    Self6 self(kOurMac);
    EXPECT_TRUE(self.add(address("2001:db8:77::1")));
    return self;
}
const Self6 kSelf = make_self();
const Udp6Template::Endpoints kClientToUs{.ends = {.source_mac = {{2, 0, 0, 0, 0, 1}},
                                                   .destination_mac = kSelf.mac(),
                                                   .source = address("fe80::1"),
                                                   .destination = address("2001:db8:77::1")},
                                          .source_port = 546,
                                          .destination_port = 547};
constexpr std::size_t kIp = sizeof(EthernetHeader);
constexpr std::size_t kUdp = kIpv6FrameOverhead;

std::vector<std::byte> frame_with(std::string_view payload,
                                  const Udp6Template::Endpoints& ends = kClientToUs) {
    std::vector<std::byte> frame(kUdp6FrameOverhead + payload.size());
    store_bytes(frame, kUdp6FrameOverhead, std::as_bytes(std::span(payload)));
    Udp6Template(ends).write(frame, payload.size());
    return frame;
}

DropReason parsed(const std::vector<std::byte>& frame, Datagram6* out = nullptr) {
    // Exactly sized copy on the heap: the address sanitizer sees a read one byte past the end.
    static std::vector<std::byte> kept;
    kept = std::vector<std::byte>(frame.begin(), frame.end());
    Packet6 packet;
    Datagram6 datagram;
    if (const auto drop = parse_packet6(kept, kSelf, packet); drop != DropReason::none) return drop;
    const auto drop = parse_datagram6(packet, datagram);
    if (out != nullptr) *out = datagram;
    return drop;
}

TEST(Ipv6Groups, FollowTheAddress) {
    EXPECT_EQ(solicited_node_of(address("2001:db8::12:3456")).to_string(), "ff02::1:ff12:3456");
    EXPECT_EQ(multicast_mac_of(kAllDhcpAgents).to_string(), "33:33:00:01:00:02");
    EXPECT_EQ(multicast_mac_of(kAllRouters).to_string(), "33:33:00:00:00:02");
}

TEST(Eui64, GoesThereAndBack) {
    EXPECT_EQ(link_local_of({{0x52, 0x54, 0, 0xaa, 0, 1}}).to_string(), "fe80::5054:ff:feaa:1");
    std::mt19937 random(1);
    for (int round = 0; round < 1000; ++round) {
        MacAddress mac;
        for (auto& octet : mac.octets) octet = static_cast<std::uint8_t>(random());
        mac.octets[0] &= 0xfe;
        EXPECT_EQ(mac_of(link_local_of(mac)), mac);
    }
    EXPECT_FALSE(mac_of(address("fe80::1")));
    EXPECT_FALSE(mac_of(address("fe80::300:ff:fe00:1"))) << "a group address has no link-local one";
}

TEST(Self6, HearsItsAddressesAndTheirGroups) {
    EXPECT_EQ(kSelf.link_local().to_string(), "fe80::ff:fe00:fe");
    for (const char* text : {"2001:db8:77::1", "fe80::ff:fe00:fe", "ff02::1", "ff02::2", "ff02::1:2",
                             "ff05::1:3", "ff02::1:ff00:1", "ff02::1:ff00:fe"}) {
        EXPECT_TRUE(kSelf.hears(address(text))) << text;
        EXPECT_TRUE(!address(text).is_multicast() || kSelf.hears(multicast_mac_of(address(text)))) << text;
    }
    for (const char* text : {"2001:db8:77::2", "ff02::1:ff00:2", "ff02::16", "::", "::1"})
        EXPECT_FALSE(kSelf.hears(address(text))) << text;
    EXPECT_FALSE(kSelf.hears(kBroadcastMac));
    EXPECT_EQ(kSelf.group_macs().size(), 6U);
}

TEST(Self6, IsBoundAndJoinsEachGroupOnce) {
    Self6 self(kOurMac);
    for (const char* text : {"2001:db8:1::1", "2001:db8:2::1", "2001:db8:3::1", "2001:db8:4::2"})
        EXPECT_TRUE(self.add(address(text)));
    EXPECT_FALSE(self.add(address("2001:db8:5::1")));
    EXPECT_EQ(self.addresses().size(), 5U);
    EXPECT_EQ(self.group_macs().size(), 4U + 3U);
    EXPECT_EQ(self.source_for(address("fe80::1")), self.link_local());
    EXPECT_EQ(self.source_for(address("2001:db8:9::9")).to_string(), "2001:db8:1::1");
    EXPECT_EQ(Self6(MacAddress{{2, 0, 0, 0, 0, 1}}).source_for(address("2001:db8::1")).to_string(),
              "fe80::ff:fe00:1");
}

TEST(ParseDatagram6, TakesApartWhatUdp6TemplateWrites) {
    const Udp6Template headers(kClientToUs);
    std::mt19937 random(1);
    for (std::size_t length = 0; length <= 1452; ++length) {
        std::string payload(length, '\0');
        for (auto& c : payload) c = static_cast<char>(random());
        Datagram6 out;
        ASSERT_EQ(parsed(frame_with(payload), &out), DropReason::none) << length;
        EXPECT_EQ(as_text(out.payload), payload);
        EXPECT_EQ(out.source, kClientToUs.ends.source);
        EXPECT_EQ(out.destination, kClientToUs.ends.destination);
        EXPECT_EQ(out.source_mac, kClientToUs.ends.source_mac);
        EXPECT_EQ(out.source_port, 546);
        EXPECT_EQ(out.destination_port, 547);
    }
}

TEST(ParseDatagram6, EveryTruncationIsADropWithAReason) {
    const auto whole = frame_with("payload");
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_NE(parsed({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}),
                  DropReason::none)
            << length;
    EXPECT_EQ(parsed({whole.begin(), whole.begin() + 13}), DropReason::frame_too_short);
    EXPECT_EQ(parsed({whole.begin(), whole.begin() + 53}), DropReason::ipv6_too_short);
    EXPECT_EQ(parsed({whole.begin(), whole.begin() + 60}), DropReason::ipv6_bad_length);
}

TEST(ParseDatagram6, EveryWrongByteThatTheChecksumCoversIsNoticed) {
    const auto whole = frame_with("payload");
    for (std::size_t at = kIp + offsetof(Ipv6Header, source); at < whole.size(); ++at) {
        auto frame = whole;
        frame[at] ^= std::byte{0x10};
        EXPECT_NE(parsed(frame), DropReason::none) << at;
    }
}

TEST(ParseDatagram6, NamesWhatIsWrong) {
    struct Case {
        const char* what;
        DropReason expected;
        std::size_t offset;
        std::uint8_t value;
    };
    const Case cases[] = {
        {"source is a group", DropReason::frame_bad_source, 6, 0x03},
        {"another station's", DropReason::frame_not_for_us, 5, 0x77},
        {"IPv4", DropReason::ethertype_unknown, 12, 0x08},
        {"version 4", DropReason::ipv6_bad_version, kIp, 0x45},
        {"payload beyond the frame", DropReason::ipv6_bad_length, kIp + 5, 99},
        {"multicast source", DropReason::ipv6_bad_source, kIp + 8, 0xff},
        {"another host", DropReason::ipv6_not_for_us, kIp + 39, 9},
        {"hop by hop", DropReason::ipv6_extension_header, kIp + 6, 0},
        {"routing", DropReason::ipv6_extension_header, kIp + 6, 43},
        {"fragment", DropReason::ipv6_fragment, kIp + 6, 44},
        {"destination options", DropReason::ipv6_extension_header, kIp + 6, 60},
        {"encrypted", DropReason::ipv6_extension_header, kIp + 6, 50},
        {"authenticated", DropReason::ipv6_extension_header, kIp + 6, 51},
        {"TCP", DropReason::ipv6_protocol_unknown, kIp + 6, 6},
        {"UDP length below 8", DropReason::udp_bad_length, kUdp + 5, 7},
        {"UDP length beyond packet", DropReason::udp_bad_length, kUdp + 5, 99},
        {"UDP checksum", DropReason::udp_bad_checksum, kUdp + 7, 0x5a},
    };
    for (const auto& test : cases) {
        auto frame = frame_with("payload");
        frame[test.offset] = std::byte{test.value};
        EXPECT_EQ(to_string(parsed(frame)), to_string(test.expected)) << test.what;
    }
    auto frame = frame_with("payload");
    store(frame, kUdp + offsetof(UdpHeader, checksum), std::uint16_t{0});
    EXPECT_EQ(parsed(frame), DropReason::udp_no_checksum);
    for (const char* source : {"::", "::1"}) {
        auto ends = kClientToUs;
        ends.ends.source = address(source);
        EXPECT_EQ(parsed(frame_with("payload", ends)), DropReason::ipv6_bad_source) << source;
    }
    auto ends = kClientToUs;
    frame = frame_with("", ends);
    store(frame, kIp + offsetof(Ipv6Header, payload_length), be16(7));
    EXPECT_EQ(parsed(frame), DropReason::udp_too_short);
}

TEST(ParseDatagram6, IgnoresEthernetPadding) {
    auto frame = frame_with("x");
    frame.resize(80, std::byte{0xee});
    Datagram6 out;
    ASSERT_EQ(parsed(frame, &out), DropReason::none);
    EXPECT_EQ(as_text(out.payload), "x");
}

TEST(ParseDatagram6, AcceptsAChecksumLeftToHardwareByALocalSender) {
    auto frame = frame_with("payload");
    ChecksumSum pseudo;
    add_pseudo_header6(pseudo, kClientToUs.ends.source, kClientToUs.ends.destination, sizeof(UdpHeader) + 7,
                       17);
    store(frame, kUdp + offsetof(UdpHeader, checksum), pseudo.folded());
    EXPECT_EQ(parsed(frame), DropReason::none);
}

TEST(Udp6Template, SendsASumOfZeroAsAllOnes) {
    auto frame = frame_with(std::string_view("\0\0", 2));
    const auto checksum = load<std::uint16_t>(frame, kUdp + offsetof(UdpHeader, checksum));
    const std::string payload(reinterpret_cast<const char*>(&*checksum), 2);
    frame = frame_with(payload);  // what was missing from the sum is now in it
    EXPECT_EQ(load<std::uint16_t>(frame, kUdp + offsetof(UdpHeader, checksum)), 0xffff);
    EXPECT_EQ(parsed(frame), DropReason::none);
}

TEST(Icmpv6, ChecksumsHoldAndWrongBytesAreNoticed) {
    for (const std::size_t length : {0U, 1U, 8U, 9U, 1400U}) {
        std::vector<std::byte> frame(kIcmpv6FrameOverhead + length, std::byte{0x5a});
        ASSERT_EQ(write_icmpv6(frame, kClientToUs.ends, Icmpv6Type::echo_request, 64, length), frame.size());
        Packet6 packet;
        Icmpv6Message message;
        ASSERT_EQ(parse_packet6(frame, kSelf, packet), DropReason::none);
        ASSERT_EQ(parse_icmpv6(packet, message), DropReason::none) << length;
        EXPECT_EQ(message.type, Icmpv6Type::echo_request);
        EXPECT_EQ(message.body.size(), length);
        frame.back() ^= std::byte{1};
        EXPECT_EQ(parse_icmpv6(packet, message), DropReason::icmp_bad_checksum);
        packet.payload = packet.payload.first(3);
        EXPECT_EQ(parse_icmpv6(packet, message), DropReason::icmp_too_short);
    }
}

TEST(ParsePacket6, ListenerReportsCarryAnExtensionHeader) {
    // MLD done, with its router alert.
    const auto frame = test::from_hex(
        "333300000002525400aa000186dd6000000000200001fe80000000000000505400fffeaa0001ff0200000000000000000000"
        "000000023a0001040000000084002e280000000000000000000000000000000000000000");
    Packet6 packet;
    EXPECT_EQ(parse_packet6(frame, kSelf, packet), DropReason::ipv6_extension_header);
}

TEST(ParseDatagram6, WhatTheDeviceFoundRightIsNotSummedAgain) {
    auto frame = frame_with("hello");
    frame.back() ^= std::byte{1};
    EXPECT_EQ(parsed(frame), DropReason::udp_bad_checksum);
    Packet6 packet;
    Datagram6 datagram;
    ASSERT_EQ(parse_packet6(frame, kSelf, packet), DropReason::none);
    EXPECT_EQ(parse_datagram6(packet, datagram, UdpChecksum::device), DropReason::none);
    store(frame, kUdp + offsetof(UdpHeader, checksum), std::uint16_t{0});
    EXPECT_EQ(parse_datagram6(packet, datagram, UdpChecksum::device), DropReason::udp_no_checksum);
}

TEST(Udp6Template, LeavesTheSumOfThePseudoHeaderToADevice) {
    auto whole = frame_with("hello");
    auto left = whole;
    Udp6Template(kClientToUs).write(left, 5, UdpChecksum::device);
    ASSERT_NE(left, whole);
    // The device adds up the datagram as it is, and stores the complement.
    ChecksumSum sum;
    sum.add(std::span(left).subspan(kUdp));
    store(left, kUdp + offsetof(UdpHeader, checksum), sum.checksum());
    EXPECT_EQ(left, whole);
}

TEST(ParsePacket6, RealClientsAreHeard) {
    struct Case {
        const char* capture;
        int datagrams;
        int solicitations;
    };
    for (const auto& expected :
         {Case{"a_seabios_ipxerom_pxelinux.pcap", 0, 7}, Case{"c_ovmf_http.pcap", 4, 10},
          Case{"m_ovmf_v6.pcap", 10, 1}, Case{"d_ovmf_ipxeefi.pcap", 0, 6}}) {
        int datagrams = 0;
        int solicitations = 0;
        for (const auto& frame : test::read_pcap(std::string(ROUSE_FIXTURES) + "/" + expected.capture)) {
            Packet6 packet;
            Datagram6 datagram;
            Icmpv6Message message;
            if (parse_packet6(frame, kSelf, packet) != DropReason::none) continue;
            if (packet.next_header == kProtocolIcmpv6) {
                EXPECT_EQ(parse_icmpv6(packet, message), DropReason::none);
                solicitations += message.type == Icmpv6Type::router_solicitation;
            } else {
                EXPECT_EQ(parse_datagram6(packet, datagram), DropReason::none);
                datagrams += datagram.destination_port == 547;
            }
        }
        EXPECT_EQ(datagrams, expected.datagrams) << expected.capture;
        EXPECT_EQ(solicitations, expected.solicitations) << expected.capture;
    }
}

}  // namespace
}  // namespace rouse::wire
