// What a DHCP exchange costs the worker on a DPDK device in shared memory (memif), both ends in this process
// and on one core, each side's time taken for itself:
//   exchange  DISCOVER, OFFER, REQUEST, ACK of 1 000 machines; per exchange, which is two frames each way
//   macswap   the limit: frames of the same sizes go back with their addresses swapped, by the same port
// dpdk-testpmd's macswap is measured beside it by scripts/bench.

#include "perf/memif_cable.hpp"
#include "tests/support/dhcp_builder.hpp"

#include <numeric>
#include <vector>

namespace rouse {
namespace {

using perf::Cable;
using perf::Crossing;
using perf::Stopwatch;
using test::DhcpBuilder;
using test::ScratchStore;
using wire::DhcpType;

constexpr std::uint32_t kMachines = 1000;
constexpr std::size_t kBursts = 4;  // on their way at a time

Cable& cable() {
    static Cable one(Crossing::copied);
    return one;
}

std::vector<std::byte> message_of(DhcpType type, std::uint32_t machine) {
    DhcpBuilder builder(type, ScratchStore::mac_of(machine));
    builder.ipxe(7);
    if (type == DhcpType::request)
        builder.option(wire::DhcpOption::server_identifier, perf::MemifWorker::kAddress)
            .option(wire::DhcpOption::requested_address, ScratchStore::address_of(machine));
    return builder.frame();
}

// All machines' DISCOVERs and REQUESTs, in the order in which they are sent.
std::vector<std::vector<std::byte>> questions() {
    std::vector<std::vector<std::byte>> out;
    for (std::uint32_t first = 0; first < kMachines; first += port::kBurst)
        for (const DhcpType type : {DhcpType::discover, DhcpType::request})
            for (std::uint32_t i = first; i < std::min<std::uint32_t>(first + port::kBurst, kMachines); ++i)
                out.push_back(message_of(type, i));
    return out;
}

// Sends QUESTIONS a few bursts at a time, and has SERVE() answer them until all answers are back.
template <typename Serve>
void run(benchmark::State& state, const std::vector<std::vector<std::byte>>& questions, Serve&& serve) {
    Stopwatch watch;
    std::uint64_t answers = 0;
    std::uint64_t answer_bytes = 0;
    for (auto _ : state) {
        for (std::size_t next = 0; next < questions.size();) {
            const std::size_t end = std::min(next + kBursts * port::kBurst, questions.size());
            const std::size_t wanted = end - next;
            for (; next < end; ++next) cable().say(questions[next]);
            cable().client().flush();
            std::size_t heard = 0;
            for (int turns = 0; heard < wanted && turns < 100; ++turns) {
                watch.start();
                serve();
                watch.stop();
                heard +=
                    cable().drain([&](std::span<const std::byte> frame) { answer_bytes += frame.size(); });
            }
            if (heard != wanted) return state.SkipWithError("not every frame was answered");
            answers += heard;
        }
    }
    const double ns = static_cast<double>(watch.elapsed_ns()) / static_cast<double>(answers);
    state.counters["ns_per_exchange"] = 2 * ns;
    state.counters["question_bytes"] =
        static_cast<double>(std::accumulate(questions.begin(), questions.end(), std::size_t{0},
                                            [](std::size_t sum, const auto& q) { return sum + q.size(); })) /
        static_cast<double>(questions.size());
    state.counters["answer_bytes"] = static_cast<double>(answer_bytes) / static_cast<double>(answers);
}

void exchange(benchmark::State& state) {
    ScratchStore store("/dev/shm");
    store.add_network_and_profile();
    store.add_machines(kMachines);
    perf::MemifWorker worker(cable(), store, {.sessions = 1, .seed = 5}, 1 << 20);
    run(state, questions(), [&] {
        worker.turn();
        worker.forget_events();
    });
}

// The bytes of an answer are as many as of the question: the mean of both is on the wire each way.
void macswap(benchmark::State& state) {
    port::DpdkPort& port = cable().server();
    run(state, questions(), [&] {
        std::array<port::Frame, port::kBurst> in;
        const std::size_t received = port.receive(in);
        std::array<port::Frame, port::kBurst> out;
        const std::size_t n = port.allocate(std::span(out).first(received));
        for (std::size_t i = 0; i < n; ++i) {
            std::memcpy(out[i].data, in[i].data, in[i].length);
            std::swap_ranges(out[i].data, out[i].data + sizeof(MacAddress), out[i].data + sizeof(MacAddress));
            out[i].length = in[i].length;
        }
        port.release(std::span(in).first(received));
        port.send(std::span(out).first(n));
        port.flush();
    });
}

BENCHMARK(macswap);
BENCHMARK(exchange);

}  // namespace
}  // namespace rouse

BENCHMARK_MAIN();
