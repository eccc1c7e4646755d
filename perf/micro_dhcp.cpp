// What a DHCP exchange costs the worker on the memory port, from frame in to frame out: DISCOVER, OFFER,
// REQUEST, ACK of every machine of a store, in random order, so that caches help no more than they will in a
// rack. Beside it the limits: the store's lookup of the same machines in the same order, and the writing of
// an answer.

#include "dataplane/port/memory.hpp"
#include "dataplane/worker/worker.hpp"
#include "perf/allocation_counter.hpp"
#include "perf/thread_time.hpp"
#include "tests/support/dhcp_builder.hpp"
#include "tests/support/scratch_store.hpp"
#include "tests/support/worker_fixture.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

#include <benchmark/benchmark.h>

namespace rouse {
namespace {

using test::DhcpBuilder;
using test::ScratchStore;
using wire::DhcpType;

// One store per size, made once: a million machines take a while.
ScratchStore& store_with(std::uint32_t machines) {
    static std::map<std::uint32_t, std::unique_ptr<ScratchStore>> stores;
    auto& slot = stores[machines];
    if (!slot) {
        slot = std::make_unique<ScratchStore>("/dev/shm");
        slot->add_network_and_profile();
        slot->add_machines(machines);
        slot->commit([&](auto& txn, auto&) { slot->count_change_of_hosts(txn); });
    }
    return *slot;
}

// Every machine once, in an order that is the same in every run.
std::vector<std::uint32_t> shuffled(std::uint32_t machines) {
    std::vector<std::uint32_t> order(machines);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), std::mt19937(7));
    return order;
}

DhcpBuilder message_of(DhcpType type, std::uint32_t machine) {
    DhcpBuilder builder(type, ScratchStore::mac_of(machine));
    builder.ipxe(7);
    if (type == DhcpType::request)
        builder.option(wire::DhcpOption::server_identifier, test::kServerAddress)
            .option(wire::DhcpOption::requested_address, ScratchStore::address_of(machine));
    return builder;
}

// A port that reuses the frames that it sent last, warm in cache, as a device's port does.
constexpr port::MemoryOptions kPort{.transmit_frames = 2 * port::kBurst, .transmit_ring = 2 * port::kBurst};

// A burst of messages of one type. They are written anew for other machines in the same memory, as a device
// reuses its frames; only what the worker does with them is measured.
class Burst {
  public:
    void aim(DhcpType type, std::span<const std::uint32_t> machines) {
        for (std::size_t i = 0; i < machines.size(); ++i) frames_[i] = message_of(type, machines[i]).frame();
        used_ = machines.size();
    }
    // Nanoseconds of thread time, and allocations, that the answers took. False: not all were answered.
    bool run(test::WorkerFixture& fixture, std::uint64_t& ns, std::uint64_t& allocations) {
        for (std::size_t i = 0; i < used_; ++i) fixture.port.inject_in_place(frames_[i]);
        ++now_;
        const std::uint64_t allocations_before = perf::allocations();
        const std::uint64_t start = perf::thread_cpu_ns();
        fixture.worker.turn(now_, now_);
        ns += perf::thread_cpu_ns() - start;
        allocations += perf::allocations() - allocations_before;
        fixture.forget_events();
        return fixture.port.drain() == used_;
    }

  private:
    std::array<std::vector<std::byte>, port::kBurst> frames_;
    std::size_t used_ = 0;
    std::uint64_t now_ = 0;
};

struct Cost {
    std::uint64_t discover_ns = 0;
    std::uint64_t request_ns = 0;
    std::uint64_t allocations = 0;
    std::uint64_t exchanges = 0;

    void report(benchmark::State& state) const {
        const auto count = static_cast<double>(exchanges);
        const auto total_ns = static_cast<double>(discover_ns + request_ns);
        state.SetIterationTime(total_ns / 1e9);
        state.counters["exchanges"] = count;
        state.counters["ns_per_exchange"] = total_ns / count;
        state.counters["exchanges_per_second"] = count * 1e9 / total_ns;
        state.counters["ns_per_discover"] = static_cast<double>(discover_ns) / count;
        state.counters["ns_per_request"] = static_cast<double>(request_ns) / count;
        state.counters["allocs_per_exchange"] = static_cast<double>(allocations) / count;
    }
};

// Calls RUN(machines) for every burst of ORDER.
template <typename Run>
void for_bursts(std::span<const std::uint32_t> order, Run&& run) {
    for (auto rest = order; !rest.empty();) {
        const std::size_t size = std::min(rest.size(), port::kBurst);
        run(rest.first(size));
        rest = rest.subspan(size);
    }
}

// All machines of a store and a worker that serves them.
class Rack {
  public:
    explicit Rack(benchmark::State& state)
        : state_(&state),
          store_(&store_with(static_cast<std::uint32_t>(state.range(0)))),
          fixture_(*store_, kPort),
          order_(shuffled(static_cast<std::uint32_t>(state.range(0)))) {}

    // Some host has changed: the worker no longer relies on what it remembers of them.
    void forget() {
        store_->commit([this](auto& txn, auto&) { store_->count_change_of_hosts(txn); });
    }
    // One exchange of every machine, its REQUEST soon after its OFFER.
    void exchange(Cost& cost) {
        for_bursts(order_, [&](auto some) {
            send(DhcpType::discover, some, cost.discover_ns, cost);
            send(DhcpType::request, some, cost.request_ns, cost);
        });
        cost.exchanges += order_.size();
    }
    // Every DISCOVER comes before the first REQUEST.
    void avalanche(Cost& cost) {
        for_bursts(order_, [&](auto some) { send(DhcpType::discover, some, cost.discover_ns, cost); });
        for_bursts(order_, [&](auto some) { send(DhcpType::request, some, cost.request_ns, cost); });
        cost.exchanges += order_.size();
    }

