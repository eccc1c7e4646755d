#include "dataplane/neighbour/ipv4_responder.hpp"

#include "dataplane/wire/arp.hpp"
#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/icmp.hpp"
#include "tests/support/hex.hpp"

#include <gtest/gtest.h>

namespace rouse::neighbour {
namespace {

using test::from_hex;
using test::to_hex;
using wire::ArpPacket;

// The frames in hexadecimal were made with scapy.
const char* const kArpRequest =
    "ffffffffffff525400aa000108060001080006040001525400aa00010a4d00090000000000000a4d0001";
const char* const kArpReply =
    "525400aa00010200000000fe080600010800060400020200000000fe0a4d0001525400aa00010a4d0009";
const char* const kPing =
    "0200000000fe525400aa000108004500002100010000400166380a4d00090a4d00010800b41d0007000968656c6c6f";
const char* const kPong =
    "525400aa00010200000000fe08004500002100004000400126390a4d00010a4d00090000bc1d0007000968656c6c6f";

const wire::Self kSelf{.mac = {{2, 0, 0, 0, 0, 0xfe}},
                       .address = *Ipv4Address::parse("10.77.0.1"),
                       .subnet = *Ipv4Prefix::parse("10.77.0.0/16")};
constexpr std::size_t kIp = sizeof(wire::EthernetHeader);
constexpr std::size_t kIcmp = kIp + sizeof(wire::Ipv4Header);

struct Outcome {
    DropReason drop;
    std::string answer;  // hexadecimal
};

Outcome arp(std::vector<std::byte> frame) {
    frame.shrink_to_fit();
    std::vector<std::byte> room(1514);
    std::size_t length = 0;
    const auto drop = answer_arp(frame, kSelf, room, length);
    return {drop, to_hex(std::span(room).first(length))};
}

Outcome ping(std::vector<std::byte> frame, std::size_t room_size = 1514) {
    frame.shrink_to_fit();
    std::vector<std::byte> room(room_size);
    std::size_t length = 0;
    wire::Packet packet;
    if (const auto drop = wire::parse_packet(frame, kSelf, packet); drop != DropReason::none)
        return {drop, ""};
    const auto drop = answer_icmp(packet, kSelf, room, length);
    return {drop, drop == DropReason::none ? to_hex(std::span(room).first(length)) : ""};
}

void repair(std::vector<std::byte>& frame, std::size_t offset, std::size_t length, std::size_t field) {
    wire::store(frame, offset + field, std::uint16_t{0});
    wire::ChecksumSum sum;
    sum.add(std::span(frame).subspan(offset, length));
    wire::store(frame, offset + field, sum.checksum());
}

TEST(Arp, IsAnsweredForOurAddress) {
    EXPECT_EQ(arp(from_hex(kArpRequest)).answer, kArpReply);
    auto padded = from_hex(kArpRequest);
    padded.resize(60);
    EXPECT_EQ(arp(padded).answer, kArpReply);
    auto direct = from_hex(kArpRequest);
    wire::store(direct, 0, kSelf.mac);
    EXPECT_EQ(arp(direct).answer, kArpReply);
}

TEST(Arp, AProbeLearnsThatTheAddressIsTaken) {
    auto probe = from_hex(kArpRequest);
    wire::store(probe, kIp + offsetof(ArpPacket, sender), Ipv4Address{});
    const auto reply = from_hex(arp(probe).answer);
    EXPECT_EQ(wire::load<ArpPacket>(reply, kIp)->sender, kSelf.address);
    EXPECT_TRUE(wire::load<ArpPacket>(reply, kIp)->target.is_zero());
}

TEST(Arp, NamesWhatIsWrong) {
    struct Case {
        const char* what;
        DropReason expected;
        std::size_t offset;
        std::uint8_t value;
    };
    const Case cases[] = {
        {"source is a group", DropReason::frame_bad_source, 6, 0x53},
        {"another station's", DropReason::frame_not_for_us, 5, 0x77},
        {"IPv4", DropReason::ethertype_unknown, 13, 0x00},
        {"token ring", DropReason::arp_bad_format, kIp + 1, 6},
        {"for IPX", DropReason::arp_bad_format, kIp + 2, 0x81},
        {"hardware length", DropReason::arp_bad_format, kIp + 4, 8},
        {"protocol length", DropReason::arp_bad_format, kIp + 5, 16},
        {"a reply", DropReason::arp_not_request, kIp + 7, 2},
        {"sender is a group", DropReason::arp_bad_source, kIp + 8, 0x53},
        {"sender claims our address", DropReason::arp_bad_source, kIp + 17, 1},
        {"for another", DropReason::arp_not_for_us, kIp + 27, 2},
    };
    for (const auto& test : cases) {
        auto frame = from_hex(kArpRequest);
        frame[test.offset] = std::byte{test.value};
        EXPECT_EQ(to_string(arp(frame).drop), to_string(test.expected)) << test.what;
        EXPECT_EQ(arp(frame).answer, "") << test.what;
    }
}

TEST(Arp, EveryTruncationIsADropWithAReason) {
    const auto whole = from_hex(kArpRequest);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto drop = arp({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}).drop;
        EXPECT_EQ(drop, length < kIp ? DropReason::frame_too_short : DropReason::arp_too_short) << length;
    }
}

TEST(Icmp, AnEchoComesBack) {
    EXPECT_EQ(ping(from_hex(kPing)).answer, kPong);
    auto padded = from_hex(kPing);
    padded.resize(60, std::byte{0xee});
    EXPECT_EQ(ping(padded).answer, kPong);
}

TEST(Icmp, OptionsOfTheRequestsHeaderStayBehind) {
    auto frame = from_hex(kPing);
    frame.insert(frame.begin() + kIcmp, 4, std::byte{1});  // four no-operations (RFC 791 3.1)
    frame[kIp] = std::byte{0x46};
    wire::store(frame, kIp + offsetof(wire::Ipv4Header, total_length), be16(0x25));
    repair(frame, kIp, 24, offsetof(wire::Ipv4Header, checksum));
    EXPECT_EQ(ping(frame).answer, kPong);
}

TEST(Icmp, NamesWhatIsWrong) {
    auto frame = from_hex(kPing);
    frame.back() ^= std::byte{1};
    EXPECT_EQ(ping(frame).drop, DropReason::icmp_bad_checksum);

    const auto with = [](std::size_t offset, std::uint8_t value) {
        auto changed = from_hex(kPing);
        changed[offset] = std::byte{value};
        repair(changed, kIp, sizeof(wire::Ipv4Header), offsetof(wire::Ipv4Header, checksum));
        repair(changed, kIcmp, changed.size() - kIcmp, offsetof(wire::IcmpHeader, checksum));
        return ping(changed).drop;
    };
    EXPECT_EQ(with(kIcmp, 13), DropReason::icmp_type_unhandled) << "timestamp";
    EXPECT_EQ(with(kIcmp + 1, 1), DropReason::icmp_type_unhandled) << "code";
    EXPECT_EQ(ping(from_hex(kPing), 46).drop, DropReason::icmp_too_long);

    frame = from_hex(kPing);
    wire::store(frame, kIp + offsetof(wire::Ipv4Header, destination), kSelf.subnet.broadcast());
    repair(frame, kIp, sizeof(wire::Ipv4Header), offsetof(wire::Ipv4Header, checksum));
    EXPECT_EQ(ping(frame).drop, DropReason::icmp_bad_destination) << "no amplifier";

    frame = from_hex(kPing);
    frame.resize(kIcmp + 3);
    wire::store(frame, kIp + offsetof(wire::Ipv4Header, total_length), be16(23));
    repair(frame, kIp, sizeof(wire::Ipv4Header), offsetof(wire::Ipv4Header, checksum));
    EXPECT_EQ(ping(frame).drop, DropReason::icmp_too_short);
}

}  // namespace
}  // namespace rouse::neighbour
