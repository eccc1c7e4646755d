#pragma once
// The `dpdk` port: a queue of a DPDK device, physical or made of software. The device is ours alone, so the
// worker answers ARP, echo and neighbour solicitations; what it does not answer goes to the host by a network
// interface of its own (host_interface.hpp), if one is wanted.
//
// Frames are DPDK's message buffers (mbufs) of the queue's own pool:
//   pool ─► device ─► receive() … release() ─► pool
//   pool ─► allocate() … send() ─► device ─► pool
// What the device has no room for waits in a backlog; while that is full, allocate() gives nothing.
//
// DPDK's headers stay out of here: they want their own compiler flags.

#include "dataplane/port/port.hpp"
#include "shared/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rouse::port {

struct DpdkOptions {
    std::uint16_t queues = 1;
    std::uint16_t receive_descriptors = 1024;   // per queue; as near as the device allows
    std::uint16_t transmit_descriptors = 1024;  // likewise
    std::uint32_t transmit_frames = 1024;  // per queue: in the worker's hands and in the backlog, together
    std::string eal_arguments{};           // see EalOptions::arguments
    // Hears of link changes and of what DPDK complains about; on any thread.
    std::function<void(const std::string&)> report{};
    std::string remark{};  // ends describe(): why this port was chosen
};

class DpdkDevice;

// Owned by one worker thread.
class DpdkPort {
  public:
    static constexpr bool kOwnsInterface = true;
    static constexpr std::uint32_t kFrameBytes = 2048;
    static constexpr std::uint32_t kMaxMtu = kFrameBytes - 18;  // Ethernet, one VLAN tag

    // DEVICE: what EAL takes for `--vdev` or `-a`, such as `net_memif0,role=client`, `net_tap0,iface=tap0` or
    // `0000:03:00.0`. The calling thread becomes DPDK's main thread if it is the first to open one.
    // One port per queue (options.queues), for a worker each.
    [[nodiscard]] static Result<std::vector<DpdkPort>> open_all(const std::string& device,
                                                                const DpdkOptions& options);
    // The port of a device with one queue.
    [[nodiscard]] static Result<DpdkPort> open(const std::string& device, const DpdkOptions& options = {});
    DpdkPort(DpdkPort&&) noexcept;
    DpdkPort& operator=(DpdkPort&&) noexcept;
    ~DpdkPort();

    // Once, first, on a worker's thread that is not the one that opened the device: DPDK keeps free frames
    // per thread that it knows.
    void enter_thread() noexcept;

    // Has the device let frames to these Ethernet groups through.
    [[nodiscard]] Result<void> join(std::span<const MacAddress> groups);

    std::size_t receive(std::span<Frame> frames) noexcept;
    void release(std::span<const Frame> frames) noexcept;
    std::size_t allocate(std::span<Frame> frames) noexcept;
    std::size_t send(std::span<const Frame> frames) noexcept;
    void flush() noexcept;

    // With a driver that has interrupts: until a frame comes. Else it looks again after 100 us.
    void wait(std::uint64_t nanoseconds) noexcept;

    [[nodiscard]] MacAddress hardware_address() const noexcept;
    [[nodiscard]] std::uint32_t mtu() const noexcept;
    // Of the device, told by the port of queue 0 alone; at most a tenth of a second old.
    [[nodiscard]] DeviceStatistics statistics() const noexcept;
    [[nodiscard]] std::string describe() const;

  private:
    class Queue;
    explicit DpdkPort(std::unique_ptr<Queue> queue) noexcept;
    std::unique_ptr<Queue> queue_;
};
static_assert(Port<DpdkPort>);

}  // namespace rouse::port
