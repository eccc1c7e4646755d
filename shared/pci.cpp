#include "shared/pci.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace rouse {
namespace {

namespace fs = std::filesystem;

fs::path directory_of(std::string_view device, const std::string& sysfs) {
    return fs::path(sysfs) / "bus/pci/devices" / pci_name(device);
}

}  // namespace

bool is_pci_device(std::string_view device) noexcept {
    // [domain:]bus:device.function
    const std::string_view name = device.substr(0, device.find(','));
    const auto dot = name.find('.');
    const auto colons = std::count(name.begin(), name.end(), ':');
    return (colons == 1 || colons == 2) && dot != std::string_view::npos &&
           name.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

std::string pci_name(std::string_view device) {
    std::string name(device.substr(0, device.find(',')));
    if (std::count(name.begin(), name.end(), ':') == 1) name = "0000:" + name;
    return name;
}

bool shares_with_dpdk(std::string_view driver) noexcept {
    constexpr std::array<std::string_view, 5> kSharing{"vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core",
                                                       "mlx4_core"};
    return std::find(kSharing.begin(), kSharing.end(), driver) != kSharing.end();
}

std::string pci_driver(std::string_view device, const std::string& sysfs) {
    std::error_code error;
    return fs::read_symlink(directory_of(device, sysfs) / "driver", error).filename();
}

std::string interface_of_kernels_device(std::string_view device, const std::string& sysfs) {
    if (!is_pci_device(device)) return {};
    const std::string driver = pci_driver(device, sysfs);
    if (driver.empty() || shares_with_dpdk(driver)) return {};
    std::error_code error;
    const fs::directory_iterator interfaces(directory_of(device, sysfs) / "net", error);
    return error || interfaces == fs::directory_iterator{} ? std::string{}
                                                           : interfaces->path().filename().string();
}

}  // namespace rouse
