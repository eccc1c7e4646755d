#pragma once
// Two DPDK devices of this process in shared memory (net_memif), tied to each other, and a worker at one of
// them: what a frame costs on a DPDK port, for benchmarks on one core that take each side's time for itself.

#include "dataplane/port/dpdk_device.hpp"
#include "dataplane/worker/worker.hpp"
#include "perf/thread_time.hpp"
#include "tests/support/scratch_store.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include <benchmark/benchmark.h>
#include <unistd.h>

namespace rouse::perf {

inline constexpr std::size_t kFramesPerTurn = 4 * port::kBurst;  // what a worker sends in one
// EAL's for all cables of a process: memory that may be shared by its file, which zero copy needs.
inline constexpr const char* kEalArguments = "-m 96 --single-file-segments";

// How the server's frames get into the memory that both ends share.
enum class Crossing : std::uint8_t {
    copied,  // memif copies each frame, in both directions
    shared,  // zero copy: the server's frames are made there, nobody copies them
};

class Cable {
  public:
    explicit Cable(Crossing crossing)
        : socket_("rouse-micro-" + std::to_string(::getpid()) + "-" + std::to_string(++instances_)) {
        // Whom memif calls the server listens, so it is first; zero copy is the other's to give.
        if (crossing == Crossing::shared) {
            client_.emplace(open("role=server"));
            server_.emplace(open("role=client,zero-copy=yes"));
        } else {
            server_.emplace(open("role=server"));
            client_.emplace(open("role=client"));
        }
        for (int tries = 0; tries < 500; ++tries) {
            transmit(1);
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            if (drain([](auto) {}) > 0) return;
        }
        throw std::runtime_error("the two ends of the memif did not find each other");
    }
    [[nodiscard]] port::DpdkPort& server() { return server_->ports().front(); }
    [[nodiscard]] port::DpdkPort& client() { return client_->ports().front(); }

    // What is at the client's end goes through VISIT(std::span<const std::byte>); returns how many.
    template <typename Visit>
    std::size_t drain(Visit&& visit) {
        std::size_t total = 0;
        for (;;) {
            std::array<port::Frame, port::kBurst> frames;
            const std::size_t n = client().receive(frames);
            for (std::size_t i = 0; i < n; ++i) visit(frames[i].bytes());
            client().release(std::span(frames).first(n));
            total += n;
            if (n == 0) return total;
        }
    }
    // From the client's end; it leaves with the next flush.
    void say(std::span<const std::byte> bytes) {
        std::array<port::Frame, 1> frame;
        if (client().allocate(frame) == 0) throw std::runtime_error("the client's end is full");
        std::copy(bytes.begin(), bytes.end(), frame[0].data);
        frame[0].length = static_cast<std::uint32_t>(bytes.size());
        client().send(frame);
    }
    // COUNT frames of BYTES with nothing in them from the server's end.
    void transmit(std::size_t count, std::uint32_t bytes = 64) {
        for (std::size_t sent = 0; sent < count;) {
            std::array<port::Frame, port::kBurst> frames;
            const std::size_t n =
                server().allocate(std::span(frames).first(std::min(port::kBurst, count - sent)));
            for (std::size_t i = 0; i < n; ++i) frames[i].length = bytes;
            sent += server().send(std::span(frames).first(n));
            if (n == 0) server().flush();
        }
        server().flush();
    }

  private:
    port::DpdkDevice open(const std::string& parameters) {
        port::DpdkOptions options;
        options.eal_arguments = kEalArguments;
        return test::must(port::DpdkDevice::open(
            "net_memif" + std::to_string(ends_++) + "," + parameters + ",socket=" + socket_, 1, options));
    }
    static inline int instances_ = 0;
    static inline int ends_ = 0;
    std::string socket_;
    std::optional<port::DpdkDevice> server_;
    std::optional<port::DpdkDevice> client_;
};

// A worker at a cable's server end, over STORE, which outlives it.
class MemifWorker {
  public:
    static inline const Ipv4Address kAddress = *Ipv4Address::parse("10.0.0.1");

    MemifWorker(Cable& cable, test::ScratchStore& store, const tftp::EngineOptions& tftp,
                std::uint64_t image_budget) {
        directory_.emplace(test::must(worker::Directory::open(store.environment())));
        images_.emplace(
            store.environment(), store.tables(),
            image::ImageStore::Options{.directory = store.images(), .budget_bytes = image_budget});
        worker_ = std::make_unique<worker::Worker<port::DpdkPort>>(
            cable.server(),
            worker::Surroundings{.self = {.mac = cable.server().hardware_address(),
                                          .address = kAddress,
                                          .subnet = *Ipv4Prefix::parse("10.0.0.0/8")},
                                 .directory = &*directory_,
                                 .counters = counters_.get(),
                                 .events = events_.get(),
                                 .tftp = tftp,
                                 .router_advertisements = false},
            test::must(images_->reader()));
    }
    void turn() noexcept {
        const std::uint64_t now = monotonic_ns();
        worker_->turn(now, now);
    }
    [[nodiscard]] const WorkerCounters& counters() const { return *counters_; }
    void forget_events() noexcept { events_->tail.store(events_->head.load()); }

  private:
    std::unique_ptr<WorkerCounters> counters_ = std::make_unique<WorkerCounters>();
    std::unique_ptr<EventRingLayout> events_ = std::make_unique<EventRingLayout>();
    std::optional<worker::Directory> directory_;
    std::optional<image::ImageStore> images_;
    std::unique_ptr<worker::Worker<port::DpdkPort>> worker_;
};

inline void report(benchmark::State& state, const Stopwatch& watch, std::uint64_t frames) {
    state.SetItemsProcessed(static_cast<std::int64_t>(frames));
    state.counters["ns_per_frame"] = static_cast<double>(watch.elapsed_ns()) / static_cast<double>(frames);
}

}  // namespace rouse::perf
