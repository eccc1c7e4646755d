#include "mgmt/boot/loader_config.hpp"

#include "shared/store/records.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace rouse::boot {
namespace {

using nlohmann::json;
using testing::Contains;

const json kProfile = {{"name", "live"},
                       {"loaders", {{"x64-uefi", "deb/amd64/bootnetx64.efi"}, {"bios", "pxelinux.0"}}},
                       {"kernel", "deb/vmlinuz"},
                       {"initrds", {"deb/initrd.img", "my files/it's.img"}}};

// The one with NAME among its names, around "LINE".
std::string text_for(const json& profile, const std::string& name) {
    for (const auto& config : loader_configs(profile))
        if (std::count(config.names.begin(), config.names.end(), name) > 0)
            return config.before + "LINE" + config.after;
    return {};
}

TEST(LoaderConfig, SaysEverythingInIpxesWords) {
    EXPECT_EQ(text_for(kProfile, "boot.ipxe"),
              "#!ipxe\n"
              ":start\n"
              "isset ${next-server} || dhcp || goto failed\n"
              "echo rouse: ${hostname} boots profile live\n"
              "kernel tftp://${next-server}/deb/vmlinuz initrd=initrd0 initrd=initrd1 LINE || goto failed\n"
              "initrd --name initrd0 tftp://${next-server}/deb/initrd.img || goto failed\n"
              "initrd --name initrd1 tftp://${next-server}/my%20files/it%27s.img || goto failed\n"
              "boot || goto failed\n"
              ":failed\n"
              "echo rouse: ${hostname} could not load its kernel or ramdisk (the line above says which).\n"
              "echo rouse: see what is missing with: rousectl timeline ${mac}\n"
              "echo rouse: trying again in 10 seconds.\n"
              "imgfree\n"
              "sleep 10\n"
              "goto start\n");
    EXPECT_EQ(text_for(kProfile, "deb/amd64/autoexec.ipxe"), text_for(kProfile, "boot.ipxe"));
}

TEST(LoaderConfig, SaysItInPxelinuxs) {
    EXPECT_EQ(text_for(kProfile, std::string("pxelinux.cfg/01-") + store::kOwnAddress),
              "DEFAULT rouse\n"
              "PROMPT 0\n"
              "TIMEOUT 100\n"
              "ONTIMEOUT rouse\n"
              "LABEL rouse\n"
              "SAY rouse: boots profile live\n"
              "LINUX ::deb/vmlinuz\n"
              "INITRD ::deb/initrd.img,::my files/it's.img\n"
              "APPEND LINE\n");
    EXPECT_EQ(text_for(kProfile, "deb/amd64/pxelinux.cfg/default"),
              text_for(kProfile, "pxelinux.cfg/default"));
}

TEST(LoaderConfig, SaysItInGrubs) {
    const std::string text = text_for(kProfile, "debian-installer/amd64/grub/grub.cfg");
    EXPECT_EQ(text,
              "set rouse_line='LINE'\n"
              "while true; do\n"
              "  echo 'rouse: boots profile live'\n"
              "  if linux '/deb/vmlinuz' $rouse_line; then\n"
              "    if initrd '/deb/initrd.img' '/my files/it'\\''s.img'; then boot; fi\n"
              "  fi\n"
              "  echo 'rouse: the kernel or ramdisk could not be loaded (the line above says which).'\n"
              "  echo \"rouse: see what is missing with: rousectl timeline $net_default_mac\"\n"
              "  echo 'rouse: trying again in 10 seconds.'\n"
              "  sleep 10\n"
              "done\n");
    for (const std::string directory : {"", "grub/", "boot/grub/", "deb/amd64/", "deb/amd64/grub/"})
        EXPECT_EQ(text_for(kProfile, directory + "grub.cfg-01-" + store::kOwnAddress), text) << directory;
}

TEST(LoaderConfig, NeedsAKernelAndCanDoWithoutRamdisks) {
    EXPECT_TRUE(loader_configs({{"name", "a"}, {"loaders", {{"bios", "pxelinux.0"}}}}).empty());
    const json bare = {{"name", "a"}, {"kernel", "k"}};
    EXPECT_EQ(loader_configs(bare).size(), 3U);
    for (const auto& config : loader_configs(bare))
        EXPECT_EQ((config.before + config.after).find("nitrd"), std::string::npos) << config.before;
}

}  // namespace
}  // namespace rouse::boot