  private:
    void send(DhcpType type, std::span<const std::uint32_t> machines, std::uint64_t& ns, Cost& cost) {
        burst_.aim(type, machines);
        if (!burst_.run(fixture_, ns, cost.allocations))
            state_->SkipWithError("not every message was answered");
    }

    benchmark::State* state_;
    ScratchStore* store_;
    test::WorkerFixture fixture_;
    std::vector<std::uint32_t> order_;
    Burst burst_;
};

constexpr std::uint64_t kExchanges = 250'000;  // at least so many are measured

// Machines that were served before, since some host last changed: what a rack at work costs.
void exchange(benchmark::State& state) {
    Rack rack(state);
    Cost unmeasured;
    rack.exchange(unmeasured);
    for (auto _ : state) {
        Cost cost;
        while (cost.exchanges < kExchanges) rack.exchange(cost);
        cost.report(state);
    }
}
// Fewer of them, for tools that make each cost a hundred times as much (callgrind); the first round is
// counted.
void exchange_few(benchmark::State& state) {
    Rack rack(state);
    for (auto _ : state) {
        Cost cost;
        while (cost.exchanges < kExchanges / 10) rack.exchange(cost);
        cost.report(state);
    }
}

// Machines that this worker never saw: each DISCOVER is a lookup in the store.
void measure_strangers(benchmark::State& state, void (Rack::*serve)(Cost&)) {
    Rack rack(state);
    for (auto _ : state) {
        Cost cost;
        for (; cost.exchanges < kExchanges; rack.forget()) (rack.*serve)(cost);
        cost.report(state);
    }
}
void first_exchange(benchmark::State& state) {
    measure_strangers(state, &Rack::exchange);
}
// All of them at once.
void first_avalanche(benchmark::State& state) {
    measure_strangers(state, &Rack::avalanche);
}

// Limit: the one lookup that no answer can do without.
void store_lookup(benchmark::State& state) {
    const auto machines = static_cast<std::uint32_t>(state.range(0));
    std::vector<MacAddress> macs;
    for (const auto machine : shuffled(machines)) macs.push_back(ScratchStore::mac_of(machine));
    std::size_t next = 0;
    auto& environment = store_with(machines).environment();
    auto txn = test::must(environment.begin(store::Access::read_only));
    const auto hosts = store_with(machines).tables().hosts;
    const std::uint64_t start = perf::thread_cpu_ns();
    for (auto _ : state) {
        txn.reset();
        if (!txn.renew()) state.SkipWithError("the store cannot be read");
        for (std::size_t i = 0; i < port::kBurst; ++i) {
            const auto value = store::peek(txn, hosts, store::bytes_of(macs[next]));
            benchmark::DoNotOptimize(store::decode<store::HostRecord>(*value));
            next = next + 1 == macs.size() ? 0 : next + 1;
        }
    }
    state.counters["ns_per_lookup"] = static_cast<double>(perf::thread_cpu_ns() - start) /
                                      static_cast<double>(state.iterations() * port::kBurst);
}

// Limit: an OFFER's bytes, when all that is in it is known.
void frame_build(benchmark::State& state) {
    auto& store = store_with(1'000);
    auto directory = test::must(worker::Directory::open(store.environment()));
    directory.begin();
    const auto payload = message_of(DhcpType::discover, 0).payload();
    dhcp::Message message;
    if (dhcp::parse(payload, message) != DropReason::none) state.SkipWithError("a bad message");
    const auto host = directory.host(message.header.hardware);
    const wire::Self self{.mac = test::kServerMac, .address = test::kServerAddress};
    const dhcp::Facts facts{
        .server = test::kServerAddress, .host = &*host, .network = directory.network(host->network)};
    const wire::Datagram received{.source_mac = message.header.hardware};
    std::array<std::byte, port::kMaxFrameBytes> frame;
    const std::uint64_t start = perf::thread_cpu_ns();
    for (auto _ : state) {
        const auto answer = dhcp::respond(message, facts, std::span(frame).subspan(wire::kUdpFrameOverhead));
        const wire::UdpTemplate headers(dhcp::destination(message, facts, answer.type, received, self));
        wire::add_udp_checksum(std::span(frame).first(headers.write(frame, answer.length)));
        benchmark::DoNotOptimize(frame);
    }
    state.counters["ns_per_frame"] =
        static_cast<double>(perf::thread_cpu_ns() - start) / static_cast<double>(state.iterations());
}

#define SIZES Arg(1'000)->Arg(100'000)->Arg(1'000'000)
BENCHMARK(store_lookup)->SIZES;
BENCHMARK(frame_build);
BENCHMARK(exchange)->SIZES->UseManualTime()->Iterations(1);
BENCHMARK(exchange_few)->Arg(1'000)->UseManualTime()->Iterations(1);
BENCHMARK(first_exchange)->SIZES->UseManualTime()->Iterations(1);
BENCHMARK(first_avalanche)->SIZES->UseManualTime()->Iterations(1);

}  // namespace
}  // namespace rouse

BENCHMARK_MAIN();
