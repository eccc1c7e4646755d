#include "dataplane/dhcp6/identity.hpp"

#include "tests/support/hex.hpp"
#include "tests/unit/dhcp6/received.hpp"

#include <gtest/gtest.h>

namespace rouse::dhcp6 {
namespace {

using test::Dhcp6Builder;
using test::from_hex;
using wire::Dhcp6Option;
using wire::Dhcp6Type;

const MacAddress kInDuid{{0x52, 0x54, 0, 0xaa, 0, 0x10}};
const MacAddress kToldByRelay{{0x52, 0x54, 0, 0xaa, 0, 0x20}};
constexpr const char* kEui64Peer = "fe80::5054:ff:feaa:30";

std::vector<std::byte> option_79(const char* hex) {
    return test::dhcp6_option(Dhcp6Option::client_link_layer, from_hex(hex));
}

TEST(MacInDuid, IsReadFromLinkLayerTypesOfEthernetOnly) {
    const auto mac = [](const char* hex) { return mac_in_duid(from_hex(hex)); };
    EXPECT_EQ(mac("0001000131d8ed81525400aa0010"), kInDuid);
    EXPECT_EQ(mac("00030001525400aa0010"), kInDuid);
    EXPECT_FALSE(mac("00040001525400aa0010525400aa00100000")) << "UUID";
    EXPECT_FALSE(mac("000200000157525400aa0010")) << "enterprise";
    EXPECT_FALSE(mac("00030006525400aa0010")) << "not Ethernet";
    EXPECT_FALSE(mac("00030001525400aa00")) << "too short";
    EXPECT_FALSE(mac("00030001525400aa001000")) << "too long";
    EXPECT_FALSE(mac("00030001535400aa0010")) << "a group";
    EXPECT_FALSE(mac("00030001000000000000")) << "zero";
    for (const char* hex : {"", "00", "0003", "000300", "00030001", "000100013"})
        EXPECT_FALSE(mac_in_duid(wire::ConstBytes(
            from_hex(std::string_view(hex).substr(0, std::string_view(hex).size() / 2 * 2)))));
}

TEST(MacOf, HeardDirectlyIsTheFramesSender) {
    const Received received(Dhcp6Builder(Dhcp6Type::solicit).client(kInDuid));
    EXPECT_EQ(mac_of(received.message), Dhcp6Builder::kMac) << "a DUID may name another interface";
}

TEST(MacOf, ThroughRelaysTheNearestOnesWordThenTheDuidThenTheAddress) {
    const auto relayed = [](Dhcp6Builder builder, std::vector<std::byte> options, const char* peer) {
        const Received received(builder.relayed(0, "2001:db8::1", peer, options));
        EXPECT_EQ(received.drop, DropReason::none);
        return mac_of(received.message);
    };
    const auto client = [](const MacAddress& mac) { return Dhcp6Builder(Dhcp6Type::solicit).client(mac); };
    const auto nameless = Dhcp6Builder(Dhcp6Type::solicit)
                              .raw(Dhcp6Option::client_id, from_hex("0004aabbccddeeff00112233445566778899"));
    const auto told = option_79("0001525400aa0020");

    EXPECT_EQ(relayed(client(kInDuid), told, kEui64Peer), kToldByRelay);
    EXPECT_EQ(relayed(client(kInDuid), {}, kEui64Peer), kInDuid);
    EXPECT_EQ(relayed(nameless, told, kEui64Peer), kToldByRelay);
    EXPECT_EQ(relayed(nameless, {}, kEui64Peer), (MacAddress{{0x52, 0x54, 0, 0xaa, 0, 0x30}}));
    EXPECT_FALSE(relayed(nameless, {}, "fe80::1"));
    EXPECT_FALSE(relayed(nameless, {}, "2001:db8::5054:ff:feaa:30")) << "not link-local";
    EXPECT_EQ(relayed(client(kInDuid), option_79("0006525400aa0020"), kEui64Peer), kInDuid) << "not Ethernet";
    EXPECT_EQ(relayed(client(kInDuid), option_79("0001525400aa00"), kEui64Peer), kInDuid) << "too short";
    EXPECT_EQ(relayed(client(kInDuid), option_79("0001535400aa0020"), kEui64Peer), kInDuid) << "a group";
}

TEST(MacOf, ARelayFurtherAwaySpeaksForItselfOnly) {
    auto builder = Dhcp6Builder(Dhcp6Type::solicit).client(kInDuid);
    builder.relayed(0, "::", kEui64Peer);
    builder.relayed(1, "2001:db8::1", "fe80::99", option_79("0001525400aa0020"));
    EXPECT_EQ(mac_of(Received(builder).message), kInDuid);
}

TEST(ServerDuid, IsShortAndNamesTheAddress) {
    EXPECT_EQ(test::to_hex(server_duid(kInDuid)), "00030001525400aa0010");
    EXPECT_EQ(mac_in_duid(server_duid(kInDuid)), kInDuid);
}

}  // namespace
}  // namespace rouse::dhcp6
