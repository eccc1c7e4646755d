// What one DHCP message costs the worker on the memory port, from frame in to frame out, against the limit:
// the store's lookup of the same machine. Machines are asked for at random, so caches help as little as they
// will in a rack.

#include "dataplane/port/memory.hpp"
#include "dataplane/worker/worker.hpp"
#include "perf/allocation_counter.hpp"
#include "tests/support/dhcp_builder.hpp"
#include "tests/support/scratch_store.hpp"
#include "tests/support/worker_fixture.hpp"

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
    }
    return *slot;
}

std::vector<std::vector<std::byte>> requests(DhcpType type, std::uint32_t machines) {
    std::mt19937 random(7);
    std::uniform_int_distribution<std::uint32_t> machine_of(0, machines - 1);
    std::vector<std::vector<std::byte>> frames;
    for (int i = 0; i < 4096; ++i) {
        const std::uint32_t machine = machine_of(random);
        DhcpBuilder builder(type, ScratchStore::mac_of(machine));
        builder.ipxe(7);
        if (type == DhcpType::request)
            builder.option(wire::DhcpOption::server_identifier, test::kServerAddress)
                .option(wire::DhcpOption::requested_address, ScratchStore::address_of(machine));
        frames.push_back(builder.frame());
    }
    return frames;
}

void report(benchmark::State& state, std::uint64_t elapsed_ns, std::uint64_t frames,
            std::uint64_t allocations) {
    state.SetItemsProcessed(static_cast<std::int64_t>(frames));
    state.counters["ns_per_packet"] = static_cast<double>(elapsed_ns) / static_cast<double>(frames);
    state.counters["allocs_per_packet"] = static_cast<double>(allocations) / static_cast<double>(frames);
}

void dhcp_exchange(benchmark::State& state, DhcpType type) {
    const auto machines = static_cast<std::uint32_t>(state.range(0));
    test::WorkerFixture fixture(store_with(machines));
    auto frames = requests(type, machines);
    std::size_t next = 0;
    std::uint64_t done = 0;
    std::uint64_t now = 1;
    const std::uint64_t before = perf::allocations();
    const std::uint64_t start = monotonic_ns();
    for (auto _ : state) {
        for (std::size_t i = 0; i < port::kBurst; ++i)
            fixture.port.inject_in_place(frames[next++ % frames.size()]);
        fixture.worker.turn(now, now);
        done += fixture.port.drain();
        fixture.forget_events();
        ++now;
    }
    const std::uint64_t elapsed = monotonic_ns() - start;
    const std::uint64_t allocations = perf::allocations() - before;
    if (done != state.iterations() * port::kBurst) state.SkipWithError("not every message was answered");
    report(state, elapsed, done, allocations);
}

void discover_to_offer(benchmark::State& state) {
    dhcp_exchange(state, DhcpType::discover);
}
void request_to_ack(benchmark::State& state) {
    dhcp_exchange(state, DhcpType::request);
}

// The limit: the one lookup that no answer can do without.
void store_lookup(benchmark::State& state) {
    const auto machines = static_cast<std::uint32_t>(state.range(0));
    auto directory = test::must(worker::Directory::open(store_with(machines).environment()));
    std::mt19937 random(7);
    std::uniform_int_distribution<std::uint32_t> machine_of(0, machines - 1);
    std::vector<MacAddress> macs(4096);
    for (auto& mac : macs) mac = ScratchStore::mac_of(machine_of(random));
    std::size_t next = 0;
    const std::uint64_t start = monotonic_ns();
    for (auto _ : state) {
        directory.begin();
        for (std::size_t i = 0; i < port::kBurst; ++i)
            benchmark::DoNotOptimize(directory.host(macs[next++ % macs.size()]));
        directory.end();
    }
    report(state, monotonic_ns() - start, state.iterations() * port::kBurst, 0);
}

#define SIZES Arg(1'000)->Arg(100'000)->Arg(1'000'000)
BENCHMARK(store_lookup)->SIZES;
BENCHMARK(discover_to_offer)->SIZES;
BENCHMARK(request_to_ack)->SIZES;

}  // namespace
}  // namespace rouse

BENCHMARK_MAIN();
