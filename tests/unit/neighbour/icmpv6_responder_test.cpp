#include "dataplane/neighbour/icmpv6_responder.hpp"

#include "tests/support/hex.hpp"
#include "tests/support/pcap.hpp"

#include <gtest/gtest.h>

namespace rouse::neighbour {
namespace {

using test::from_hex;
using test::to_hex;
using wire::Icmpv6Type;

// The frames in hexadecimal were made with scapy.
const char* const kMinimalAdvertisement =
    "525400aa00010200000000fe86dd6000000000103afffe80000000000000000000fffe0000fefe80000000000000505400fffeaa"
    "000186002cb6000000000000000000000000";
const char* const kAdvertisement =
    "525400aa00030200000000fe86dd6000000000403afffe80000000000000000000fffe0000feff02000000000000000000000000"
    "00018600f30040c00000000000000000000001010200000000fe05010000000005dc0304408000278d0000093a80000000002001"
    "0db8007700000000000000000000";
const char* const kNeighbourSolicitation =
    "3333ff000001525400aa000186dd6000000000203afffe80000000000000505400fffeaa0001ff0200000000000000000001ff00"
    "00018700a9ed0000000020010db80077000000000000000000010101525400aa0001";
const char* const kNeighbourAdvertisement =
    "525400aa00010200000000fe86dd6000000000203aff20010db8007700000000000000000001fe80000000000000505400fffeaa"
    "0001880067c36000000020010db800770000000000000000000102010200000000fe";
const char* const kEchoRequest =
    "0200000000fe525400aa000186dd60000000000d3a40fe80000000000000505400fffeaa000120010db800770000000000000000"
    "00018000bf240007000968656c6c6f";
const char* const kEchoReply =
    "525400aa00010200000000fe86dd60000000000d3a4020010db8007700000000000000000001fe80000000000000505400fffeaa"
    "00018100be240007000968656c6c6f";

constexpr std::size_t kIp = sizeof(wire::EthernetHeader);
constexpr std::size_t kIcmp = wire::kIpv6FrameOverhead;
constexpr std::size_t kBody = wire::kIcmpv6FrameOverhead;

Ipv6Address address(const char* text) {
    return *Ipv6Address::parse(text);
}

class Icmpv6Responder : public ::testing::Test {
  protected:
    wire::Self6 self_{MacAddress{{2, 0, 0, 0, 0, 0xfe}}};
    store::NetworkRecord network_;
    const store::NetworkRecord* known_ = &network_;
    std::vector<std::byte> room_ = std::vector<std::byte>(1514);
    std::vector<std::byte> answer_;

