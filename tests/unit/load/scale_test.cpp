// As many machines as the rack is meant for, from the product's own worker.

#include "perf/load/rack.hpp"
#include "tests/support/worker_fixture.hpp"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace rouse::load {
namespace {

TEST(Scale, AHundredThousandMachinesComeUpEachWithItsOwnAddress) {
    constexpr std::uint32_t kMachines = 100'000;
    test::ScratchStore store;
    store.add_network_and_profile();
    store.add_machines(kMachines);
    store.add_image("file", "a short one");
    test::WorkerFixture server(store, {}, {.sessions = 4096});
    port::MemoryPort port;
    std::uint64_t now = kNanosPerSecond;
    Rack<port::MemoryPort> rack(port,
                                {.machines = kMachines,
                                 .first_mac = test::ScratchStore::mac_of(0),
                                 .kinds = {test::must(find_machine_kind("ipxe-bios"))},
                                 .files = {{.name = "file"}}},
                                now);
    const auto started = std::chrono::steady_clock::now();
    for (int turn = 0; turn < 2'000'000 && !rack.is_done(now); ++turn, now += 20'000) {
        rack.turn(now);
        port.drain([&](wire::ConstBytes frame) { server.port.inject(frame); });
        while (server.worker.turn(now, now)) {
        }
        server.forget_events();
        server.port.drain([&](wire::ConstBytes frame) { port.inject(frame); });
        // The file is staged by a thread of its own.
        if (rack.tally().transfers == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    const Tally tally = rack.tally();
    RecordProperty("seconds", std::to_string(took.count()));
    EXPECT_EQ(tally.completed, kMachines);
    EXPECT_EQ(tally.leases, kMachines);
    EXPECT_EQ(tally.transfers, kMachines);
    EXPECT_EQ(tally.corrupt + tally.failed + tally.unreadable, 0U);
    EXPECT_EQ(server.counters->get(Counter::dhcp_acks), kMachines);
}

}  // namespace
}  // namespace rouse::load
