#pragma once
// The XDP program's allow-list and the rest of what it is told: who is known, how much strangers may send,
// what is steered beside the services' own ports. ebpf/defence.bpf.h says what the program makes of it.

#include "ebpf/loader.hpp"
#include "ebpf/map_set.hpp"
#include "shared/addresses.hpp"
#include "shared/port_range.hpp"

namespace rouse::ebpf {

// A token bucket: so many frames at once, then so many a second.
struct BucketSize {
    std::uint32_t burst = 0;  // 0: no frame ever
    double per_second = 0;    // 0: likewise
};

// What machines that are not on the allow-list may send before the driver drops it.
struct StrangerLimits {
    BucketSize each;
    BucketSize all;  // of all together
};

// What goes to the worker beside the services' ports. X: XDP_FILTER_EXTRAS.
struct Extras {
#define X(name, help) bool name = false;
    XDP_FILTER_EXTRAS(X)
#undef X
    PortRange tftp_ports{};    // of transfers, beside port 69
    MacAddress own_address{};  // this host's: dhcp_answers leaves those to it to the kernel
};

// One per program, and no longer than it; one thread's.
class AllowList {
  public:
    explicit AllowList(const XdpProgram& program) noexcept
        : machines(program.machines_map_fd()),
          addresses(program.addresses_map_fd()),
          settings_(&program.settings()) {}

    MapSet<MacAddress> machines;    // a sender's own; behind a DHCP relay chaddr
    MapSet<Ipv4Address> addresses;  // of machines behind a router

    // Off, as after loading, everybody is known.
    void enforce(bool on) noexcept;
    void set_limits(const StrangerLimits& limits) noexcept;
    void steer(const Extras& extras) noexcept;

  private:
    xdp_filter_settings* settings_;
};

}  // namespace rouse::ebpf
