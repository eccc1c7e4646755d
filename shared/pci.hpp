#pragma once
// Devices of the PCI bus, as Linux shows them.

#include <string>
#include <string_view>

namespace rouse {

// True of `0000:03:00.0` and `03:00.0`, with or without `,parameters`.
[[nodiscard]] bool is_pci_device(std::string_view device) noexcept;

// Its name in sysfs: with domain, without parameters.
[[nodiscard]] std::string pci_name(std::string_view device);

// DPDK and this driver of the kernel's can drive one device.
[[nodiscard]] bool shares_with_dpdk(std::string_view driver) noexcept;

// The name of the driver that has it; empty: none has.
[[nodiscard]] std::string pci_driver(std::string_view device, const std::string& sysfs = "/sys");

// The network interface of a PCI device that a driver of the kernel's has to itself; empty: there is none.
[[nodiscard]] std::string interface_of_kernels_device(std::string_view device,
                                                      const std::string& sysfs = "/sys");

}  // namespace rouse
