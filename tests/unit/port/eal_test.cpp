// What keeps DPDK from a device, and what is said about it.

#include "dataplane/port/eal.hpp"

#include "dataplane/port/open.hpp"
#include "tests/support/privileges.hpp"
#include "tests/unit/port/dpdk_fixture.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace rouse::port {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

TEST(PciDevice, IsKnownByItsName) {
    EXPECT_TRUE(is_pci_device("0000:03:00.0"));
    EXPECT_TRUE(is_pci_device("03:00.1,representor=[0]"));
    EXPECT_FALSE(is_pci_device("net_tap0,mac=02:00:00:00:00:01"));
    EXPECT_FALSE(is_pci_device("eth0"));
    EXPECT_FALSE(is_pci_device(""));
}

class FakeSysfs : public ::testing::Test {
  protected:
    FakeSysfs() { fs::create_directories(device_); }
    ~FakeSysfs() override { fs::remove_all(root_); }
    void drive_by(const std::string& driver) { fs::create_symlink("/drivers/" + driver, device_ / "driver"); }
    std::string refusal() const {
        const auto usable = check_pci_device("03:00.0", root_);
        return usable ? "" : usable.error().message;
    }
    fs::path root_ = fs::temp_directory_path() / ("rouse-sysfs-" + std::to_string(::getpid()));
    fs::path device_ = root_ / "bus/pci/devices/0000:03:00.0";
};

TEST_F(FakeSysfs, APciDeviceIsUsableBehindAnIommu) {
    drive_by("vfio-pci");
    EXPECT_THAT(refusal(), HasSubstr("behind no IOMMU"));
    fs::create_directory(device_ / "iommu_group");
    EXPECT_EQ(refusal(), "");
}

TEST_F(FakeSysfs, ADeviceOfTheKernelsSaysHowToTakeItAway) {
    EXPECT_THAT(refusal(), HasSubstr("has no driver"));
    drive_by("ixgbe");
    EXPECT_THAT(refusal(), HasSubstr("(driver ixgbe); bind it: `modprobe vfio-pci && dpdk-devbind.py "
                                     "--bind=vfio-pci 0000:03:00.0`"));
}

TEST_F(FakeSysfs, AutoTakesTheInterfaceOfADeviceThatTheKernelKeeps) {
    const auto chosen = [this] { return choose("03:00.0,x=y", root_); };
    EXPECT_TRUE(chosen().is_dpdk);
    drive_by("ixgbe");
    EXPECT_TRUE(chosen().is_dpdk) << "a device that is no network interface";
    fs::create_directories(device_ / "net/eth7");
    EXPECT_FALSE(chosen().is_dpdk);
    EXPECT_EQ(chosen().device, "eth7");
    EXPECT_THAT(chosen().why, HasSubstr("PCI device 0000:03:00.0 is the kernel's (driver ixgbe)"));
}

TEST_F(FakeSysfs, AutoLeavesADeviceThatBothCanDriveToDpdk) {
    drive_by("mlx5_core");
    fs::create_directories(device_ / "net/eth7");
    EXPECT_TRUE(choose("0000:03:00.0", root_).is_dpdk);
    EXPECT_FALSE(choose("eth7", root_).is_dpdk);
    EXPECT_TRUE(choose("net_null0", root_).is_dpdk);
}

TEST_F(FakeSysfs, HugePagesOfAllSizesCount) {
    const auto have = [this](const std::string& size, int all, int free) {
        const fs::path directory = root_ / "kernel/mm/hugepages" / size;
        fs::create_directories(directory);
        std::ofstream(directory / "nr_hugepages") << all;
        std::ofstream(directory / "free_hugepages") << free;
    };
    EXPECT_EQ(read_huge_pages(root_).free_mib, 0U);
    have("hugepages-1048576kB", 2, 1);
    EXPECT_EQ(read_huge_pages(root_).free_mib, 1024U);
    EXPECT_TRUE(eal_arguments({.device = "0000:03:00.0"}, read_huge_pages(root_)));
    have("hugepages-2048kB", 64, 16);
    EXPECT_EQ(read_huge_pages(root_).free_mib, 1056U);
    EXPECT_EQ(read_huge_pages(root_).small_pages, 64U);
}

TEST_F(FakeSysfs, ADriverThatSharesItsDeviceIsFine) {
    drive_by("mlx5_core");
    EXPECT_EQ(refusal(), "");
}

TEST(PciDevice, ThatIsNotThereIsAnError) {
    EXPECT_THAT(refusal_of("0000:fe:1f.7"), HasSubstr("there is no PCI device 0000:fe:1f.7 here"));
}

