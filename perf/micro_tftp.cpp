// What one TFTP block costs the worker on the memory port, from the frame with the ACK to the frame with the
// next 1428-byte DATA, against the limit: a memcpy of the same bytes from the same memory into the same
// port's frames.

#include "perf/allocation_counter.hpp"
#include "tests/support/scratch_store.hpp"
#include "tests/support/worker_fixture.hpp"

#include <chrono>
#include <thread>

#include <benchmark/benchmark.h>

namespace rouse {
namespace {

using test::ScratchStore;

constexpr std::size_t kBlock = 1428;
constexpr std::size_t kImageBytes = std::size_t{48} << 20;  // within the fixture's memory for images
constexpr std::size_t kAckBytes = 4;
constexpr std::uint16_t kOack = 6;  // RFC 2347

// A store with one image, and as many machines as transfers.
ScratchStore& store_of_image() {
    static ScratchStore store("/dev/shm");
    static const bool filled = [] {
        store.add_network_and_profile();
        store.add_machines(100'000);
        store.add_image("image", std::string(kImageBytes, 'x'));
        return true;
    }();
    benchmark::DoNotOptimize(filled);
    return store;
}

// One client: the frame it sends again and again, its block number written anew each time.
class Client {
  public:
    explicit Client(std::uint32_t number)
        : headers_({.source_mac = ScratchStore::mac_of(number),
                    .destination_mac = test::kServerMac,
                    .source = ScratchStore::address_of(number),
                    .destination = test::kServerAddress,
                    .source_port = 2000,
                    .destination_port = wire::tftp::kPort}),
          frame_(wire::kUdpFrameOverhead + kAckBytes) {
        headers_.write(frame_, kAckBytes);
        wire::store(frame_, wire::kUdpFrameOverhead, be16(4));
    }
    std::vector<std::byte> request() const {
        constexpr std::string_view kRequest(
            "\0\1image\0octet\0blksize\0"
            "1428\0",
            27);
        std::vector<std::byte> frame(wire::kUdpFrameOverhead + kRequest.size());
        headers_.write(frame, kRequest.size());
        wire::store_bytes(frame, wire::kUdpFrameOverhead, std::as_bytes(std::span(kRequest)));
        return frame;
    }
    std::span<std::byte> next_ack() {
        wire::store(std::span(frame_), wire::kUdpFrameOverhead + 2, be16(block_++));
        return frame_;
    }

  private:
    wire::UdpTemplate headers_;
    std::vector<std::byte> frame_;
    std::uint16_t block_ = 0;
};

// The thread's own time: what else runs on the same cores does not count.
std::uint64_t cpu_ns() {
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void report(benchmark::State& state, std::uint64_t elapsed_ns, std::uint64_t packets,
            std::uint64_t allocations) {
    state.SetItemsProcessed(static_cast<std::int64_t>(packets));
    state.SetBytesProcessed(static_cast<std::int64_t>(packets * kBlock));
    state.counters["ns_per_packet"] = static_cast<double>(elapsed_ns) / static_cast<double>(packets);
    state.counters["allocs_per_packet"] = static_cast<double>(allocations) / static_cast<double>(packets);
}

// The image is staged by a thread of its own: asks until the OACK comes.
bool open_transfer(test::WorkerFixture& fixture, const Client& client, std::uint64_t& now_ns) {
    const auto request = client.request();
    fixture.port.inject(request);
    for (int tries = 0; tries < 10'000; ++tries) {
        now_ns += kNanosPerMilli;
        fixture.worker.turn(now_ns, now_ns);
        for (const auto& sent : fixture.port.take_sent())
            if (wire::load<be16>(sent, wire::kUdpFrameOverhead) == be16(kOack)) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

void ack_to_data(benchmark::State& state) {
    test::WorkerFixture fixture(store_of_image(), {}, {.sessions = static_cast<std::size_t>(state.range(0))});
    std::uint64_t now = kNanosPerSecond;
    std::vector<Client> clients;
    for (std::uint32_t i = 0; i < state.range(0); ++i) {
        clients.emplace_back(i);
        if (!open_transfer(fixture, clients.back(), now)) {
            state.SkipWithError("a transfer did not begin");
            return;
        }
    }
    fixture.forget_events();
    std::size_t next = 0;
    std::uint64_t done = 0;
    const std::uint64_t before = perf::allocations();
    const std::uint64_t start = cpu_ns();
    for (auto _ : state) {
        for (std::size_t i = 0; i < port::kBurst; ++i)
            fixture.port.inject_in_place(clients[next++ % clients.size()].next_ack());
        fixture.worker.turn(now, now);
        done += fixture.port.drain();
    }
    const std::uint64_t elapsed = cpu_ns() - start;
    const std::uint64_t allocations = perf::allocations() - before;
    if (done != state.iterations() * port::kBurst)
        state.SkipWithError("not every ACK was answered by one block");
    report(state, elapsed, done, allocations);
}

void copy_of_the_block(benchmark::State& state) {
    const std::string bytes(kImageBytes, 'x');
    port::MemoryPort port;
    std::size_t offset = 0;
    std::array<port::Frame, port::kBurst> frames;
    const std::uint64_t start = cpu_ns();
    for (auto _ : state) {
        port.allocate(frames);
        for (auto& frame : frames) {
            std::memcpy(frame.data + wire::kUdpFrameOverhead + 4, bytes.data() + offset, kBlock);
            benchmark::ClobberMemory();
            frame.length = 0;
        }
        // As the transfers do: all of them are at about the same place of the file.
        offset = (offset + kBlock) % (kImageBytes - kBlock);
        port.send(frames);
    }
    report(state, cpu_ns() - start, state.iterations() * port::kBurst, 0);
}

// A transfer of this image ends after 35 000 blocks: fewer iterations than would reach the end of any.
BENCHMARK(copy_of_the_block);
BENCHMARK(ack_to_data)->Arg(64)->Arg(1'000)->Iterations(60'000);

}  // namespace
}  // namespace rouse

BENCHMARK_MAIN();
