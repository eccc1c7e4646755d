// What one frame costs the worker on a DPDK device in shared memory (memif), both ends in this process and on
// one core, each side's time taken for itself:
//   tftp      the worker's turns: 1 000 transfers of one image of 1 GiB, 1428-byte blocks, windows of 16
//   transmit  the limit: frames of the same size and nothing in them, by the same port (`txonly`)
//   copy      and what no server can leave out: memcpy of the same block
// /0: memif copies each frame; /1: the server's frames are made in the memory that both share (zero copy).
// dpdk-testpmd is measured beside it by scripts/bench.

#include "perf/memif_cable.hpp"

#include <mutex>
#include <vector>

namespace rouse {
namespace {

using perf::Cable;
using perf::Crossing;
using perf::kFramesPerTurn;
using perf::Stopwatch;
using test::ScratchStore;

constexpr std::size_t kTransfers = 1000;
constexpr std::uint16_t kBlock = 1428;
constexpr std::uint16_t kWindow = 16;
constexpr std::size_t kImageBytes = std::size_t{1} << 30;
constexpr std::uint32_t kFrameBytes = wire::kUdpFrameOverhead + 4 + kBlock;

Crossing crossing_of(const benchmark::State& state) {
    return state.range(0) == 0 ? Crossing::copied : Crossing::shared;
}

Cable& cable_of(Crossing crossing) {
    static Cable copied(Crossing::copied);
    static Cable shared(Crossing::shared);
    return crossing == Crossing::copied ? copied : shared;
}

// Each transfer's next acknowledgement, and which block is to be answered with it.
class Clients {
  public:
    explicit Clients(const MacAddress& server) {
        for (std::uint32_t i = 0; i < kTransfers; ++i)
            headers_.push_back(wire::UdpTemplate({.source_mac = ScratchStore::mac_of(i),
                                                  .destination_mac = server,
                                                  .source = ScratchStore::address_of(i),
                                                  .destination = perf::MemifWorker::kAddress,
                                                  .source_port = 2000,
                                                  .destination_port = wire::tftp::kPort}));
    }

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

// Written once: so large an image takes seconds.
ScratchStore& store_with_image() {
    static ScratchStore store("/dev/shm");
    static std::once_flag filled;
    std::call_once(filled, [] {
        store.add_network_and_profile();
        store.add_machines(kTransfers);
        store.add_image("image", std::string(kImageBytes, 'r'));
    });
    return store;
}

// A worker with all its transfers begun.
class Rack {
  public:
    explicit Rack(Cable& cable)
        : cable_(cable),
          clients_(cable.server().hardware_address()),
          worker_(cable, store_with_image(), {.sessions = kTransfers, .seed = 5}, 2 * kImageBytes) {
        for (std::uint32_t client = 0; client < kTransfers; ++client) begin(client);
    }
    void turn() noexcept { worker_.turn(); }
    // Lets the clients hear and answer; returns how many frames they heard.
    std::size_t hear() {
        const std::size_t n =
            cable_.drain([&](std::span<const std::byte> frame) { clients_.hear(cable_, frame); });
        cable_.client().flush();
        return n;
    }
    [[nodiscard]] std::uint64_t get(Counter counter) const { return worker_.counters().get(counter); }

  private:
    // The image is staged by a thread of its own: the first transfer begins when it is there.
    void begin(std::uint32_t client) {
        clients_.request(cable_, client);
        cable_.client().flush();
        for (int tries = 0; tries < 60'000; ++tries) {
            turn();
            if (hear() > 0) break;
            if (client == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        worker_.forget_events();
    }

    Cable& cable_;
    Clients clients_;
    perf::MemifWorker worker_;
};

void tftp(benchmark::State& state) {
    Rack rack(cable_of(crossing_of(state)));
    const auto resent_before = rack.get(Counter::tftp_retransmissions);
    Stopwatch watch;
    std::uint64_t frames = 0;
    for (auto _ : state) {
        watch.start();
        rack.turn();
        watch.stop();
        frames += rack.hear();
    }
    state.counters["resent"] = static_cast<double>(rack.get(Counter::tftp_retransmissions) - resent_before);
    if (rack.get(Counter::tftp_requests) < kTransfers || frames < state.iterations() * kFramesPerTurn / 2)
        state.SkipWithError("the transfers did not run");
    perf::report(state, watch, frames);
}

void transmit(benchmark::State& state) {
    Cable& cable = cable_of(crossing_of(state));
    Stopwatch watch;
    std::uint64_t frames = 0;
    for (auto _ : state) {
        watch.start();
        cable.transmit(kFramesPerTurn, kFrameBytes);
        watch.stop();
        frames += cable.drain([](auto) {});
    }
    perf::report(state, watch, frames);
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
    perf::report(state, watch, copied);
}

// The iterations are said, so that no transfer comes to its end: each gets at most 1/8 of the image.
constexpr std::int64_t kTurns = 100'000;

BENCHMARK(copy);
BENCHMARK(transmit)->Arg(0)->Arg(1);
BENCHMARK(tftp)->Arg(0)->Arg(1)->Iterations(kTurns);

}  // namespace
}  // namespace rouse

BENCHMARK_MAIN();
