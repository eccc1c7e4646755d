#include "dataplane/dhcp/message.hpp"

#include "dataplane/wire/udp.hpp"
#include "tests/support/dhcp_builder.hpp"
#include "tests/support/pcap.hpp"

#include <map>

#include <gtest/gtest.h>

namespace rouse::dhcp {
namespace {

using test::DhcpBuilder;
using wire::DhcpOption;
using wire::DhcpType;

DropReason parsed(const std::vector<std::byte>& payload, Message* out = nullptr) {
    static std::vector<std::byte> kept;  // the message's spans lie in it
    kept = payload;
    kept.shrink_to_fit();
    Message message;
    const auto drop = parse(kept, message);
    if (out != nullptr) *out = message;
    return drop;
}

// Every DHCP request of a captured client, as the worker would see it.
std::vector<Message> messages_of(const std::string& capture, std::vector<std::vector<std::byte>>& frames) {
    frames = test::read_pcap(std::string(ROUSE_FIXTURES) + "/" + capture);
    std::vector<Message> messages;
    for (const auto& frame : frames) {
        wire::Datagram datagram;
        const wire::Self self{.mac = kBroadcastMac, .address = kBroadcastIpv4, .subnet = {}};
        if (wire::parse_datagram(frame, self, datagram) != DropReason::none) continue;
        if (datagram.destination_port != wire::kDhcpServerPort) continue;
        Message message;
        EXPECT_EQ(parse(datagram.payload, message), DropReason::none) << capture;
        messages.push_back(message);
    }
    return messages;
}

TEST(Parse, RealClientsAreUnderstoodAndClassified) {
    struct Case {
        const char* capture;
        ClientKind first;
        std::uint16_t architecture;
        std::string_view vendor_class;
    };
    for (const auto& expected :
         {Case{"a_seabios_ipxerom_pxelinux.pcap", ClientKind::ipxe, 0, "PXEClient:Arch:00000"},
          Case{"b_ovmf_pxe_grub.pcap", ClientKind::pxe, 7, "PXEClient:Arch:00007"},
          Case{"d_ovmf_ipxeefi.pcap", ClientKind::pxe, 7, "PXEClient:Arch:00007"},
          Case{"e_uboot.pcap", ClientKind::uboot, 22, "U-Boot.armv8"}}) {
        std::vector<std::vector<std::byte>> frames;
        const auto messages = messages_of(expected.capture, frames);
        ASSERT_FALSE(messages.empty()) << expected.capture;
        EXPECT_EQ(messages[0].type, DhcpType::discover) << expected.capture;
        EXPECT_EQ(classify(messages[0]), expected.first) << expected.capture;
        EXPECT_EQ(messages[0].architecture, expected.architecture) << expected.capture;
        EXPECT_TRUE(messages[0].vendor_class.starts_with(expected.vendor_class)) << messages[0].vendor_class;
    }
}

TEST(Parse, HttpBootAndChainedIpxeAreSeen) {
    std::map<ClientKind, int> kinds;
    for (const char* capture : {"c_ovmf_http.pcap", "d_ovmf_ipxeefi.pcap"}) {
        std::vector<std::vector<std::byte>> frames;
        for (const auto& message : messages_of(capture, frames)) ++kinds[classify(message)];
    }
    EXPECT_GT(kinds[ClientKind::http], 0);
    EXPECT_GT(kinds[ClientKind::ipxe], 0);
    EXPECT_GT(kinds[ClientKind::pxe], 0);
}

TEST(Parse, EveryTruncationOfAMessageIsADropOrShorter) {
    const auto whole = DhcpBuilder(DhcpType::discover)
                           .ipxe(7)
                           .option(DhcpOption::maximum_message_size, be16(1472))
                           .payload();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto drop = parsed({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
        if (length < sizeof(wire::DhcpHeader)) {
            EXPECT_EQ(drop, DropReason::dhcp_too_short) << length;
        } else {
            EXPECT_TRUE(drop == DropReason::none || drop == DropReason::dhcp_bad_option ||
                        drop == DropReason::dhcp_no_message_type)
                << length << to_string(drop);
        }
    }
}

TEST(Parse, NamesWhatIsWrong) {
    const auto expect = [](DhcpBuilder builder, DropReason reason) {
        EXPECT_EQ(to_string(parsed(builder.payload())), to_string(reason));
    };
    auto builder = DhcpBuilder(DhcpType::discover);
    builder.header.op = wire::kBootReply;
    expect(builder, DropReason::dhcp_not_request);
    builder = DhcpBuilder(DhcpType::discover);
    builder.header.hardware_length = 16;
    expect(builder, DropReason::dhcp_bad_hardware);
    builder = DhcpBuilder(DhcpType::discover, MacAddress{});
    expect(builder, DropReason::dhcp_bad_source);
    builder = DhcpBuilder(DhcpType::discover, kBroadcastMac);
    expect(builder, DropReason::dhcp_bad_source);
    builder = DhcpBuilder(DhcpType::discover);
    builder.header.cookie = 1;
    expect(builder, DropReason::dhcp_bad_cookie);
    expect(DhcpBuilder(DhcpType::none), DropReason::dhcp_no_message_type);
    expect(DhcpBuilder(DhcpType::discover).byte(60).byte(200), DropReason::dhcp_bad_option);
    expect(DhcpBuilder(DhcpType::discover).text(DhcpOption::requested_address, "abc"),
           DropReason::dhcp_bad_option);
    expect(DhcpBuilder(DhcpType::discover).text(DhcpOption::client_architecture, "a"),
           DropReason::dhcp_bad_option);
    expect(DhcpBuilder(DhcpType::discover).option(DhcpOption::overload, std::uint8_t{9}),
           DropReason::dhcp_bad_option);
}

TEST(Parse, ReadsOptionsFromOverloadedFields) {
    auto builder = DhcpBuilder(DhcpType::request);
    builder.option(DhcpOption::overload, std::uint8_t{3});
    builder.header.file = {
        static_cast<char>(DhcpOption::requested_address), 4, 10, 77, 0, 9, static_cast<char>(255)};
    builder.header.server_name = {
        static_cast<char>(DhcpOption::server_identifier), 4, 10, 77, 0, 1, static_cast<char>(255)};
    Message message;
    ASSERT_EQ(parsed(builder.payload(), &message), DropReason::none);
    EXPECT_EQ(message.requested_address, Ipv4Address::parse("10.77.0.9"));
    EXPECT_EQ(message.server_identifier, Ipv4Address::parse("10.77.0.1"));
}

TEST(Parse, MaximumSizeNeverFallsBelowWhatEveryClientTakes) {
    Message message;
    ASSERT_EQ(
        parsed(DhcpBuilder(DhcpType::discover).option(DhcpOption::maximum_message_size, be16(64)).payload(),
               &message),
        DropReason::none);
    EXPECT_EQ(message.maximum_datagram, wire::kDefaultMaximumDatagram);
}

}  // namespace
}  // namespace rouse::dhcp
