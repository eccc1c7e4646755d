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

TEST(IpAddress, HoldsBothFamilies) {
    const IpAddress v4 = *Ipv4Address::parse("10.77.0.9");
    EXPECT_EQ(v4.to_string(), "10.77.0.9");
    EXPECT_EQ(v4.v4(), Ipv4Address::parse("10.77.0.9"));
    const auto v6 = IpAddress::parse("fe80::1");
    ASSERT_TRUE(v6);
    EXPECT_FALSE(v6->v4());
    EXPECT_EQ(v6->to_string(), "fe80::1");
}

}  // namespace
}  // namespace rouse
