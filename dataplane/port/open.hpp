#pragma once
// From the configuration's text to an open device.

#include "dataplane/port/dpdk_device.hpp"
#include "dataplane/port/xdp_device.hpp"

#include <string_view>
#include <variant>

namespace rouse::port {

// What `auto:DEVICE` stands for, and why. SYSFS: for tests.
struct Choice {
    bool is_dpdk = false;
    std::string device;  // of that kind
    std::string why;
};
[[nodiscard]] Choice choose(std::string_view device, const std::string& sysfs = "/sys");

// Every kind of device that can be opened by name; the workers' kind is chosen once, by std::visit.
using AnyDevice = std::variant<XdpDevice, DpdkDevice>;

// SPEC: `xdp:<interface>`, native mode where the driver has it, else generic; `xdp:<interface>,native` or
// `…,generic` insists; `dpdk:<EAL device>`, see DpdkDevice::open(); `auto:<either>` takes the fastest kind
// that works here, and describe() says why.
// QUEUES: how many ports it is to have; 0: as many as suit the device. XDP, DPDK: the rest of what a device
// of that kind is opened with.
[[nodiscard]] Result<AnyDevice> open_device(std::string_view spec, unsigned queues, XdpOptions xdp = {},
                                            DpdkOptions dpdk = {});

}  // namespace rouse::port
