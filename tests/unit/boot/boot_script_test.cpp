#include "mgmt/boot/boot_script.hpp"

#include <gtest/gtest.h>

namespace rouse::boot {
namespace {

TEST(BootScript, SaysEverythingInIpxesWords) {
    const std::string text = render({.hostname = "node1",
                                     .mac = *MacAddress::parse("02:00:00:00:00:0a"),
                                     .profile = "live",
                                     .kernel = "debian/vmlinuz",
                                     .initrds = {"debian/initrd.img", "my files/initrd.img"},
                                     .cmdline = "console=ttyS0",
                                     .url = "http://10.77.0.1",
                                     .token = "t0ken"});
    EXPECT_EQ(text,
              "#!ipxe\n"
              ":start\n"
              "echo rouse: node1 boots profile live\n"
              "kernel tftp://${next-server}/debian/vmlinuz initrd=initrd0 initrd=initrd1 console=ttyS0 "
              "BOOTIF=01-02-00-00-00-00-0a rouse.mac=02:00:00:00:00:0a rouse.url=http://10.77.0.1 "
              "rouse.token=t0ken || goto failed\n"
              "initrd --name initrd0 tftp://${next-server}/debian/initrd.img || goto failed\n"
              "initrd --name initrd1 tftp://${next-server}/my%20files/initrd.img || goto failed\n"
              "boot || goto failed\n"
              ":failed\n"
              "echo rouse: node1 could not load its kernel or ramdisk (the line above says which).\n"
              "echo rouse: see what is missing with: rousectl timeline node1\n"
              "echo rouse: trying again in 10 seconds.\n"
              "imgfree\n"
              "sleep 10\n"
              "goto start\n");
}

TEST(BootScript, LeavesOutTheTokenWhileNobodyCanBeReached) {
    const std::string text = render({.hostname = "n",
                                     .mac = {},
                                     .profile = "p",
                                     .kernel = "k",
                                     .initrds = {},
                                     .cmdline = {},
                                     .url = {},
                                     .token = "t0ken"});
    EXPECT_EQ(text.find("t0ken"), std::string::npos);
    EXPECT_EQ(text.find("initrd"), std::string::npos);
}

}  // namespace
}  // namespace rouse::boot
