// What one TFTP block costs the worker on the memory port, from the frame with the ACK to the frame with the
// next 1428-byte DATA, against the limit: a memcpy of the same bytes from the same kind of memory into the
// same port's frames. And beside it what no server can leave out: the copy, and the headers in front of it;
// and what the port alone takes to bring a frame in and another one out.
//   hot    every transfer reads one image, all at about the same place: it stays in the caches
//   cold   each of 64 transfers reads an image of its own, 1 GiB together: every block comes from memory
// rouse-micro-tftp-engine tells how much of it is the engine's.

#include "perf/allocation_counter.hpp"
#include "perf/thread_time.hpp"
#include "tests/support/scratch_store.hpp"
#include "tests/support/worker_fixture.hpp"

#include <chrono>
#include <numeric>
#include <random>
#include <thread>

#include <benchmark/benchmark.h>

namespace rouse {
namespace {

using perf::Stopwatch;
using test::ScratchStore;

constexpr std::size_t kBlock = 1428;
constexpr std::size_t kImageBytes = std::size_t{16} << 20;
constexpr std::uint64_t kBlocksPerTransfer = kImageBytes / kBlock;  // whole ones
constexpr std::size_t kColdImages = 64;
constexpr std::uint64_t kBudget = std::uint64_t{2} << 30;
constexpr std::size_t kBatch =
    16 * port::kBurst;  // packets per measurement; the port has room for their answers
constexpr std::size_t kAckBytes = 4;
constexpr std::uint16_t kOack = 6;  // RFC 2347

std::string name_of(std::size_t image) {
    return "image-" + std::to_string(100 + image);
}

// A store with at least so many images and machines: made as they are needed, which takes a while.
ScratchStore& store_with(std::size_t images, std::size_t machines) {
    static ScratchStore store("/dev/shm");
    static std::size_t has_images = 0;
    static std::size_t has_machines = 0;
    if (has_machines == 0) store.add_network_and_profile();
    if (has_machines < machines) store.add_machines(static_cast<std::uint32_t>(machines));
    has_machines = std::max(has_machines, machines);
    for (; has_images < images; ++has_images)
        store.add_image(name_of(has_images), std::string(kImageBytes, static_cast<char>('0' + has_images)));
    return store;
}

// One client: the frame it sends again and again, its block number written anew each time.
class Client {
  public:
    Client(std::uint32_t number, std::size_t image)
        : headers_({.source_mac = ScratchStore::mac_of(number),
                    .destination_mac = test::kServerMac,
                    .source = ScratchStore::address_of(number),
                    .destination = test::kServerAddress,
                    .source_port = 2000,
                    .destination_port = wire::tftp::kPort}),
          frame_(wire::kUdpFrameOverhead + kAckBytes),
          image_(image) {
        headers_.write(frame_, kAckBytes);
        wire::store(std::span(frame_), wire::kUdpFrameOverhead, be16(4));
    }
    // Begins a transfer from its first block.
    [[nodiscard]] std::vector<std::byte> request() {
        block_ = 0;
        std::vector<std::byte> frame(600);
        const std::size_t length = wire::tftp::write_request(
            std::span(frame).subspan(wire::kUdpFrameOverhead), wire::tftp::Opcode::rrq, name_of(image_),
            "octet", {.block_size = std::uint16_t{kBlock}});
        frame.resize(headers_.write(frame, length));
        return frame;
    }
    std::span<std::byte> next_ack() {
        wire::store(std::span(frame_), wire::kUdpFrameOverhead + 2, be16(block_++));
        return frame_;
    }

