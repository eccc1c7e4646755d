#include "dataplane/dhcp6/boot_url.hpp"

#include <gtest/gtest.h>

namespace rouse::dhcp6 {
namespace {

const Ipv6Address kServer = *Ipv6Address::parse("2001:db8:77::1");

TEST(BootUrl, HasTheFormThatFirmwareTakes) {
    EXPECT_EQ(BootUrl::tftp(kServer, "ipxe.efi").view(), "tftp://[2001:db8:77::1]/ipxe.efi");
    EXPECT_EQ(BootUrl::http(kServer, 80, "uefi/ipxe.efi").view(),
              "http://[2001:db8:77::1]/boot/uefi/ipxe.efi");
    EXPECT_EQ(BootUrl::http(kServer, 8080, "a").view(), "http://[2001:db8:77::1]:8080/boot/a");
}

TEST(BootUrl, EncodesWhatAUrlCannotHold) {
    EXPECT_EQ(BootUrl::tftp(kServer, "a b%;\xc3\xa4?#").view(),
              "tftp://[2001:db8:77::1]/a%20b%25%3B%C3%A4%3F%23");
    EXPECT_EQ(BootUrl::tftp(kServer, "Az09-._~/").view(), "tftp://[2001:db8:77::1]/Az09-._~/");
}

TEST(BootUrl, HasRoomForTheLongestOfAll) {
    const Ipv6Address longest = *Ipv6Address::parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    const std::string name(store::ImageName::kMaxLength, ' ');
    EXPECT_EQ(BootUrl::http(longest, 65535, name).view().size(), 7U + 41U + 6U + 6U + 3U * name.size());
    EXPECT_TRUE(BootUrl::http(longest, 65535, name + "x").view().empty());
    EXPECT_TRUE(BootUrl::tftp(longest, "").view().empty());
}

}  // namespace
}  // namespace rouse::dhcp6
