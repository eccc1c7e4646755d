#include "dataplane/port/dpdk.hpp"

#include "dataplane/port/eal.hpp"
#include "dataplane/port/ethdev.hpp"
#include "dataplane/port/fixed_ring.hpp"
#include "shared/clock.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

#include <poll.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_interrupts.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

namespace rouse::port {
namespace {

// How long a thread sleeps that nothing can wake.
constexpr std::uint64_t kLookAgainNs = 100'000;
constexpr std::uint64_t kStatisticsNs = 100 * kNanosPerMilli;

rte_mbuf* mbuf_of(const Frame& frame) noexcept {
    return std::bit_cast<rte_mbuf*>(frame.handle);
}

bool is_sum_good(const rte_mbuf& mbuf) noexcept {
    return (mbuf.ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD;
}

// FRAME has UDP behind an IP header of ours, which has no options.
void leave_sum_to_device(rte_mbuf& mbuf, const Frame& frame) noexcept {
    rte_ether_hdr ethernet;
    std::memcpy(&ethernet, frame.data, sizeof ethernet);
    const bool is_ipv6 = ethernet.ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);
    mbuf.ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM | (is_ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
    mbuf.l2_len = sizeof ethernet;
    mbuf.l3_len = is_ipv6 ? sizeof(rte_ipv6_hdr) : sizeof(rte_ipv4_hdr);
}

using Burst = std::array<rte_mbuf*, kBurst>;

}  // namespace

class DpdkPort::Queue {
  public:
    Queue(Ethdev& device, std::uint16_t index, HostInterface* host)
        : device_(&device),
          id_(device_->id()),
          index_(index),
          host_(host),
          pool_(device_->pool(index)),
          backlog_(device_->options().transmit_frames) {
        watch_for_frames();
    }
    ~Queue() {
        rte_pktmbuf_free_bulk(early_.data(), early_count_);
        while (!backlog_.empty()) rte_pktmbuf_free(backlog_.pop());
        if (epoll_ >= 0) ::close(epoll_);
    }
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    [[nodiscard]] const Ethdev& device() const noexcept { return *device_; }

    std::size_t receive(std::span<Frame> frames) noexcept;
    std::size_t allocate(std::span<Frame> frames) noexcept;
    std::size_t send(std::span<const Frame> frames) noexcept;
    void flush() noexcept;
    void wait(std::uint64_t nanoseconds, int wake_fd) noexcept;
    [[nodiscard]] DeviceStatistics statistics() noexcept;
    [[nodiscard]] bool has_host() const noexcept { return host_ != nullptr; }
    [[nodiscard]] bool give_to_host(std::span<const std::byte> frame) noexcept {
        return host_->give(index_, frame);
    }

  private:
    void watch_for_frames();
    void transmit() noexcept;
    void sleep(std::uint64_t nanoseconds, int wake_fd) noexcept;
    void forward_from_host() noexcept;
    std::uint16_t poll(Burst& burst, std::size_t most) noexcept {
        return rte_eth_rx_burst(id_, index_, burst.data(),
                                static_cast<std::uint16_t>(std::min(most, burst.size())));
    }
    void free_one(rte_mbuf* mbuf) noexcept {
        rte_pktmbuf_free(mbuf);
        --outstanding_;
    }

