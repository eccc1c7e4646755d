#include "dataplane/dhcp/message.hpp"

#include "dataplane/wire/udp.hpp"
#include "tests/support/dhcp_builder.hpp"
#include "tests/support/pcap.hpp"

#include <map>
#include <memory>

#include <gtest/gtest.h>

namespace rouse::dhcp {
namespace {

using test::DhcpBuilder;
using wire::DhcpOption;
using wire::DhcpType;

// A message and the exactly sized bytes that its spans lie in.
struct Parsed {
    explicit Parsed(std::vector<std::byte> payload)
        : bytes(std::move(payload)), drop(parse(bytes, message)) {}
    std::vector<std::byte> bytes;
    Message message;
    DropReason drop;
};

DropReason parsed(std::vector<std::byte> payload) {
    payload.shrink_to_fit();
    return Parsed(std::move(payload)).drop;
}

// Every DHCP request of a captured client, as the worker would see it.
std::vector<std::unique_ptr<Parsed>> messages_of(const std::string& capture) {
    const auto frames = test::read_pcap(std::string(ROUSE_FIXTURES) + "/" + capture);
    std::vector<std::unique_ptr<Parsed>> messages;
    for (const auto& frame : frames) {
        wire::Datagram datagram;
        const wire::Self self{.mac = kBroadcastMac, .address = kBroadcastIpv4, .subnet = {}};
        if (wire::parse_datagram(frame, self, datagram) != DropReason::none) continue;
        if (datagram.destination_port != wire::kDhcpServerPort) continue;
        messages.push_back(std::make_unique<Parsed>(
            std::vector<std::byte>(datagram.payload.begin(), datagram.payload.end())));
        EXPECT_EQ(messages.back()->drop, DropReason::none) << capture;
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
        const auto messages = messages_of(expected.capture);
        ASSERT_FALSE(messages.empty()) << expected.capture;
        const Message& first = messages[0]->message;
        EXPECT_EQ(first.type, DhcpType::discover) << expected.capture;
        EXPECT_EQ(first.kind, expected.first) << expected.capture;
        EXPECT_EQ(first.architecture, expected.architecture) << expected.capture;
        EXPECT_TRUE(first.vendor_text().starts_with(expected.vendor_class)) << first.vendor_text();
    }
}

TEST(Parse, HttpBootAndChainedIpxeAreSeen) {
    std::map<ClientKind, int> kinds;
    for (const char* capture : {"c_ovmf_http.pcap", "d_ovmf_ipxeefi.pcap"}) {
        for (const auto& parsed : messages_of(capture)) ++kinds[parsed->message.kind];
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
            EXPECT_TRUE(drop == DropReason::none || drop == DropReason::dhcp_bad_option)
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
    expect(DhcpBuilder(DhcpType::none), DropReason::dhcp_bad_option);
    expect(DhcpBuilder(DhcpType::discover).text(DhcpOption::relay_agent, "\x05\x04xx"),
           DropReason::dhcp_bad_option);
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
    const Parsed parsed(builder.payload());
    ASSERT_EQ(parsed.drop, DropReason::none);
    EXPECT_EQ(parsed.message.requested_address, Ipv4Address::parse("10.77.0.9"));
    EXPECT_EQ(parsed.message.server_identifier, Ipv4Address::parse("10.77.0.1"));
    EXPECT_TRUE(parsed.message.requested_file().empty());
}

TEST(Parse, MaximumSizeNeverFallsBelowWhatEveryClientTakes) {
    const Parsed parsed(
        DhcpBuilder(DhcpType::discover).option(DhcpOption::maximum_message_size, be16(64)).payload());
    ASSERT_EQ(parsed.drop, DropReason::none);
    EXPECT_EQ(parsed.message.maximum_datagram, wire::kDefaultMaximumDatagram);
}

TEST(Parse, PartsOfALongOptionAreOneValue) {
    const std::string first(255, 'a');
    const std::string second(200, 'b');
    const Parsed parsed(DhcpBuilder(DhcpType::discover)
                            .text(DhcpOption::vendor_specific, first)
                            .text(DhcpOption::client_identifier, "x")
                            .text(DhcpOption::vendor_specific, second)
                            .text(DhcpOption::client_identifier, "y")
                            .payload());
    ASSERT_EQ(parsed.drop, DropReason::none);
    EXPECT_EQ(wire::as_text(parsed.message.vendor_specific), first + second);
    EXPECT_EQ(wire::as_text(parsed.message.client_identifier), "xy");
}

TEST(Parse, SplittingWithoutEndIsRefused) {
    DhcpBuilder builder(DhcpType::discover);
    for (int i = 0; i < 8; ++i) builder.text(DhcpOption::vendor_specific, std::string(255, 'a'));
    EXPECT_EQ(parsed(builder.payload()), DropReason::dhcp_bad_option);
}

TEST(Parse, RelaySubOptionsAreRead) {
    const std::string agent(
        "\x01\x03"
        "eth\x05\x04\x0a\x4d\x00\x00\x0b\x04\x0a\x4d\x00\x02",
        17);
    DhcpBuilder relayed(DhcpType::discover);
    relayed.header.gateway = *Ipv4Address::parse("10.77.0.3");
    const Parsed parsed(relayed.text(DhcpOption::relay_agent, agent).payload());
    ASSERT_EQ(parsed.drop, DropReason::none);
    EXPECT_EQ(parsed.message.link_selection, Ipv4Address::parse("10.77.0.0"));
    EXPECT_EQ(parsed.message.server_override, Ipv4Address::parse("10.77.0.2"));
}

TEST(Parse, OnlyARelayChoosesLinkAndServer) {
    const std::array<std::uint8_t, 12> relay{5, 4, 10, 77, 0, 0, 11, 4, 10, 77, 0, 2};
    const Parsed direct(DhcpBuilder(DhcpType::discover).option(DhcpOption::relay_agent, relay).payload());
    EXPECT_EQ(direct.drop, DropReason::none);
    EXPECT_FALSE(direct.message.link_selection.has_value());
    EXPECT_FALSE(direct.message.server_override.has_value());
    EXPECT_EQ(direct.message.relay_agent.size(), relay.size());
}

TEST(Parse, OfSeveralArchitecturesTheFirstThatHasALoaderCounts) {
    const auto chosen = [](std::initializer_list<std::uint16_t> list) {
        std::vector<be16> wire(list.begin(), list.end());
        DhcpBuilder builder(DhcpType::discover);
        builder.raw(DhcpOption::client_architecture, std::as_bytes(std::span(wire)));
        return Parsed(builder.payload()).message.architecture;
    };
    EXPECT_EQ(chosen({9}), 9);
    EXPECT_EQ(chosen({12, 7, 11}), 7);
    EXPECT_EQ(chosen({12, 13}), 12);
}

TEST(Parse, NobodyIsSentMoreThanAFrameHolds) {
    const Parsed greedy(
        DhcpBuilder(DhcpType::discover).option(DhcpOption::maximum_message_size, be16(9000)).payload());
    EXPECT_EQ(greedy.message.maximum_datagram, 1500U);
}

TEST(Parse, BootpNeedsNoCookieAndNoType) {
    DhcpBuilder builder(DhcpType::discover);
    builder.header.cookie = 0;
    const Parsed parsed(builder.payload());
    EXPECT_EQ(parsed.drop, DropReason::none);
    EXPECT_EQ(parsed.message.type, DhcpType::none);
}

}  // namespace
}  // namespace rouse::dhcp