TEST(EalArguments, UseHugePagesWhereThereAreEnough) {
    const auto huge = eal_arguments({.device = "net_null0", .memory_mib = 32}, {.free_mib = 32});
    ASSERT_TRUE(huge);
    EXPECT_THAT(*huge, Contains("--in-memory"));
    EXPECT_THAT(*huge, Not(Contains("--no-huge")));
    EXPECT_THAT(*huge, Contains("--no-pci"));
    const auto ordinary = eal_arguments({.device = "net_null0", .memory_mib = 32}, {.free_mib = 30});
    ASSERT_TRUE(ordinary);
    EXPECT_THAT(*ordinary, Contains("--no-huge"));
    EXPECT_THAT(*ordinary, Not(Contains("--in-memory")));  // EAL refuses the two together
}

TEST(EalArguments, OfTheUserSayHowMuchMemoryIsNeeded) {
    const EalOptions options{.device = "net_null0", .memory_mib = 32, .arguments = "-m 64"};
    EXPECT_THAT(*eal_arguments(options, {.free_mib = 62}), Contains("--no-huge"));
    EXPECT_THAT(*eal_arguments(options, {.free_mib = 64}), Contains("--in-memory"));
}

TEST(EalArguments, HardwareNeedsHugePages) {
    const auto refused =
        eal_arguments({.device = "0000:03:00.0", .memory_mib = 32}, {.free_mib = 29, .small_pages = 64});
    ASSERT_FALSE(refused);
    // Two more than there are: others use those.
    EXPECT_THAT(refused.error().message,
                AllOf(HasSubstr("needs 32 MiB"), HasSubstr("29 MiB are free"),
                      HasSubstr("`echo 66 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages`")));
    const auto taken = eal_arguments({.device = "0000:03:00.0", .memory_mib = 32}, {.free_mib = 32});
    ASSERT_TRUE(taken);
    EXPECT_THAT(*taken, Not(Contains("--no-pci")));
    EXPECT_THAT(*taken, Contains("-a"));
}

TEST(EalStart, FailsWithWhatToDo) {
    const HugePages pages{.free_mib = 10, .small_pages = 64};
    EXPECT_THAT(explain_start_failure(EACCES, pages, 32), HasSubstr("run as root"));
    EXPECT_THAT(explain_start_failure(EPERM, pages, 32), HasSubstr("dataplane.dpdk_eal = \"--no-huge"));
    EXPECT_THAT(explain_start_failure(ENOMEM, pages, 32), HasSubstr("`echo 75 > /sys/kernel/mm/hugepages"));
    EXPECT_THAT(explain_start_failure(EINVAL, pages, 32), HasSubstr("correct dataplane.dpdk_eal"));
    EXPECT_EQ(explain_start_failure(ENODEV, pages, 32), "No such device");
}

// In a process of its own, which gives up what it may.
class Unprivileged : public ::testing::Test {
  protected:
    void SetUp() override {
        ROUSE_NEEDS_PRIVILEGES(::geteuid() == 0, "only root can become nobody");
        GTEST_FLAG_SET(death_test_style, "threadsafe");
    }
    [[noreturn]] static void say_as_nobody(std::string (*refusal)()) {
        constexpr unsigned kNobody = 65534;
        if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(1);
        std::fputs(refusal().c_str(), stderr);
        ::_exit(0);
    }
};

TEST_F(Unprivileged, ADriverThatNeedsRootSaysSo) {
    EXPECT_EXIT(say_as_nobody([] { return refusal_of("net_tap0,iface=rouse8"); }),
                ::testing::ExitedWithCode(0), "DPDK says: .*run as root if the driver needs it");
}

TEST_F(Unprivileged, TheHostsInterfaceNeedsACapability) {
    EXPECT_EXIT(say_as_nobody([] {
                    const auto opened = HostInterface::open({.name = "rouse8", .addresses = {"10.8.0.1/24"}},
                                                            {{2, 0, 0, 0, 0, 8}}, 1500, 1);
                    return opened ? std::string() : opened.error().message;
                }),
                ::testing::ExitedWithCode(0), "rouse8.*(run as root, or grant CAP_NET_ADMIN|/dev/net/tun)");
}

TEST(EalArguments, OfTheUserComeLast) {
    const auto arguments = eal_arguments({.device = "net_null0", .arguments = " -m 64  --log-level=8 "}, {});
    ASSERT_TRUE(arguments);
    ASSERT_GE(arguments->size(), 3U);
    EXPECT_EQ(std::vector(arguments->end() - 3, arguments->end()),
              (std::vector<std::string>{"-m", "64", "--log-level=8"}));
}

}  // namespace
}  // namespace rouse::port