    Ethdev* device_;
    std::uint16_t id_;
    std::uint16_t index_;
    HostInterface* host_;
    rte_mempool* pool_;
    FixedRing<rte_mbuf*> backlog_;  // sent, and not yet taken by the device
    std::size_t outstanding_ = 0;   // allocated, and neither taken by the device nor freed
    Burst early_{};                 // received while about to sleep
    std::uint32_t early_count_ = 0;
    int epoll_ = -1;             // wakes when the device has frames; -1: nothing does
    std::uint64_t chained_ = 0;  // received in several pieces, which no frame that fits the MTU is
    std::uint64_t unsent_ = 0;   // given up since there was no link
    DeviceStatistics statistics_{};
    std::uint64_t statistics_due_ns_ = 0;
};

std::size_t DpdkPort::Queue::receive(std::span<Frame> frames) noexcept {
    Burst burst;
    std::uint32_t n = 0;
    if (early_count_ > 0) {
        assert(frames.size() >= early_count_);
        burst = early_;
        n = std::exchange(early_count_, 0);
    } else {
        n = poll(burst, frames.size());
    }
    std::size_t received = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
        rte_mbuf* const mbuf = burst[i];
        if (mbuf->nb_segs != 1) [[unlikely]] {
            rte_pktmbuf_free(mbuf);
            ++chained_;
            continue;
        }
        frames[received++] = {rte_pktmbuf_mtod(mbuf, std::byte*), mbuf->data_len,
                              static_cast<std::uint32_t>(mbuf->buf_len - mbuf->data_off),
                              std::bit_cast<std::uint64_t>(mbuf), is_sum_good(*mbuf)};
    }
    return received;
}

std::size_t DpdkPort::Queue::allocate(std::span<Frame> frames) noexcept {
    Burst burst;
    const std::size_t room = device_->options().transmit_frames - outstanding_;
    const std::size_t n = std::min({frames.size(), burst.size(), room});
    if (n == 0 || rte_pktmbuf_alloc_bulk(pool_, burst.data(), static_cast<unsigned>(n)) != 0) return 0;
    for (std::size_t i = 0; i < n; ++i)
        frames[i] = {rte_pktmbuf_mtod(burst[i], std::byte*), 0, kFrameBytes,
                     std::bit_cast<std::uint64_t>(burst[i])};
    outstanding_ += n;
    return n;
}

std::size_t DpdkPort::Queue::send(std::span<const Frame> frames) noexcept {
    std::size_t sent = 0;
    for (const Frame& frame : frames) {
        assert(frame.length <= frame.capacity);
        rte_mbuf* const mbuf = mbuf_of(frame);
        if (frame.length == 0) {
            free_one(mbuf);
            continue;
        }
        mbuf->data_len = static_cast<std::uint16_t>(frame.length);
        mbuf->pkt_len = frame.length;
        if (frame.device_sums) leave_sum_to_device(*mbuf, frame);
        backlog_.push(mbuf);  // has room: it holds as many as may be outstanding
        ++sent;
    }
    if (backlog_.size() >= kBurst) transmit();  // while the bytes are warm
    return sent;
}

// One burst after the other while the device takes all of each.
void DpdkPort::Queue::transmit() noexcept {
    while (!backlog_.empty()) {
        Burst burst;
        const std::size_t n = std::min(backlog_.size(), burst.size());
        for (std::size_t i = 0; i < n; ++i) burst[i] = backlog_.at(i);
        const std::uint16_t taken =
            rte_eth_tx_burst(id_, index_, burst.data(), static_cast<std::uint16_t>(n));
        for (std::uint16_t i = 0; i < taken; ++i) backlog_.pop();
        outstanding_ -= taken;
        if (taken == n) continue;
        if (device_->has_link()) device_->count_refused(n - taken);
        return;
    }
}

void DpdkPort::Queue::forward_from_host() noexcept {
    std::array<Frame, kBurst> said;
    std::array<Frame, kBurst> frames;
    // What there is no room for yet, the next turn takes.
    const std::size_t n = allocate(std::span(frames).first(host_->take(said)));
    for (std::size_t i = 0; i < n; ++i) {
        std::memcpy(frames[i].data, said[i].data, said[i].length);
        frames[i].length = said[i].length;
    }
    send(std::span(frames).first(n));
    host_->release(n);
}

void DpdkPort::Queue::flush() noexcept {
    if (host_ != nullptr) {
        host_->kick(index_);
        if (index_ == 0) forward_from_host();
    }
    transmit();
    if (backlog_.empty() || device_->has_link()) [[likely]]
        return;
    unsent_ += backlog_.size();
    while (!backlog_.empty()) free_one(backlog_.pop());
}

void DpdkPort::Queue::watch_for_frames() {
    if (!device_->has_receive_interrupts()) return;
    const Complaints complaints;  // of drivers that have none
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) return;
    if (rte_eth_dev_rx_intr_ctl_q(id_, index_, epoll_, RTE_INTR_EVENT_ADD, nullptr) == 0 &&
        rte_eth_dev_rx_intr_disable(id_, index_) == 0)
        return;
    ::close(std::exchange(epoll_, -1));
}

void DpdkPort::Queue::wait(std::uint64_t nanoseconds, int wake_fd) noexcept {
    if (!backlog_.empty()) return;  // the next flush() takes it on
    const bool has_bell = host_ != nullptr && index_ == 0;
    if (has_bell) host_->worker_bell().prepare();
    if (epoll_ >= 0) rte_eth_dev_rx_intr_enable(id_, index_);
    // What came before both were on rings nothing.
    if (early_count_ == 0) early_count_ = poll(early_, early_.size());
    if (early_count_ == 0 && (!has_bell || host_->is_quiet())) sleep(nanoseconds, wake_fd);
    if (has_bell) host_->worker_bell().done();
    if (epoll_ < 0) return;
    rte_epoll_event event{};
    rte_epoll_wait(epoll_, &event, 1, 0);  // takes the interrupt, if there was one
    rte_eth_dev_rx_intr_disable(id_, index_);
}

