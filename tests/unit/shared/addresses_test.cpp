#include "shared/addresses.hpp"

#include <gtest/gtest.h>

namespace rouse {
namespace {

TEST(MacAddress, ParsesBothSeparatorsAndAnyCase) {
    const MacAddress expected{{0x52, 0x54, 0x00, 0xab, 0xcd, 0xef}};
    EXPECT_EQ(MacAddress::parse("52:54:00:ab:cd:ef"), expected);
    EXPECT_EQ(MacAddress::parse("52-54-00-AB-CD-EF"), expected);
    EXPECT_EQ(expected.to_string(), "52:54:00:ab:cd:ef");
}

TEST(MacAddress, RefusesWhatIsNotOne) {
    for (const char* text : {"", "52:54:00:ab:cd", "52:54:00:ab:cd:e", "52:54:00:ab:cd:eg",
                             "52:54-00:ab:cd:ef", "52:54:00:ab:cd:ef:", "5254.00ab.cdef"})
        EXPECT_FALSE(MacAddress::parse(text)) << text;
}

TEST(Ipv4Prefix, RefusesHostBits) {
    EXPECT_TRUE(Ipv4Prefix::parse("10.77.0.0/16"));
    EXPECT_FALSE(Ipv4Prefix::parse("10.77.0.1/16"));
    EXPECT_FALSE(Ipv4Prefix::parse("10.77.0.0/33"));
    EXPECT_FALSE(Ipv4Prefix::parse("10.77.0.0"));
    EXPECT_FALSE(Ipv4Prefix::parse("10.77.0.0/1x"));
}

TEST(Ipv4Prefix, ContainsItsOwnAndNoOther) {
    const auto prefix = *Ipv4Prefix::parse("10.77.0.0/16");
    EXPECT_TRUE(prefix.contains(*Ipv4Address::parse("10.77.255.255")));
    EXPECT_FALSE(prefix.contains(*Ipv4Address::parse("10.78.0.0")));
    EXPECT_EQ(prefix.broadcast().to_string(), "10.77.255.255");
    EXPECT_TRUE((Ipv4Prefix{}).contains(*Ipv4Address::parse("1.2.3.4")));
}

TEST(Ipv6Address, ParsesWhatItPrints) {
    for (const char* text : {"::", "::1", "fe80::1", "ff02::1:2", "2001:db8:0:1:2:3:4:5"})
        EXPECT_EQ(Ipv6Address::parse(text)->to_string(), text);
    for (const char* text : {"", "1", "10.0.0.1", "fe80::1%eth0", "[::1]", "::1::", "2001:db8::g", "::1/128"})
        EXPECT_FALSE(Ipv6Address::parse(text)) << text;
}

TEST(Ipv6Address, KnowsItsKind) {
    EXPECT_TRUE(Ipv6Address::parse("::")->is_zero());
    EXPECT_TRUE(Ipv6Address::parse("::1")->is_loopback());
    EXPECT_TRUE(Ipv6Address::parse("ff05::1:3")->is_multicast());
    EXPECT_TRUE(Ipv6Address::parse("febf::1")->is_link_local());
    EXPECT_FALSE(Ipv6Address::parse("fec0::1")->is_link_local());
    EXPECT_FALSE(Ipv6Address::parse("2001:db8::1")->is_multicast());
}

TEST(Ipv6Prefix, RefusesHostBitsAndForeignText) {
    EXPECT_TRUE(Ipv6Prefix::parse("2001:db8::/32"));
    EXPECT_TRUE(Ipv6Prefix::parse("::/0"));
    for (const char* text : {"2001:db8::1/64", "2001:db8::/129", "2001:db8::", "2001:db8::/6x", "10.0.0.0/8",
                             "2001:db8::8/125x"})
        EXPECT_FALSE(Ipv6Prefix::parse(text)) << text;
    EXPECT_EQ(Ipv6Prefix::parse("2001:db8::/61")->to_string(), "2001:db8::/61");
    EXPECT_FALSE((Ipv6Prefix{*Ipv6Address::parse("2001:db8::"), 200}).is_valid());
}

TEST(Ipv6Prefix, ContainsItsOwnAndNoOther) {
    for (std::uint8_t length = 1; length <= 128; ++length) {
        Ipv6Address inside = *Ipv6Address::parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        Ipv6Prefix prefix{{}, length};
        for (std::size_t bit = 0; bit < length; ++bit)
            prefix.address.octets[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
        EXPECT_TRUE(prefix.is_valid()) << prefix.to_string();
        EXPECT_TRUE(prefix.contains(inside)) << prefix.to_string();
        const std::size_t last = length - 1U;
        inside.octets[last / 8] ^= static_cast<std::uint8_t>(0x80 >> last % 8);
        EXPECT_FALSE(prefix.contains(inside)) << prefix.to_string();
    }
}

TEST(IpAddress, HoldsBothFamilies) {
    const IpAddress v4 = *Ipv4Address::parse("10.77.0.9");
    EXPECT_EQ(v4.to_string(), "10.77.0.9");
    EXPECT_EQ(v4.v4(), Ipv4Address::parse("10.77.0.9"));
    const auto v6 = IpAddress::parse("fe80::1");
    ASSERT_TRUE(v6);
    EXPECT_FALSE(v6->v4());
    EXPECT_EQ(v6->to_string(), "fe80::1");
    EXPECT_EQ(*v6, IpAddress(*Ipv6Address::parse("fe80::1")));
}

}  // namespace
}  // namespace rouse
