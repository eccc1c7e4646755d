#pragma once
// One DPDK ethdev (rte_ethdev.h), with its queues and the memory of their frames. What is done once, not per
// packet.

#include "dataplane/port/dpdk.hpp"

#include <atomic>

struct rte_mempool;

namespace rouse::port {

class DpdkDevice {
  public:
    // Starts EAL if need be, makes the device and starts it with options.queues queues in each direction.
    [[nodiscard]] static Result<std::shared_ptr<DpdkDevice>> open(const std::string& spec,
                                                                  const DpdkOptions& options);
    ~DpdkDevice();  // stops and removes it
    DpdkDevice(const DpdkDevice&) = delete;
    DpdkDevice& operator=(const DpdkDevice&) = delete;

    [[nodiscard]] std::uint16_t id() const noexcept { return id_; }
    [[nodiscard]] const DpdkOptions& options() const noexcept { return options_; }
    // Of one queue: received frames come from it, frames to send are taken from it.
    [[nodiscard]] rte_mempool* pool(std::uint16_t queue) const noexcept { return pools_[queue]; }
    // False while the device knows that nobody is at the other end. Any thread.
    [[nodiscard]] bool has_link() const noexcept { return has_link_.load(std::memory_order_relaxed); }
    // Its driver can wake a thread when frames come.
    [[nodiscard]] bool has_receive_interrupts() const noexcept { return has_receive_interrupts_; }

    [[nodiscard]] Result<void> join(std::span<const MacAddress> groups);
    [[nodiscard]] MacAddress hardware_address() const noexcept;
    [[nodiscard]] std::uint32_t mtu() const noexcept;
    [[nodiscard]] DeviceStatistics statistics() const noexcept;
    [[nodiscard]] std::string describe() const;

  private:
    DpdkDevice(std::string spec, const DpdkOptions& options) : spec_(std::move(spec)), options_(options) {}
    [[nodiscard]] Result<void> probe();
    [[nodiscard]] Result<void> configure();
    [[nodiscard]] Result<void> set_up_queues();
    [[nodiscard]] Result<void> start();
    [[nodiscard]] tl::unexpected<Error> fail_at(const std::string& step, int error) const;
    void look_at_link();
    static void on_alarm(void* device);

    static constexpr std::uint16_t kNone = 0xffff;
    std::string spec_;
    DpdkOptions options_;
    std::uint16_t id_ = kNone;
    bool is_started_ = false;
    bool has_receive_interrupts_ = true;  // until the driver refuses them
    bool spreads_by_address_ = true;
    std::vector<rte_mempool*> pools_;
    std::atomic<bool> has_link_{true};
};

}  // namespace rouse::port
