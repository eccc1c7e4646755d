#include "dataplane/dhcp6/message.hpp"

#include "tests/support/hex.hpp"
#include "tests/support/pcap.hpp"
#include "tests/unit/dhcp6/received.hpp"

#include <gtest/gtest.h>

namespace rouse::dhcp6 {
namespace {

using test::Dhcp6Builder;
using wire::Dhcp6Option;
using wire::Dhcp6Type;

// Every DHCPv6 message of a captured client, as the worker would see it.
std::vector<std::vector<std::byte>> payloads_of(const char* capture) {
    std::vector<std::vector<std::byte>> payloads;
    const wire::Self6 self(MacAddress{{2, 0, 0, 0, 0, 0xfe}});
    for (const auto& frame : test::read_pcap(std::string(ROUSE_FIXTURES) + "/" + capture)) {
        wire::Packet6 packet;
        wire::Datagram6 datagram;
        if (wire::parse_packet6(frame, self, packet) != DropReason::none) continue;
        if (packet.next_header != 17 || wire::parse_datagram6(packet, datagram) != DropReason::none) continue;
        payloads.emplace_back(datagram.payload.begin(), datagram.payload.end());
    }
    return payloads;
}

TEST(Parse, FirmwareSolicitsForPxe) {
    const auto payloads = payloads_of("m_ovmf_v6.pcap");
    ASSERT_EQ(payloads.size(), 10U);
    const Received received(payloads[0]);
    const Message& message = received.message;
    ASSERT_EQ(received.drop, DropReason::none);
    EXPECT_EQ(message.type, Dhcp6Type::solicit);
    EXPECT_EQ(message.transaction, (std::array<std::uint8_t, 3>{0x7b, 0x3d, 0x91}));
    EXPECT_EQ(test::to_hex(message.client_id), "0001000131d8ed81525400aa0010");
    EXPECT_EQ(message.architecture, 7);
    EXPECT_TRUE(message.vendor_class.starts_with("PXEClient:Arch:00007"));
    EXPECT_TRUE(message.wants(Dhcp6Option::boot_file_url));
    EXPECT_TRUE(message.wants(Dhcp6Option::boot_file_parameters));
    EXPECT_TRUE(message.wants(Dhcp6Option::dns_servers));
    EXPECT_FALSE(message.wants(Dhcp6Option::preference));
    EXPECT_FALSE(message.rapid_commit);
    ASSERT_EQ(message.associations().size(), 1U);
    EXPECT_EQ(message.associations()[0].id, be32(0xba57dffa));
    EXPECT_EQ(classify(message), ClientKind::pxe);
    EXPECT_TRUE(message.to_group);
    EXPECT_FALSE(message.relayed());
}

TEST(Parse, FirmwaresAddressConfigurationIsNoBootClient) {
    const Received received(payloads_of("m_ovmf_v6.pcap")[1]);
    ASSERT_EQ(received.drop, DropReason::none);
    EXPECT_EQ(received.message.architecture, kArchitectureUnknown);
    EXPECT_EQ(classify(received.message), ClientKind::system);
    EXPECT_EQ(Received(payloads_of("m_ovmf_v6.pcap")[2]).message.elapsed, 200);
}

TEST(Parse, EveryCapturedMessageIsTaken) {
    for (const char* capture : {"m_ovmf_v6.pcap", "c_ovmf_http.pcap"})
        for (const auto& payload : payloads_of(capture)) EXPECT_EQ(Received(payload).drop, DropReason::none);
}

TEST(Classify, ByWhatTheClientSaysOfItself) {
    const auto kind = [](auto describe) {
        Dhcp6Builder builder(Dhcp6Type::solicit);
        describe(builder);
        const Received received(builder);
        EXPECT_EQ(received.drop, DropReason::none);
        return classify(received.message);
    };
    EXPECT_EQ(kind([](auto& b) { b.firmware("PXEClient:Arch:00007", 7).user_class("iPXE"); }),
              ClientKind::ipxe);
    EXPECT_EQ(kind([](auto& b) { b.firmware("HTTPClient:Arch:00016", 16); }), ClientKind::http);
    EXPECT_EQ(kind([](auto& b) { b.firmware("PXEClient:Arch:00007", 7); }), ClientKind::pxe);
    EXPECT_EQ(kind([](auto& b) { b.option(Dhcp6Option::client_architecture, be16(11)); }), ClientKind::pxe);
    EXPECT_EQ(kind([](auto& b) { b.option(Dhcp6Option::client_architecture, be16(22)); }), ClientKind::uboot);
    EXPECT_EQ(kind([](auto& b) { b.vendor_class("U-Boot.armv8"); }), ClientKind::uboot);
    EXPECT_EQ(kind([](auto& b) { b.vendor_class("dhcpcd-9.4"); }), ClientKind::system);
    EXPECT_EQ(kind([](auto&) {}), ClientKind::system);
}

TEST(Parse, TakesEveryAddressOfAnAssociation) {
    const Received received(Dhcp6Builder(Dhcp6Type::renew)
                                .ia_na(7, {"2001:db8::9", "2001:db8::a"})
                                .association(Dhcp6Option::ia_ta, 8, {"2001:db8::b"})
                                .association(Dhcp6Option::ia_pd, 9));
    ASSERT_EQ(received.drop, DropReason::none);
    const auto associations = received.message.associations();
    ASSERT_EQ(associations.size(), 3U);
    wire::Dhcp6OptionReader first(associations[0].options);
    EXPECT_EQ(next_address(first)->to_string(), "2001:db8::9");
    EXPECT_EQ(next_address(first)->to_string(), "2001:db8::a");
    EXPECT_FALSE(next_address(first));
    wire::Dhcp6OptionReader second(associations[1].options);
    EXPECT_EQ(next_address(second)->to_string(), "2001:db8::b");
    EXPECT_EQ(associations[1].id, be32(8));
    EXPECT_EQ(associations[2].kind, Dhcp6Option::ia_pd);
}

TEST(Parse, EveryTruncationIsADropOrShorter) {
    auto builder = Dhcp6Builder(Dhcp6Type::request)
                       .client()
                       .ia_na(1, {"2001:db8::9"})
                       .firmware("PXEClient:Arch:00007", 7)
                       .user_class("iPXE")
                       .wants({Dhcp6Option::dns_servers, Dhcp6Option::boot_file_url})
                       .option(Dhcp6Option::elapsed_time, be16(0));
    for (const bool relayed : {false, true}) {
        if (relayed) builder.relayed(0, "2001:db8::1", "fe80::1");
        const auto whole = builder.payload();
        int none = 0;
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const auto drop =
                Received({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}).drop;
            EXPECT_TRUE(drop == DropReason::none || drop == DropReason::dhcp6_bad_option ||
                        drop == DropReason::dhcp6_too_short || drop == DropReason::dhcp6_bad_relay)
                << length << to_string(drop);
            none += drop == DropReason::none;
        }
        EXPECT_EQ(none, relayed ? 0 : 7) << "only between options is a cut no fault";
    }
}

TEST(Parse, NamesWhatIsWrong) {
    const auto expect = [](const Dhcp6Builder& builder, DropReason reason, const char* what) {
        EXPECT_EQ(to_string(Received(builder).drop), to_string(reason)) << what;
    };
    const auto with = [](Dhcp6Option code, std::size_t length) {
        return Dhcp6Builder(Dhcp6Type::solicit).raw(code, std::vector<std::byte>(length));
    };
    EXPECT_EQ(Received(std::vector<std::byte>(3)).drop, DropReason::dhcp6_too_short);
    expect(with(Dhcp6Option::client_id, 2), DropReason::dhcp6_bad_client_id, "a type and nothing else");
    expect(with(Dhcp6Option::client_id, 131), DropReason::dhcp6_bad_client_id, "too long");
    expect(with(Dhcp6Option::client_id, 130), DropReason::none, "the longest");
    expect(with(Dhcp6Option::client_id, 14).client(), DropReason::dhcp6_bad_client_id, "twice");
    expect(with(Dhcp6Option::server_id, 0), DropReason::dhcp6_bad_option, "server id");
    expect(with(Dhcp6Option::option_request, 3), DropReason::dhcp6_bad_option, "option request");
    expect(with(Dhcp6Option::elapsed_time, 1), DropReason::dhcp6_bad_option, "elapsed time");
    expect(with(Dhcp6Option::rapid_commit, 1), DropReason::dhcp6_bad_option, "rapid commit");
    expect(with(Dhcp6Option::client_architecture, 0), DropReason::dhcp6_bad_option, "no architecture");
    expect(with(Dhcp6Option::client_architecture, 3), DropReason::dhcp6_bad_option, "half an architecture");
    expect(with(Dhcp6Option::user_class, 1), DropReason::dhcp6_bad_option, "user class");
    expect(with(Dhcp6Option::user_class, 2), DropReason::none, "an empty user class");
    expect(Dhcp6Builder(Dhcp6Type::solicit).option(Dhcp6Option::user_class, std::array{be16(3), be16(0)}),
           DropReason::dhcp6_bad_option, "user class runs over");
    expect(with(Dhcp6Option::vendor_class, 3), DropReason::dhcp6_bad_option, "vendor class");
    expect(with(Dhcp6Option::vendor_class, 4), DropReason::none, "enterprise number alone");
    expect(with(Dhcp6Option::vendor_class, 5), DropReason::dhcp6_bad_option, "half a length");
    expect(with(Dhcp6Option::ia_na, 11), DropReason::dhcp6_bad_option, "IA_NA");
    expect(with(Dhcp6Option::ia_ta, 3), DropReason::dhcp6_bad_option, "IA_TA");
    expect(with(Dhcp6Option::ia_pd, 11), DropReason::dhcp6_bad_option, "IA_PD");
    expect(with(Dhcp6Option::ia_na, 13), DropReason::dhcp6_bad_option, "an option cut off inside");
    std::vector<std::byte> short_address(12 + 4 + 23);
    wire::store(short_address, 12, wire::Dhcp6OptionHeader{5, 23});
    expect(Dhcp6Builder(Dhcp6Type::solicit).raw(Dhcp6Option::ia_na, short_address),
           DropReason::dhcp6_bad_option, "an address cut short");
    Dhcp6Builder many(Dhcp6Type::solicit);
    for (std::uint32_t i = 0; i < Message::kMaxAssociations; ++i) many.ia_na(i);
    expect(many, DropReason::none, "as many as there may be");
    expect(many.ia_na(99), DropReason::dhcp6_too_many_ias, "one more");
}

}  // namespace
}  // namespace rouse::dhcp6