  private:
    wire::UdpTemplate headers_;
    std::vector<std::byte> frame_;
    std::size_t image_;
    std::uint16_t block_ = 0;
};

void report(benchmark::State& state, const Stopwatch& watch, std::size_t per_iteration,
            std::uint64_t allocations) {
    const auto packets = static_cast<double>(state.iterations() * per_iteration);
    state.SetItemsProcessed(static_cast<std::int64_t>(packets));
    state.counters["packets"] = packets;
    state.counters["ns_per_packet"] = static_cast<double>(watch.elapsed_ns()) / packets;
    state.counters["allocs_per_packet"] = static_cast<double>(allocations) / packets;
}

// A worker with this many transfers, from this many images.
class Rack {
  public:
    Rack(std::size_t transfers, std::size_t images)
        : fixture_(store_with(images, transfers), {}, {.sessions = transfers, .seed = 5}, kBudget) {
        for (std::uint32_t i = 0; i < transfers; ++i) clients_.emplace_back(i, i % images);
        // Their packets come in no order that the hardware could foresee.
        order_.resize(transfers);
        std::iota(order_.begin(), order_.end(), 0);
        std::shuffle(order_.begin(), order_.end(), std::mt19937(3));
    }
    // Every transfer from its beginning; false when one did not begin.
    [[nodiscard]] bool open() {
        now_ns_ += 10 * kNanosPerSecond;
        left_ = clients_.size() * (kBlocksPerTransfer - 1);
        for (Client& client : clients_)
            if (!open(client)) return false;
        fixture_.forget_events();
        return true;
    }
    [[nodiscard]] bool is_at_end() const { return left_ < kBatch; }
    // As a device does it: fills the receive ring with ACKs.
    void receive_acks() {
        for (std::size_t i = 0; i < kBatch; ++i) {
            fixture_.port.inject(clients_[order_[next_]].next_ack());
            next_ = next_ + 1 == order_.size() ? 0 : next_ + 1;
        }
        left_ -= kBatch;
    }
    void answer_acks() {
        for (std::size_t i = 0; i < kBatch; i += port::kBurst) {
            now_ns_ += 3000;
            fixture_.worker.turn(now_ns_, now_ns_);
        }
    }
    // As a device does it: takes the answers off the transmit ring. Returns how many.
    std::size_t take_answers() { return fixture_.port.drain(); }

