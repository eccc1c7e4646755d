#pragma once
// The counters segment: what the dataplane counted, in shared memory, read by the management plane at any
// time. One block per worker, written by that worker alone with relaxed atomics; it outlives the dataplane,
// so values only ever grow across restarts.

#include "shared/drop_reason.hpp"
#include "shared/shared_memory.hpp"
#include "shared/xdp_filter.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rouse {

// X(name, what it counts): metric `rouse_<name>_total`.
#define ROUSE_COUNTERS(X)                                                        \
    X(frames_received, "frames taken from the port")                             \
    X(frames_sent, "frames handed to the port")                                  \
    X(frames_to_host, "frames given to the host, whose services they are for")   \
    X(bytes_received, "bytes of the frames received")                            \
    X(bytes_sent, "bytes of the frames sent")                                    \
    X(dhcp_discovers, "DHCPDISCOVER received")                                   \
    X(dhcp_offers, "DHCPOFFER sent")                                             \
    X(dhcp_requests, "DHCPREQUEST received")                                     \
    X(dhcp_acks, "DHCPACK sent")                                                 \
    X(dhcp_naks, "DHCPNAK sent")                                                 \
    X(dhcp_parked, "DISCOVERs held until a lease is committed")                  \
    X(dhcp_foreign, "DHCP messages of other servers' business")                  \
    X(tftp_requests, "TFTP read requests received")                              \
    X(tftp_transfers_completed, "TFTP transfers that ended well")                \
    X(tftp_transfers_failed, "TFTP transfers that did not")                      \
    X(tftp_data_blocks, "DATA blocks sent, resent ones included")                \
    X(tftp_data_bytes, "bytes in these blocks")                                  \
    X(tftp_retransmissions, "DATA blocks and OACKs sent again")                  \
    X(tftp_errors_sent, "TFTP ERROR packets sent")                               \
    X(tftp_blocks_awaited, "DATA blocks whose bytes were not in memory in time") \
    X(tftp_size_probes, "TFTP requests for a size alone")                        \
    X(tftp_expected_misses, "names that loaders can do without")                 \
    X(tftp_images_resident, "TFTP transfers of images that were in memory")      \
    X(tftp_images_staged, "those that waited until their image was in memory")   \
    X(tftp_images_streamed, "those whose bytes are read ahead of them")          \
    X(events_dropped, "events lost because the ring was full")                   \
    X(events_withheld, "events of machines that had told too many")              \
    X(polls_empty, "polls of the port that found nothing")                       \
    X(frames_handed_over, "frames given to the worker whose transfer they are")  \
    X(rests, "times that the worker slept, for want of something to do")         \
    X(rest_nanoseconds, "time that it slept")                                    \
    X(minor_faults, "pages that the worker had to map in first")                 \
    X(major_faults, "pages that the worker had to wait for, from the disk")

enum class Counter : std::uint16_t {
#define X(name, help) name,
    ROUSE_COUNTERS(X)
#undef X
};

inline constexpr auto kCounters = std::to_array<ListEntry>({
#define X(name, help) {#name, help},
    ROUSE_COUNTERS(X)
#undef X
});

// X(name, what it is): of the whole dataplane, metric `rouse_<name>`.
#define ROUSE_GAUGES(X)                                                              \
    X(images_known, "images that some name stands for")                              \
    X(images_resident, "images whose bytes are in memory")                           \
    X(images_streamed, "images without room in memory, read ahead of each transfer") \
    X(images_unavailable, "images that are damaged, vanished or too big")            \
    X(image_bytes_known, "bytes of the images that some name stands for")            \
    X(image_bytes_resident, "bytes of memory that images take")                      \
    X(image_bytes_budget, "bytes of memory that images may take")                    \
    X(image_bytes_huge, "bytes of images that lie on huge pages")                    \
    X(image_streams_open, "transfers whose bytes are read ahead of them")            \
    X(image_streams_waiting, "transfers that wait for memory to be read ahead")      \
    X(image_bytes_streamed, "bytes read ahead of transfers, ever")                   \
    X(images_displaced, "images that had to leave memory for others, ever")          \
    X(allow_list_machines, "machines that the XDP program knows")                    \
    X(allow_list_addresses, "addresses behind routers that the XDP program knows")   \
    X(allow_list_missing, "machines and addresses for which its allow-list is full") \
    X(allow_list_rescans, "times that it was compared with the store, ever")         \
    X(port_link_up, "1 while the device that carries the frames has a link, else 0")

enum class Gauge : std::uint16_t {
#define X(name, help) name,
    ROUSE_GAUGES(X)
#undef X
};

inline constexpr auto kGauges = std::to_array<ListEntry>({
#define X(name, help) {#name, help},
    ROUSE_GAUGES(X)
#undef X
});

// What the XDP program did with frames before any worker saw them: metric
// `rouse_xdp_frames_total{action="…"}`.
enum class XdpAction : std::uint16_t {
#define X(name, help) name,
    XDP_FILTER_COUNTERS(X)
#undef X
};

inline constexpr auto kXdpActions = std::to_array<ListEntry>({
#define X(name, help) {#name, help},
    XDP_FILTER_COUNTERS(X)
#undef X
});

inline constexpr std::size_t kMaxWorkers = 64;

struct alignas(64) WorkerCounters {
    std::array<std::atomic<std::uint64_t>, kCounters.size()> counters{};
    std::array<std::atomic<std::uint64_t>, kDropReasons.size()> drops{};
    std::atomic<std::uint64_t> tftp_sessions_open{};  // a gauge
    std::atomic<std::uint64_t> heartbeat_ns{};        // CLOCK_MONOTONIC of the last housekeeping turn

    // Single writer: a plain load and store is enough, and costs no locked instruction.
    void add(Counter counter, std::uint64_t n = 1) noexcept {
        bump(counters[static_cast<std::size_t>(counter)], n);
    }
    void drop(DropReason reason, std::uint64_t n = 1) noexcept {
        bump(drops[static_cast<std::size_t>(reason)], n);
    }
    [[nodiscard]] std::uint64_t get(Counter counter) const noexcept {
        return counters[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get(DropReason reason) const noexcept {
        return drops[static_cast<std::size_t>(reason)].load(std::memory_order_relaxed);
    }

  private:
    static void bump(std::atomic<std::uint64_t>& value, std::uint64_t n) noexcept {
        value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
};

struct CountersLayout {
    std::atomic<std::uint32_t> pid{};         // of the dataplane that runs now or ran last
    std::atomic<std::uint32_t> workers{};     // blocks in use
    std::atomic<std::uint64_t> started_ns{};  // CLOCK_REALTIME
    char port[128]{};                         // what carries the frames, for people: "xdp:rack0, native mode"
    std::array<std::atomic<std::uint64_t>, kGauges.size()> gauges{};
    std::array<std::atomic<std::uint64_t>, kXdpActions.size()> xdp{};  // frames
    std::array<WorkerCounters, kMaxWorkers> worker{};

    void set(Gauge gauge, std::uint64_t value) noexcept {
        gauges[static_cast<std::size_t>(gauge)].store(value, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get(Gauge gauge) const noexcept {
        return gauges[static_cast<std::size_t>(gauge)].load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get(XdpAction action) const noexcept {
        return xdp[static_cast<std::size_t>(action)].load(std::memory_order_relaxed);
    }
};

// Bytes of state that both processes map; see SharedMemory for who creates it.
[[nodiscard]] inline Result<SharedMemory<CountersLayout>> open_counters(const std::string& run_dir) {
    return SharedMemory<CountersLayout>::open(run_dir + "/counters");
}

}  // namespace rouse
