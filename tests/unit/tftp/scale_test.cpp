// A hundred thousand transfers at once, and not one allocation.

#include "perf/allocation_counter.hpp"
#include "tests/unit/tftp/engine_fixture.hpp"

#include <fstream>

#include <unistd.h>

namespace rouse::tftp {
namespace {

constexpr std::uint32_t kSessions = 100'000;
constexpr std::uint64_t kBytesBeside = 40;

Peer client(std::uint32_t n) {
    return {Ipv4Address::from_host(0x0a010000 + n / 4),
            Ipv4Address::from_host(0x0a000001),
            static_cast<std::uint16_t>(2000 + n % 4),
            {}};
}

std::uint64_t resident_bytes() {
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

TEST(Scale, AHundredThousandTransfersAtOnceWithoutAnAllocation) {
    test::TftpHost host(1024);
    host.keep_events = false;
    host.file("f").bytes.assign(1400, 'x');
    const std::uint64_t before = resident_bytes();
    Engine<test::TftpHost> engine({.sessions = kSessions, .seed = 3});
    [[maybe_unused]] const auto engine_bytes = [before] { return resident_bytes() - before; };
#ifndef __SANITIZE_ADDRESS__
    // Each one's place in the index (two slots, rounded up), the queues and the wheel; few of the sessions.
    EXPECT_LE(engine_bytes(), kSessions * kBytesBeside + SessionTable<test::TftpHost::Route>::kAtHand * 256U);
#endif
    std::uint64_t now = kNanosPerSecond;
    std::uint64_t sent = 0;
    const auto everybody = [&](const Packet& packet) {
        for (std::uint32_t n = 0; n < kSessions; ++n) {
            ASSERT_EQ(engine.receive(now, client(n), packet, host), DropReason::none);
            if (n % 32 != 31) continue;
            sent += engine.run(now, host, 128);
            (void)host.take();
            now += 1000;
        }
    };
    const Packet request = rrq("f", {.block_size = 512, .file_size = 0});
    const std::array<Packet, 4> acks{ack(0), ack(1), ack(2), ack(3)};
    const std::uint64_t allocations = perf::allocations();
    everybody(request);
    EXPECT_EQ(engine.open_sessions(), kSessions);
    for (const Packet& packet : acks) everybody(packet);
    // Their timers, while all are finished: the places are free again, and can all be taken again.
    for (int i = 0; i < 4000; ++i) engine.run(now += kNanosPerMilli, host, 128);
    EXPECT_EQ(perf::allocations(), allocations);
    EXPECT_EQ(engine.open_sessions(), 0U);
    EXPECT_EQ(sent, kSessions * 4U);
    EXPECT_EQ(host.counters().get(Counter::tftp_transfers_completed), kSessions);
    everybody(request);
    EXPECT_EQ(engine.open_sessions(), kSessions);
    EXPECT_EQ(perf::allocations(), allocations);
#ifndef __SANITIZE_ADDRESS__
    // 256 of the session, 128 of its file's name.
    EXPECT_LE(engine_bytes() / kSessions, 256U + 128U + kBytesBeside);
#endif
}

// The other ways through: misses, refusals, errors, retransmissions, netascii.
TEST(Scale, NoPathAllocates) {
    test::TftpHost host;
    host.file("f").bytes.assign(100'000, '\n');
    Engine<test::TftpHost> engine({.sessions = 64, .seed = 3});
    const std::array<Packet, 9> packets{
        rrq("f"),
        rrq("f", {.block_size = 1468, .window_size = 8}),
        rrq("f", {}, "netascii"),
        rrq("no such file"),
        rrq("f", {}, "octet", wire::tftp::Opcode::wrq),
        raw("\0\1broken"),
        ack(0),
        ack(1),
        error(wire::tftp::ErrorCode::not_defined, "closed"),
    };
    std::uint64_t now = kNanosPerSecond;
    const std::uint64_t allocations = perf::allocations();
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        (void)engine.receive(now, client(i % 97), packets[(i * 7) % packets.size()], host);
        (void)engine.run(now, host, 64);
        (void)host.take();
        host.events.clear();
        now += 13 * kNanosPerMilli;
    }
    EXPECT_EQ(perf::allocations(), allocations);
    EXPECT_GT(host.counters().get(Counter::tftp_retransmissions), 100U);
}

}  // namespace
}  // namespace rouse::tftp