    void SetUp() override {
        ASSERT_TRUE(self_.add(address("2001:db8:77::1")));
        network_.id = 1;
        network_.prefix = *Ipv4Prefix::parse("10.77.0.0/16");
        network_.lease_seconds = 3600;
        network_.prefix6 = *Ipv6Prefix::parse("2001:db8:77::/64");
        network_.mtu6 = 1500;
        ASSERT_TRUE(network_.is_valid());
    }
    DropReason respond(std::vector<std::byte> frame) {
        frame.shrink_to_fit();
        answer_.clear();
        wire::Packet6 packet;
        if (const auto drop = wire::parse_packet6(frame, self_, packet); drop != DropReason::none)
            return drop;
        std::size_t length = 0;
        const auto drop = answer_icmpv6(packet, self_, known_, room_, length);
        answer_.assign(room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(length));
        return drop;
    }
    // FRAME with its ICMPv6 checksum made right again.
    static std::vector<std::byte> repaired(std::vector<std::byte> frame) {
        const auto ip = *wire::load<wire::Ipv6Header>(frame, kIp);
        const auto icmp = *wire::load<wire::Icmpv6Header>(frame, kIcmp);
        const std::size_t body = frame.size() - kBody;
        wire::write_icmpv6(frame,
                           {.source_mac = wire::load<wire::EthernetHeader>(frame)->source,
                            .destination_mac = wire::load<wire::EthernetHeader>(frame)->destination,
                            .source = ip.source,
                            .destination = ip.destination},
                           icmp.type, ip.hop_limit, body);
        // write_icmpv6 sends code 0 only: the checksum follows what the code was.
        auto header = *wire::load<wire::Icmpv6Header>(frame, kIcmp);
        header.code = icmp.code;
        wire::ChecksumSum sum;
        sum.add_word(static_cast<std::uint16_t>(~header.checksum));
        sum.add_word(static_cast<std::uint16_t>(icmp.code << 8));
        header.checksum = sum.checksum();
        wire::store(frame, kIcmp, header);
        return frame;
    }
    // The Nth router solicitation of a captured client.
    static std::vector<std::byte> captured(const char* capture, int n) {
        for (const auto& frame : test::read_pcap(std::string(ROUSE_FIXTURES) + "/" + capture))
            if (frame.size() > kIcmp && frame[12] == std::byte{0x86} && frame[kIp + 6] == std::byte{58} &&
                n-- == 0)
                return frame;
        throw std::out_of_range(capture);
    }
};

TEST_F(Icmpv6Responder, EndsTheWaitOfIpxeOnANetworkWithoutIpv6) {
    const auto solicitation = captured("a_seabios_ipxerom_pxelinux.pcap", 0);
    known_ = nullptr;
    ASSERT_EQ(respond(solicitation), DropReason::none);
    EXPECT_EQ(to_hex(answer_), kMinimalAdvertisement);
    known_ = &network_;
    network_.prefix6 = {};
    ASSERT_EQ(respond(solicitation), DropReason::none);
    EXPECT_EQ(to_hex(answer_), kMinimalAdvertisement);
}

TEST_F(Icmpv6Responder, AdvertisesANetworksPrefixToFirmwareWithoutAnAddress) {
    const auto solicitation = captured("c_ovmf_http.pcap", 0);
    ASSERT_EQ(respond(solicitation), DropReason::none);
    EXPECT_EQ(to_hex(answer_), kAdvertisement);
    EXPECT_LE(answer_.size(), kMaxAdvertisementFrame);
}

TEST_F(Icmpv6Responder, IsARouterOnlyWhenTheRecordSaysSo) {
    network_.router_lifetime6 = 1800;
    network_.mtu6 = 0;
    ASSERT_EQ(respond(captured("c_ovmf_http.pcap", 0)), DropReason::none);
    const auto advertisement = *wire::load<wire::RouterAdvertisement>(answer_, kBody);
    EXPECT_EQ(advertisement.router_lifetime, be16(1800));
    EXPECT_EQ(answer_.size(), kMaxAdvertisementFrame - sizeof(wire::MtuOption));
    ASSERT_EQ(respond(from_hex(kNeighbourSolicitation)), DropReason::none);
    EXPECT_EQ(wire::load<wire::NeighbourAdvertisement>(answer_, kBody)->flags, be32(0xe0000000));
}

TEST_F(Icmpv6Responder, AnswersANeighbourAndAnEcho) {
    ASSERT_EQ(respond(from_hex(kNeighbourSolicitation)), DropReason::none);
    EXPECT_EQ(to_hex(answer_), kNeighbourAdvertisement);
    ASSERT_EQ(respond(from_hex(kEchoRequest)), DropReason::none);
    EXPECT_EQ(to_hex(answer_), kEchoReply);
}

TEST_F(Icmpv6Responder, DefendsItsAddressAgainstAProbe) {
    auto probe = from_hex(kNeighbourSolicitation);
    probe.erase(probe.end() - sizeof(wire::LinkLayerOption), probe.end());
    wire::store(probe, kIp + offsetof(wire::Ipv6Header, payload_length), be16(24));
    wire::store(probe, kIp + offsetof(wire::Ipv6Header, source), Ipv6Address{});
    ASSERT_EQ(respond(repaired(probe)), DropReason::none);
    EXPECT_EQ(to_hex(std::span(answer_).first(6)), "333300000001");
    EXPECT_EQ(wire::load<wire::Ipv6Header>(answer_, kIp)->destination, wire::kAllNodes);
    EXPECT_EQ(wire::load<wire::NeighbourAdvertisement>(answer_, kBody)->flags, be32(0x20000000));

    wire::store(probe, kIp + offsetof(wire::Ipv6Header, destination), address("2001:db8:77::1"));
    EXPECT_EQ(respond(repaired(probe)), DropReason::neighbour_bad_source) << "not to the group";
}

TEST_F(Icmpv6Responder, AnswersAnEchoToAGroupWithItsOwnAddress) {
    auto request = from_hex(kEchoRequest);
    wire::store(request, 0, wire::multicast_mac_of(wire::kAllNodes));
    wire::store(request, kIp + offsetof(wire::Ipv6Header, destination), wire::kAllNodes);
    ASSERT_EQ(respond(repaired(request)), DropReason::none);
    EXPECT_EQ(wire::load<wire::Ipv6Header>(answer_, kIp)->source, self_.link_local());
    wire::store(request, kIp + offsetof(wire::Ipv6Header, source), Ipv6Address{});
    EXPECT_EQ(respond(repaired(request)), DropReason::ipv6_bad_source);
}

TEST_F(Icmpv6Responder, SendsNoEchoThatDoesNotFit) {
    room_.resize(from_hex(kEchoRequest).size() - 1);
    EXPECT_EQ(respond(from_hex(kEchoRequest)), DropReason::icmp_too_long);
}

// RFC 4861 6.1.1 and 7.1.1, one rule after the other.
TEST_F(Icmpv6Responder, NamesWhatIsWrongWithASolicitation) {
    struct Case {
        const char* what;
        DropReason expected;
        std::size_t offset;
        std::uint8_t value;
    };
    const Case both[] = {
        {"hop limit", DropReason::neighbour_bad_hop_limit, kIp + 7, 254},
        {"code", DropReason::neighbour_bad_code, kIcmp + 1, 1},
    };
    for (const auto& test : both) {
        for (auto frame :
             {captured("a_seabios_ipxerom_pxelinux.pcap", 0), from_hex(kNeighbourSolicitation)}) {
            frame[test.offset] = std::byte{test.value};
            EXPECT_EQ(to_string(respond(repaired(frame))), to_string(test.expected)) << test.what;
        }
    }
    const Case router[] = {
        {"option of length 0", DropReason::neighbour_bad_option, kBody + 5, 0},
        {"option beyond the packet", DropReason::neighbour_bad_option, kBody + 5, 2},
    };
    for (const auto& test : router) {
        auto frame = captured("a_seabios_ipxerom_pxelinux.pcap", 0);
        frame[test.offset] = std::byte{test.value};
        EXPECT_EQ(to_string(respond(repaired(frame))), to_string(test.expected)) << test.what;
    }
    const Case neighbour[] = {
        {"option of length 0", DropReason::neighbour_bad_option, kBody + 21, 0},
        {"target is a group", DropReason::neighbour_bad_target, kBody + 4, 0xff},
        {"somebody else's", DropReason::neighbour_not_for_us, kBody + 19, 2},
        {"type", DropReason::icmp_type_unhandled, kIcmp, 136},
    };
    for (const auto& test : neighbour) {
        auto frame = from_hex(kNeighbourSolicitation);
        frame[test.offset] = std::byte{test.value};
        EXPECT_EQ(to_string(respond(repaired(frame))), to_string(test.expected)) << test.what;
    }
    for (auto frame : {captured("a_seabios_ipxerom_pxelinux.pcap", 0), from_hex(kNeighbourSolicitation)}) {
        wire::store(frame, kIp + offsetof(wire::Ipv6Header, source), Ipv6Address{});
        EXPECT_EQ(respond(repaired(frame)), DropReason::neighbour_bad_source)
            << "link-layer option without address";
    }
}

TEST_F(Icmpv6Responder, EveryTruncationIsADropWithAReason) {
    for (const auto& whole :
         {captured("a_seabios_ipxerom_pxelinux.pcap", 0), from_hex(kNeighbourSolicitation)}) {
        for (std::size_t length = 0; length < whole.size(); ++length) {
            std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
            EXPECT_NE(respond(cut), DropReason::none) << length;
            EXPECT_TRUE(answer_.empty());
        }
        // Cut by the sender: lengths and checksum agree with what is left.
        for (std::size_t length = kBody; length < whole.size(); ++length) {
            std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
            const auto drop = respond(repaired(cut));
            const bool options_begin = length == whole.size() - sizeof(wire::LinkLayerOption);
            EXPECT_EQ(drop == DropReason::none, options_begin) << length << " " << to_string(drop);
        }
    }
}

}  // namespace
}  // namespace rouse::neighbour
