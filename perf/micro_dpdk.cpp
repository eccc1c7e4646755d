// What one frame costs the worker on a DPDK device in shared memory (memif), both ends in this process and on
// one core, each side's time taken for itself:
//   tftp      the worker's turns: 1 000 transfers of one image of 1 GiB, 1428-byte blocks, windows of 16
//   transmit  the limit: frames of the same size and nothing in them, by the same port (`txonly`)
//   copy      and what no server can leave out: memcpy of the same block
// dpdk-testpmd is measured beside it by scripts/bench.

#include "dataplane/port/dpdk_device.hpp"
#include "dataplane/worker/worker.hpp"
#include "tests/support/scratch_store.hpp"

#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <unistd.h>

namespace rouse {
namespace {

using test::must;
using test::ScratchStore;

constexpr std::size_t kTransfers = 1000;
constexpr std::uint16_t kBlock = 1428;
constexpr std::uint16_t kWindow = 16;
constexpr std::size_t kImageBytes = std::size_t{1} << 30;
constexpr std::size_t kFrameBytes = wire::kUdpFrameOverhead + 4 + kBlock;
constexpr std::size_t kFramesPerTurn = 4 * port::kBurst;  // what a worker sends in one

class Stopwatch {
  public:
    void start() { started_ = clock_ns(CLOCK_THREAD_CPUTIME_ID); }
    void stop() { elapsed_ns_ += clock_ns(CLOCK_THREAD_CPUTIME_ID) - started_; }
    [[nodiscard]] std::uint64_t elapsed_ns() const { return elapsed_ns_; }

  private:
    std::uint64_t started_ = 0;
    std::uint64_t elapsed_ns_ = 0;
};

void report(benchmark::State& state, const Stopwatch& watch, std::uint64_t frames) {
    state.SetItemsProcessed(static_cast<std::int64_t>(frames));
    state.counters["ns_per_frame"] = static_cast<double>(watch.elapsed_ns()) / static_cast<double>(frames);
}

// The two ends, and the cable between them.
class Cable {
  public:
    static Cable& instance() {
        static Cable cable;
        return cable;
    }
    [[nodiscard]] port::DpdkPort& server() { return server_.ports().front(); }
    [[nodiscard]] port::DpdkPort& client() { return client_.ports().front(); }

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
    void say(std::span<const std::byte> bytes) {
        std::array<port::Frame, 1> frame;
        if (client().allocate(frame) == 0) throw std::runtime_error("the client's end is full");
        std::copy(bytes.begin(), bytes.end(), frame[0].data);
        frame[0].length = static_cast<std::uint32_t>(bytes.size());
        client().send(frame);
    }
    // COUNT frames with nothing in them from the server's end.
    void transmit(std::size_t count) {
        for (std::size_t sent = 0; sent < count;) {
            std::array<port::Frame, port::kBurst> frames;
            const std::size_t n = server().allocate(frames);
            for (std::size_t i = 0; i < n; ++i) frames[i].length = kFrameBytes;
            sent += server().send(std::span(frames).first(n));
        }
        server().flush();
    }

  private:
    Cable() {
        for (int tries = 0; tries < 500; ++tries) {
            transmit(1);
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            if (drain([](auto) {}) > 0) return;
        }
        throw std::runtime_error("the two ends of the memif did not find each other");
    }
    static port::DpdkDevice open(const std::string& name, const std::string& role) {
        port::DpdkOptions options;
        options.eal_arguments = "-m 64";
        return must(port::DpdkDevice::open(
            name + ",role=" + role + ",socket=rouse-micro-" + std::to_string(::getpid()), 1, options));
    }
    port::DpdkDevice server_ = open("net_memif0", "server");
    port::DpdkDevice client_ = open("net_memif1", "client");
};

// Each transfer's next acknowledgement, and which block is to be answered with it.
class Clients {
  public:
    explicit Clients(const MacAddress& server) {
        for (std::uint32_t i = 0; i < kTransfers; ++i)
            headers_.push_back(wire::UdpTemplate({.source_mac = ScratchStore::mac_of(i),
                                                  .destination_mac = server,
                                                  .source = ScratchStore::address_of(i),
                                                  .destination = kServer,
                                                  .source_port = 2000,
                                                  .destination_port = wire::tftp::kPort}));
    }
    static inline const Ipv4Address kServer = *Ipv4Address::parse("10.0.0.1");

    void request(Cable& cable, std::uint32_t client) {
        std::array<std::byte, 600> frame{};
        const std::size_t length = wire::tftp::write_request(
            std::span(frame).subspan(wire::kUdpFrameOverhead), wire::tftp::Opcode::rrq, "image", "octet",
            {.block_size = kBlock, .window_size = kWindow});
        cable.say(std::span(frame).first(headers_[client].write(frame, length)));
    }
    // Answers the end of each window; anything else that came is DATA on its way, or the OACK.
    void hear(Cable& cable, std::span<const std::byte> frame) {
        constexpr std::uint16_t kData = 3;
        constexpr std::uint16_t kOack = 6;
        const auto opcode = wire::load<be16>(frame, wire::kUdpFrameOverhead);
        const auto block = wire::load<be16>(frame, wire::kUdpFrameOverhead + 2);
        const auto to = wire::load<Ipv4Address>(
            frame, sizeof(wire::EthernetHeader) + offsetof(wire::Ipv4Header, destination));
        if (!opcode || !block || !to) return;
        const std::uint32_t client = to->host() - ScratchStore::address_of(0).host();
        if (client >= headers_.size()) return;
        if (*opcode == kOack)
            acknowledge(cable, client, 0);
        else if (*opcode == kData && block->host() % kWindow == 0)
            acknowledge(cable, client, block->host());
    }