  private:
    // The image is staged by a thread of its own: waits until the OACK comes.
    bool open(Client& client) {
        fixture_.port.inject(client.request());
        for (int tries = 0; tries < 60'000; ++tries) {
            now_ns_ += tries == 0 ? 1000 : 100'000;
            fixture_.worker.turn(now_ns_, now_ns_);
            bool opened = false;
            fixture_.port.drain([&](std::span<const std::byte> sent) {
                opened = opened || wire::load<be16>(sent, wire::kUdpFrameOverhead) == be16(kOack);
            });
            if (opened) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return false;
    }

    test::WorkerFixture fixture_;
    std::vector<Client> clients_;
    std::vector<std::uint32_t> order_;
    std::size_t next_ = 0;
    std::uint64_t left_ = 0;
    std::uint64_t now_ns_ = kNanosPerSecond;
};

void ack_to_data(benchmark::State& state) {
    Rack rack(static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)));
    bool is_open = rack.open();
    std::uint64_t done = 0;
    std::uint64_t allocations = 0;
    Stopwatch watch;
    for (auto _ : state) {
        if (rack.is_at_end()) is_open = is_open && rack.open();
        rack.receive_acks();
        const std::uint64_t before = perf::allocations();
        watch.start();
        rack.answer_acks();
        watch.stop();
        allocations += perf::allocations() - before;
        done += rack.take_answers();
    }
    if (!is_open) {
        state.SkipWithError("a transfer did not begin");
    } else if (done != state.iterations() * kBatch) {
        state.SkipWithError("not every ACK was answered by one block");
    }
    report(state, watch, kBatch, allocations);
}

// A frame in, another one out, and nothing done about either.
void port_alone(benchmark::State& state) {
    port::MemoryPort port;
    std::array<std::byte, 60> shortest{};
    std::array<port::Frame, port::kBurst> in;
    std::array<port::Frame, port::kBurst> out;
    std::size_t done = 0;
    Stopwatch watch;
    for (auto _ : state) {
        for (std::size_t i = 0; i < kBatch; ++i) port.inject(shortest);
        watch.start();
        for (std::size_t i = 0; i < kBatch; i += port::kBurst) {
            port.receive(in);
            port.release(in);
            port.allocate(out);
            for (auto& frame : out)
                frame.length = wire::kUdpFrameOverhead + wire::tftp::kHeaderBytes + kBlock;
            port.send(out);
            port.flush();
        }
        watch.stop();
        done += port.drain();
    }
    if (done != state.iterations() * kBatch) state.SkipWithError("not every frame came through");
    report(state, watch, kBatch, 0);
}

// The images' bytes, in memory as the image store has them.
const std::vector<image::SealedMemory>& sources() {
    static const auto made = [] {
        std::vector<image::SealedMemory> all;
        for (std::size_t i = 0; i < kColdImages; ++i) {
            auto memory = test::must(image::SealedMemory::allocate(kImageBytes));
            std::ranges::fill(memory.room(), static_cast<std::byte>(i));
            test::must(memory.seal());
            all.push_back(std::move(memory));
        }
        return all;
    }();
    return made;
}

// `write_headers`: what stands in front of a block, for its receiver.
template <typename WriteHeaders>
void copy_blocks(benchmark::State& state, const WriteHeaders& write_headers) {
    const auto transfers = static_cast<std::size_t>(state.range(0));
    const auto images = static_cast<std::size_t>(state.range(1));
    const auto& from = sources();
    port::MemoryPort port;
    std::array<port::Frame, port::kBurst> frames;
    std::size_t transfer = 0;
    std::size_t offset = 0;
    Stopwatch watch;
    watch.start();
    for (auto _ : state) {
        port.allocate(frames);
        for (auto& frame : frames) {
            const auto block = from[transfer % images].bytes().subspan(offset, kBlock);
            std::memcpy(frame.data + wire::kUdpFrameOverhead + wire::tftp::kHeaderBytes, block.data(),
                        kBlock);
            write_headers(frame, transfer);
            benchmark::ClobberMemory();
            frame.length = 0;
            if (++transfer < transfers) continue;
            transfer = 0;
            offset = offset + 2 * kBlock <= kImageBytes ? offset + kBlock : 0;
        }
        port.send(frames);
    }
    watch.stop();
    report(state, watch, port::kBurst, 0);
}

void copy(benchmark::State& state) {
    copy_blocks(state, [](const port::Frame&, std::size_t) {});
}

void copy_with_headers(benchmark::State& state) {
    std::vector<wire::UdpTemplate> routes;
    for (std::uint32_t i = 0; i < state.range(0); ++i)
        routes.emplace_back(wire::UdpTemplate::Endpoints{.source_mac = test::kServerMac,
                                                         .destination_mac = ScratchStore::mac_of(i),
                                                         .source = test::kServerAddress,
                                                         .destination = ScratchStore::address_of(i),
                                                         .source_port = wire::tftp::kPort,
                                                         .destination_port = 2000});
    copy_blocks(state, [&](const port::Frame& frame, std::size_t transfer) {
        const std::span<std::byte> room(frame.data, frame.capacity);
        (void)wire::tftp::write_data_header(room.subspan(wire::kUdpFrameOverhead),
                                            static_cast<std::uint16_t>(transfer));
        routes[transfer].write(room, wire::tftp::kHeaderBytes + kBlock);
    });
}

void shapes(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgNames({"transfers", "images"});
    for (const int transfers : {64, 100, 1'000, 10'000, 100'000}) benchmark->Args({transfers, 1});
    benchmark->Args({kColdImages, kColdImages});
}
BENCHMARK(port_alone);
BENCHMARK(copy)->Apply(shapes);
BENCHMARK(copy_with_headers)->Apply(shapes);
// The iterations are said: to find them out, the library would stage the images several times.
BENCHMARK(ack_to_data)->Apply(shapes)->Iterations(4'000);
// Fewer of them, for tools that make each cost a hundred times as much (callgrind).
void ack_to_data_few(benchmark::State& state) {
    ack_to_data(state);
}
BENCHMARK(ack_to_data_few)->Args({64, 1})->Iterations(200);

}  // namespace
}  // namespace rouse

BENCHMARK_MAIN();
