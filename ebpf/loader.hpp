#pragma once
// Loads the XDP program that is embedded in this library and attaches it to an interface.
//
// It is attached by a bpf_link, so it goes with the process, however that ends. Not by libxdp's dispatcher:
// one program per interface is what is wanted here, and the dispatcher does not load on every kernel. Needs
// CAP_BPF and CAP_NET_ADMIN, or root, while loading and attaching; nothing afterwards.

#include "shared/result.hpp"
#include "shared/xdp_filter.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace rouse::ebpf {

// Native: in the driver, before a packet buffer of the kernel's exists. Generic: after, on any interface.
enum class XdpMode { native, generic };

[[nodiscard]] constexpr const char* to_string(XdpMode mode) noexcept {
    return mode == XdpMode::native ? "native" : "generic";
}

// Frames since the program was loaded, by what became of them.
struct XdpCounters {
#define X(name, help) std::uint64_t name = 0;
    XDP_FILTER_COUNTERS(X)
#undef X
};
static_assert(sizeof(XdpCounters) == XDP_FILTER_COUNTER_COUNT * sizeof(__u64));

class XdpProgram {
  public:
    // Into the kernel, attached to nothing: for tests of the program itself.
    [[nodiscard]] static Result<XdpProgram> load();

    // Without a MODE: native, or where that is refused generic; native_refusal() then says why.
    [[nodiscard]] static Result<XdpProgram> attach(const std::string& interface,
                                                   std::optional<XdpMode> mode = std::nullopt);
    XdpProgram(XdpProgram&&) noexcept;
    XdpProgram& operator=(XdpProgram&&) noexcept;
    ~XdpProgram();  // detaches

    [[nodiscard]] XdpMode mode() const noexcept { return mode_; }
    // Empty unless native mode was tried in vain.
    [[nodiscard]] const std::string& native_refusal() const noexcept { return native_refusal_; }

    // File descriptors stay this object's.
    [[nodiscard]] int program_fd() const noexcept;
    // Map: receive queue (below XDP_FILTER_MAX_QUEUES) → AF_XDP socket. An empty entry leaves the queue's
    // frames to the kernel; a socket leaves the map when it is closed.
    [[nodiscard]] int sockets_map_fd() const noexcept;

    // Summed over CPUs; a few system calls.
    [[nodiscard]] Result<XdpCounters> counters() const;

  private:
    struct Loaded;
    explicit XdpProgram(std::unique_ptr<Loaded> loaded) noexcept;

    std::unique_ptr<Loaded> loaded_;
    XdpMode mode_ = XdpMode::native;
    std::string native_refusal_;
};

}  // namespace rouse::ebpf