  private:
    void acknowledge(Cable& cable, std::uint32_t client, std::uint16_t block) {
        std::array<std::byte, wire::kUdpFrameOverhead + 4> frame{};
        headers_[client].write(frame, 4);
        wire::store(std::span(frame), wire::kUdpFrameOverhead, be16(4));
        wire::store(std::span(frame), wire::kUdpFrameOverhead + 2, be16(block));
        cable.say(frame);
    }
    std::vector<wire::UdpTemplate> headers_;
};

// The worker at the server's end with all its transfers begun.
class Server {
  public:
    static Server& instance() {
        static Server server;
        return server;
    }
    void turn() noexcept {
        const std::uint64_t now = monotonic_ns();
        worker_->turn(now, now);
    }
    // Lets the clients hear and answer; returns how many frames they heard.
    std::size_t hear() {
        const std::size_t n =
            cable_.drain([&](std::span<const std::byte> frame) { clients_.hear(cable_, frame); });
        cable_.client().flush();
        return n;
    }
    [[nodiscard]] const WorkerCounters& counters() const { return *counters_; }

  private:
    Server() {
        store_.add_network_and_profile();
        store_.add_machines(kTransfers);
        store_.add_image("image", std::string(kImageBytes, 'r'));
        directory_.emplace(must(worker::Directory::open(store_.environment())));
        images_.emplace(
            store_.environment(), store_.tables(),
            image::ImageStore::Options{.directory = store_.images(), .budget_bytes = 2 * kImageBytes});
        worker_ = std::make_unique<worker::Worker<port::DpdkPort>>(
            cable_.server(),
            worker::Surroundings{.self = {.mac = mac_,
                                          .address = Clients::kServer,
                                          .subnet = *Ipv4Prefix::parse("10.0.0.0/8")},
                                 .directory = &*directory_,
                                 .counters = counters_.get(),
                                 .events = events_.get(),
                                 .tftp = {.sessions = kTransfers, .seed = 5},
                                 .router_advertisements = false},
            must(images_->reader()));
        for (std::uint32_t client = 0; client < kTransfers; ++client) begin(client);
    }
    // The image is staged by a thread of its own: the first transfer begins when it is there.
    void begin(std::uint32_t client) {
        clients_.request(cable_, client);
        cable_.client().flush();
        for (int tries = 0; tries < 60'000; ++tries) {
            turn();
            if (hear() > 0) break;
            if (client == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        events_->tail.store(events_->head.load());
    }

    Cable& cable_ = Cable::instance();
    MacAddress mac_ = cable_.server().hardware_address();
    Clients clients_{mac_};
    ScratchStore store_{"/dev/shm"};
    std::unique_ptr<WorkerCounters> counters_ = std::make_unique<WorkerCounters>();
    std::unique_ptr<EventRingLayout> events_ = std::make_unique<EventRingLayout>();
    std::optional<worker::Directory> directory_;
    std::optional<image::ImageStore> images_;
    std::unique_ptr<worker::Worker<port::DpdkPort>> worker_;
};

void tftp(benchmark::State& state) {
    Server& server = Server::instance();
    const auto resent_before = server.counters().get(Counter::tftp_retransmissions);
    Stopwatch watch;
    std::uint64_t frames = 0;
    for (auto _ : state) {
        watch.start();
        server.turn();
        watch.stop();
        frames += server.hear();
    }
    state.counters["resent"] =
        static_cast<double>(server.counters().get(Counter::tftp_retransmissions) - resent_before);
    if (server.counters().get(Counter::tftp_requests) < kTransfers ||
        frames < state.iterations() * kFramesPerTurn / 2)
        state.SkipWithError("the transfers did not run");
    report(state, watch, frames);
}

void transmit(benchmark::State& state) {
    Cable& cable = Cable::instance();
    Stopwatch watch;
    std::uint64_t frames = 0;
    for (auto _ : state) {
        watch.start();
        cable.transmit(kFramesPerTurn);
        watch.stop();
        frames += cable.drain([](auto) {});
    }
    report(state, watch, frames);
}

// From an image as transfers read it: each block is read by all of them before the next.
void copy(benchmark::State& state) {
    const std::vector<std::byte> image(kImageBytes / 8, std::byte{1});
    std::vector<std::byte> frames(kFramesPerTurn * 2048);
    Stopwatch watch;
    std::uint64_t copied = 0;
    for (auto _ : state) {
        watch.start();
        for (std::size_t i = 0; i < kFramesPerTurn; ++i, ++copied) {
            const std::size_t window = copied / kWindow / kTransfers * kWindow + copied % kWindow;
            std::memcpy(frames.data() + i * 2048, image.data() + window * kBlock % (image.size() - kBlock),
                        kBlock);
            benchmark::ClobberMemory();
        }
        watch.stop();
    }
    report(state, watch, copied);
}

BENCHMARK(copy);
BENCHMARK(transmit);
BENCHMARK(tftp);

}  // namespace
}  // namespace rouse

BENCHMARK_MAIN();
