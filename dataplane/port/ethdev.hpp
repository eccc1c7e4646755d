#pragma once
// One DPDK ethdev (rte_ethdev.h), with its queues and the memory of their frames. What is done once, not per
// packet.

#include "dataplane/port/device_plan.hpp"
#include "dataplane/port/dpdk.hpp"
#include "shared/result.hpp"

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

struct rte_mempool;

namespace rouse::port {

class Ethdev {
  public:
    // Starts EAL if need be, makes the device of SPEC and starts it with QUEUES queues in each direction; 0:
    // as many as suit it.
    [[nodiscard]] static Result<std::unique_ptr<Ethdev>> open(const std::string& spec, unsigned queues,
                                                              const DpdkOptions& options);
    ~Ethdev();  // stops and removes it
    Ethdev(const Ethdev&) = delete;
    Ethdev& operator=(const Ethdev&) = delete;

    [[nodiscard]] std::uint16_t id() const noexcept { return id_; }
    [[nodiscard]] std::uint16_t queues() const noexcept { return static_cast<std::uint16_t>(queues_); }
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
    // A transfer's frames come by the same queue.
    [[nodiscard]] bool keeps_flows_together() const noexcept { return keeps_flows_together_; }
    // It completes UDP checksums of which the pseudo header's sum is there.
    [[nodiscard]] bool sums_udp() const noexcept { return sums_udp_; }
    // Of frames offered to it, it had no room for so many; they will be offered again. Any thread.
    void count_refused(std::uint64_t frames) noexcept {
        if (counts_refusals_) refused_.fetch_add(frames, std::memory_order_relaxed);
    }
    [[nodiscard]] std::string describe() const;

  private:
    Ethdev(std::string spec, unsigned queues, const DpdkOptions& options)
        : spec_(std::move(spec)), queues_(queues), options_(options) {}
    [[nodiscard]] Result<void> probe();
    [[nodiscard]] Result<void> configure();
    [[nodiscard]] Result<void> set_up_queues();
    [[nodiscard]] Result<void> start();
    [[nodiscard]] std::uint64_t granted_hash_types() const;
    [[nodiscard]] tl::unexpected<Error> fail_at(const std::string& step, int error) const;
    void look_at_link();
    static void on_alarm(void* device);

    static constexpr std::uint16_t kNone = 0xffff;
    std::string spec_;
    unsigned queues_;
    DpdkOptions options_;
    std::uint16_t id_ = kNone;
    bool is_started_ = false;
    bool has_receive_interrupts_ = true;  // until the driver refuses them
    bool counts_refusals_ = false;
    bool keeps_flows_together_ = true;
    bool sums_udp_ = false;
    DevicePlan plan_{};
    std::vector<rte_mempool*> pools_;
    std::atomic<bool> has_link_{true};
    std::atomic<std::uint64_t> refused_{0};
};

}  // namespace rouse::port
