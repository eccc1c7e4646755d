#include "dataplane/wire/udp.hpp"

#include "dataplane/wire/checksum.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace rouse::wire {
namespace {

const Self kSelf{.mac = {{2, 0, 0, 0, 0, 0xfe}},
                 .address = *Ipv4Address::parse("10.77.0.1"),
                 .subnet = *Ipv4Prefix::parse("10.77.0.0/16")};
const UdpTemplate::Endpoints kClientToUs{.source_mac = {{2, 0, 0, 0, 0, 1}},
                                         .destination_mac = kSelf.mac,
                                         .source = *Ipv4Address::parse("10.77.0.9"),
                                         .destination = kSelf.address,
                                         .source_port = 1024,
                                         .destination_port = 69};
constexpr std::size_t kIp = sizeof(EthernetHeader);
constexpr std::size_t kUdp = kIp + sizeof(Ipv4Header);

std::vector<std::byte> frame_with(std::string_view payload,
                                  const UdpTemplate::Endpoints& ends = kClientToUs) {
    std::vector<std::byte> frame(kUdpFrameOverhead + payload.size());
    UdpTemplate(ends).write(frame, payload.size());
    store_bytes(frame, kUdpFrameOverhead, std::as_bytes(std::span(payload)));
    return frame;
}

DropReason parsed(const std::vector<std::byte>& frame) {
    // Exactly sized copy on the heap: the address sanitizer sees a read one byte past the end.
    Datagram out;
    return parse_datagram(std::vector<std::byte>(frame), kSelf, out);
}

void fix_ip_checksum(std::vector<std::byte>& frame) {
    store(frame, kIp + offsetof(Ipv4Header, checksum), std::uint16_t{0});
    ChecksumSum sum;
    sum.add(std::span(frame).subspan(kIp, sizeof(Ipv4Header)));
    store(frame, kIp + offsetof(Ipv4Header, checksum), sum.checksum());
}

TEST(ParseDatagram, TakesApartWhatUdpTemplateWrites) {
    for (const bool with_checksum : {false, true}) {
        for (const char* payload : {"", "a", "hello", "netboot!"}) {
            auto frame = frame_with(payload);
            if (with_checksum) add_udp_checksum(frame);
            Datagram out;
            ASSERT_EQ(parse_datagram(frame, kSelf, out), DropReason::none);
            EXPECT_EQ(as_text(out.payload), payload);
            EXPECT_EQ(out.source, kClientToUs.source);
            EXPECT_EQ(out.source_port, 1024);
            EXPECT_EQ(out.destination_port, 69);
            EXPECT_EQ(out.source_mac, kClientToUs.source_mac);
        }
    }
}

TEST(ParseDatagram, IgnoresEthernetPadding) {
    auto frame = frame_with("x");
    frame.resize(60, std::byte{0xee});
    Datagram out;
    ASSERT_EQ(parse_datagram(frame, kSelf, out), DropReason::none);
    EXPECT_EQ(out.payload.size(), 1U);
}

TEST(ParseDatagram, EveryTruncationIsADropWithAReason) {
    const auto whole = frame_with("payload");
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_NE(parsed({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}),
                  DropReason::none)
            << length;
    EXPECT_EQ(parsed({whole.begin(), whole.begin() + 13}), DropReason::frame_too_short);
    EXPECT_EQ(parsed({whole.begin(), whole.begin() + 33}), DropReason::ipv4_too_short);
    EXPECT_EQ(parsed({whole.begin(), whole.begin() + 40}), DropReason::ipv4_bad_length);
}

TEST(ParseDatagram, NamesWhatIsWrong) {
    struct Case {
        const char* what;
        DropReason expected;
        std::size_t offset;
        std::uint8_t value;
        bool fix_checksum;
    };
    const Case cases[] = {
        {"source is a group", DropReason::frame_bad_source, 6, 0x03, false},
        {"another station's", DropReason::frame_not_for_us, 5, 0x77, false},
        {"ARP", DropReason::ethertype_unknown, 13, 0x06, false},
        {"IPv6 version", DropReason::ipv4_bad_version, kIp, 0x65, true},
        {"IHL 4", DropReason::ipv4_bad_header_length, kIp, 0x44, true},
        {"IHL beyond the frame", DropReason::ipv4_bad_header_length, kIp, 0x4f, true},
        {"total length below header", DropReason::ipv4_bad_length, kIp + 3, 19, true},
        {"total length beyond frame", DropReason::ipv4_bad_length, kIp + 3, 200, true},
        {"checksum", DropReason::ipv4_bad_checksum, kIp + 8, 63, false},
        {"multicast source", DropReason::ipv4_bad_source, kIp + 12, 224, true},
        {"loopback source", DropReason::ipv4_bad_source, kIp + 12, 127, true},
        {"more fragments", DropReason::ipv4_fragment, kIp + 6, 0x20, true},
        {"fragment offset", DropReason::ipv4_fragment, kIp + 7, 0x01, true},
        {"another host", DropReason::ipv4_not_for_us, kIp + 19, 9, true},
        {"TCP", DropReason::ipv4_protocol_unknown, kIp + 9, 6, true},
        {"UDP length below 8", DropReason::udp_bad_length, kUdp + 5, 7, false},
        {"UDP length beyond packet", DropReason::udp_bad_length, kUdp + 5, 99, false},
        {"UDP checksum", DropReason::udp_bad_checksum, kUdp + 7, 0x5a, false},
    };
    for (const auto& test : cases) {
        auto frame = frame_with("payload");
        frame[test.offset] = std::byte{test.value};
        if (test.fix_checksum) fix_ip_checksum(frame);
        EXPECT_EQ(to_string(parsed(frame)), to_string(test.expected)) << test.what;
    }
}

TEST(ParseDatagram, SubnetAndLimitedBroadcastAreForUs) {
    for (const char* destination : {"255.255.255.255", "10.77.255.255"}) {
        auto ends = kClientToUs;
        ends.destination = *Ipv4Address::parse(destination);
        ends.destination_mac = kBroadcastMac;
        EXPECT_EQ(parsed(frame_with("x", ends)), DropReason::none) << destination;
    }
}

TEST(ParseDatagram, AcceptsAChecksumLeftToHardwareByALocalSender) {
    auto frame = frame_with("payload");
    ChecksumSum pseudo;
    pseudo.add(std::span(frame).subspan(kIp + 12, 8));
    pseudo.add_word(byte_swap(std::uint16_t{kProtocolUdp}));
    pseudo.add_word(byte_swap(std::uint16_t{sizeof(UdpHeader) + 7}));
    store(frame, kUdp + offsetof(UdpHeader, checksum), pseudo.folded());
    EXPECT_EQ(parsed(frame), DropReason::none);
}

TEST(UdpTemplate, HeaderChecksumHoldsForEveryLength) {
    const UdpTemplate headers(kClientToUs);
    std::vector<std::byte> frame(1518);
    for (std::size_t length = 0; length <= 1472; ++length) {
        EXPECT_EQ(headers.write(frame, length), kUdpFrameOverhead + length);
        ChecksumSum sum;
        sum.add(std::span(frame).subspan(kIp, sizeof(Ipv4Header)));
        ASSERT_EQ(sum.folded(), 0xffff) << length;
    }
}

TEST(ChecksumSum, AgreesWithTheDefinitionOnRandomBytes) {
    std::mt19937 random(1);
    for (int round = 0; round < 500; ++round) {
        std::vector<std::byte> bytes(random() % 1500);
        for (auto& byte : bytes) byte = static_cast<std::byte>(random());
        std::uint32_t expected = 0;
        for (std::size_t i = 0; i < bytes.size(); i += 2) {
            expected += std::to_integer<std::uint32_t>(bytes[i]) << 8;
            if (i + 1 < bytes.size()) expected += std::to_integer<std::uint32_t>(bytes[i + 1]);
        }
        while ((expected >> 16) != 0) expected = (expected & 0xffff) + (expected >> 16);
        ChecksumSum sum;
        sum.add(bytes);
        ASSERT_EQ(byte_swap(sum.folded()), expected);
    }
}

}  // namespace
}  // namespace rouse::wire
