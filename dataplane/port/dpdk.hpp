#pragma once
// The `dpdk` port: one queue of a DPDK device. Nobody else sees its frames, so the worker answers ARP, echo
// and neighbour solicitations.
//
// Frames are DPDK's message buffers (mbufs) of the queue's own pool:
//   pool ─► device ─► receive() … release() ─► pool
//   pool ─► allocate() … send() ─► backlog ─► device ─► pool
// What the device has no room for stays in the backlog; while that is full, allocate() gives nothing.
//
// DPDK's headers stay out of here: they want compiler flags of their own.

#include "dataplane/port/host_interface.hpp"
#include "dataplane/port/port.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace rouse::port {

struct DpdkOptions {
    std::uint16_t receive_descriptors = 1024;   // of each queue; as near as the device allows
    std::uint16_t transmit_descriptors = 1024;  // likewise
    std::uint32_t transmit_frames =
        1024;                     // of each queue: in the worker's hands and in the backlog, together
    std::string eal_arguments{};  // see EalOptions::arguments
    // Hears of link changes and of what DPDK complains about; on any thread.
    std::function<void(const std::string&)> report{};
    // Transfers leave from the port that their requests came to: see DeviceWishes.
    bool transfers_keep_ports = false;
    bool promiscuous = false;     // frames to other hardware addresses too
    HostInterfaceOptions host{};  // what the workers do not answer goes there; no name: nowhere
    std::string remark{};         // ends describe(): why this port was chosen
};

class Ethdev;

// Owned by one worker thread. What makes system calls is the driver's affair; the best make none.
class DpdkPort {
  public:
    static constexpr bool kOwnsInterface = true;
    static constexpr std::uint32_t kFrameBytes = 2048;
    static constexpr std::uint32_t kMaxMtu = kFrameBytes - 18;  // Ethernet, one VLAN tag

    // DEVICE and HOST outlive the port. HOST: null if the host has no share of the device.
    DpdkPort(Ethdev& device, std::uint16_t queue, HostInterface* host = nullptr);
    DpdkPort(DpdkPort&&) noexcept;
    DpdkPort& operator=(DpdkPort&&) noexcept;
    ~DpdkPort();

    // First, on a worker's thread that is not the one that opened the device: DPDK keeps free frames at hand
    // for each thread that it knows.
    void enter_thread();

    std::size_t receive(std::span<Frame> frames) noexcept;
    void release(std::span<const Frame> frames) noexcept;
    std::size_t allocate(std::span<Frame> frames) noexcept;
    std::size_t send(std::span<const Frame> frames) noexcept;
    void flush() noexcept;

    // The host gets what the worker does not answer.
    [[nodiscard]] bool has_host() const noexcept;
    // A copy of a received frame for the host; false: it does not keep up.
    [[nodiscard]] bool give_to_host(std::span<const std::byte> frame) noexcept;

    // The device completes UDP checksums.
    [[nodiscard]] bool sums_udp() const noexcept;

    // One ppoll(2), where the driver has interrupts; else one each 100 us.
    void wait(std::uint64_t nanoseconds, int wake_fd) noexcept;

    [[nodiscard]] MacAddress hardware_address() const noexcept;
    [[nodiscard]] std::uint32_t mtu() const noexcept;
    // Of the device, told by the port of queue 0 alone; at most a tenth of a second old.
    [[nodiscard]] DeviceStatistics statistics() const noexcept;

  private:
    class Queue;
    std::unique_ptr<Queue> queue_;
};
static_assert(Port<DpdkPort>);

}  // namespace rouse::port