// A driver without interrupts wakes nobody: then in naps, with a look at the device after each.
void DpdkPort::Queue::sleep(std::uint64_t nanoseconds, int wake_fd) noexcept {
    const int bell = host_ != nullptr && index_ == 0 ? host_->worker_bell().fd() : -1;
    const std::uint64_t deadline = monotonic_ns() + nanoseconds;
    const std::uint64_t nap = epoll_ >= 0 ? nanoseconds : kLookAgainNs;
    for (std::uint64_t now = 0; early_count_ == 0 && (now = monotonic_ns()) < deadline;) {
        // poll(2) passes over a descriptor below 0.
        std::array<pollfd, 3> events{{{.fd = epoll_, .events = POLLIN, .revents = 0},
                                      {.fd = wake_fd, .events = POLLIN, .revents = 0},
                                      {.fd = bell, .events = POLLIN, .revents = 0}}};
        const std::uint64_t rest = std::min(deadline - now, nap);
        const timespec limit{.tv_sec = static_cast<time_t>(rest / kNanosPerSecond),
                             .tv_nsec = static_cast<long>(rest % kNanosPerSecond)};
        if (::ppoll(events.data(), events.size(), &limit, nullptr) != 0) return;
        if (epoll_ < 0) early_count_ = poll(early_, early_.size());
    }
}

DeviceStatistics DpdkPort::Queue::statistics() noexcept {
    const std::uint64_t now = monotonic_ns();
    if (now >= statistics_due_ns_) {
        statistics_due_ns_ = now + kStatisticsNs;
        if (index_ == 0) statistics_ = device_->statistics();
        if (index_ == 0 && host_ != nullptr) statistics_.host_lost = host_->lost();
    }
    DeviceStatistics sum = statistics_;
    sum.receive_dropped += chained_;
    sum.transmit_dropped += unsent_;
    return sum;
}

DpdkPort::DpdkPort(Ethdev& device, std::uint16_t queue, HostInterface* host)
    : queue_(std::make_unique<Queue>(device, queue, host)) {}
DpdkPort::DpdkPort(DpdkPort&&) noexcept = default;
DpdkPort& DpdkPort::operator=(DpdkPort&&) noexcept = default;
DpdkPort::~DpdkPort() = default;

void DpdkPort::enter_thread() {
    const auto& report = queue_->device().options().report;
    if (rte_lcore_id() == LCORE_ID_ANY && rte_thread_register() != 0 && report)
        report("DPDK does not know this worker's thread (" + std::string(rte_strerror(rte_errno)) +
               "), which is correct and slow: fewer workers, or more cores for its EAL by "
               "dataplane.dpdk_eal, help");
}

std::size_t DpdkPort::receive(std::span<Frame> frames) noexcept {
    return queue_->receive(frames);
}

void DpdkPort::release(std::span<const Frame> frames) noexcept {
    for (const Frame& frame : frames) rte_pktmbuf_free(mbuf_of(frame));
}

std::size_t DpdkPort::allocate(std::span<Frame> frames) noexcept {
    return queue_->allocate(frames);
}

std::size_t DpdkPort::send(std::span<const Frame> frames) noexcept {
    return queue_->send(frames);
}

void DpdkPort::flush() noexcept {
    queue_->flush();
}

bool DpdkPort::has_host() const noexcept {
    return queue_->has_host();
}

bool DpdkPort::give_to_host(std::span<const std::byte> frame) noexcept {
    return queue_->give_to_host(frame);
}

void DpdkPort::wait(std::uint64_t nanoseconds, int wake_fd) noexcept {
    queue_->wait(nanoseconds, wake_fd);
}

MacAddress DpdkPort::hardware_address() const noexcept {
    return queue_->device().hardware_address();
}

bool DpdkPort::sums_udp() const noexcept {
    return queue_->device().sums_udp();
}

std::uint32_t DpdkPort::mtu() const noexcept {
    return queue_->device().mtu();
}

DeviceStatistics DpdkPort::statistics() const noexcept {
    return queue_->statistics();
}

}  // namespace rouse::port
