// Who the XDP program takes for known, and how much strangers may send.

#include "shared/clock.hpp"
#include "tests/unit/ebpf/defence_fixture.hpp"

#include <chrono>
#include <thread>

namespace rouse::ebpf {
namespace {

struct Case {
    const char* description;
    Bytes frame;
    bool known;
};
std::vector<Case> cases() {
    const Ipv4Address relay = *Ipv4Address::parse("10.9.0.1");
    const test::Udp relayed{.source_port = 67, .destination_port = 67};
    const test::Udp boot_server{.source_port = 4011, .destination_port = 4011};
    constexpr std::size_t kToChaddr = 14 + 20 + 8 + 28;
    return {
        {"DHCP of a known machine", dhcp({}), true},
        {"DHCP of a stranger", dhcp({.source = kStranger, .client = kStranger}), false},
        {"stranger in a known machine's name", dhcp({.source = kStranger}), false},
        {"known machine in a stranger's name", dhcp({.client = kStranger}), false},
        {"known machine in another known one's name", dhcp({.client = kAlsoKnown}), false},
        {"DHCP too short to name a machine", dhcp({.size = kToChaddr + 15}), false},
        {"DHCP just long enough for it", dhcp({.size = kToChaddr + 16}), true},
        {"DHCP with nothing after UDP", dhcp({.size = kToChaddr - 28}), false},

        {"relayed DHCP of a known machine", dhcp({.source = kRouter, .relay = relay, .udp = relayed}), true},
        {"relayed DHCP of a stranger",
         dhcp({.source = kRouter, .client = kStranger, .relay = relay, .udp = relayed}), false},
        {"stranger behind a relay that is a known machine",
         dhcp({.client = kStranger, .relay = relay, .udp = relayed}), false},
        {"giaddr without the relay's port", dhcp({.source = kRouter, .relay = relay}), false},
        {"a relay's port without giaddr", dhcp({.source = kRouter, .udp = relayed}), false},
        {"relayed to the boot server's port",
         dhcp({.source = kRouter, .relay = relay, .udp = {.source_port = 67, .destination_port = 4011}}),
         false},

        {"boot server request of a known machine", dhcp({.udp = boot_server}), true},
        {"boot server request of a stranger",
         dhcp({.source = kStranger, .client = kStranger, .udp = boot_server}), false},
        {"boot server request through a router",
         dhcp({.source = kRouter, .address = kLeasedElsewhere, .udp = boot_server}), true},
        {"renewal through a router", dhcp({.source = kRouter, .address = kLeasedElsewhere}), true},
        {"renewal through a router, without a lease", dhcp({.source = kRouter, .address = kOther}), false},

        {"TFTP of a known machine", tftp(kKnown, kOther), true},
        {"TFTP of a known machine without an address", tftp(kKnown, {}), true},
        {"TFTP of a stranger", tftp(kStranger, kOther), false},
        {"TFTP of a stranger without an address", tftp(kStranger, {}), false},
        {"TFTP through a router", tftp(kRouter, kLeasedElsewhere), true},
        {"TFTP through a router, without a lease", tftp(kRouter, kOther), false},
    };
}

TEST_F(Defence, TellsTheKnownFromStrangers) {
    list_->set_limits(kNobody);
    const auto table = cases();
    std::uint64_t known = 0;
    for (const Case& c : table) {
        EXPECT_EQ(run(c.frame), c.known ? XDP_REDIRECT : XDP_DROP) << c.description;
        known += c.known ? 1 : 0;
    }
    EXPECT_EQ(counted().redirected, known);
    EXPECT_EQ(counted().dropped_flood, table.size() - known);
}

TEST_F(Defence, SwitchedOffServesEverybody) {
    list_->set_limits(kNobody);
    list_->enforce(false);
    for (const Case& c : cases()) EXPECT_EQ(run(c.frame), XDP_REDIRECT) << c.description;
    EXPECT_EQ(counted().redirected, cases().size());
}

TEST_F(Defence, OthersFramesStayTheKernels) {
    list_->set_limits(kNobody);
    const Bytes frame = PacketBuilder()
                            .eth({.source = kStranger})
                            .ipv4()
                            .udp({.destination_port = 5000})
                            .payload(100)
                            .build();
    EXPECT_EQ(run(frame), XDP_PASS);
    EXPECT_EQ(counted().passed, 1U);
}

TEST_F(Defence, WhoLeavesTheListIsAStranger) {
    list_->set_limits(kNobody);
    ASSERT_TRUE(list_->machines.assign({kAlsoKnown}));
    ASSERT_TRUE(list_->addresses.assign({}));
    EXPECT_EQ(run(discover_of(kKnown)), XDP_DROP);
    EXPECT_EQ(run(discover_of(kAlsoKnown)), XDP_REDIRECT);
    EXPECT_EQ(run(tftp(kRouter, kLeasedElsewhere)), XDP_DROP);
    ASSERT_TRUE(list_->machines.assign({kKnown, kAlsoKnown}));
    EXPECT_EQ(run(discover_of(kKnown)), XDP_REDIRECT);
}

// ── buckets ──────────────────────────────────────────────────────────────────────────────────────────────

TEST_F(Defence, StrangerSendsItsBurstAndNoMore) {
    for (const std::uint32_t burst : {2U, 8U}) {  // as on networks that serve registered machines, and all
        list_->set_limits({.each = {burst, kNeverAgain}, .all = {100'000, kNeverAgain}});
        const MacAddress mac = stranger(burst);
        EXPECT_EQ(admitted(discover_of(mac), 100), burst);
        EXPECT_EQ(run(tftp(mac, {})), XDP_DROP);  // whatever it sends
        EXPECT_EQ(admitted(discover_of(kKnown), 100), 100U);
    }
    EXPECT_EQ(counted().redirected_stranger, 2U + 8U);
    EXPECT_EQ(counted().dropped_stranger, 98U + 92U + 2U);
    EXPECT_EQ(counted().dropped_flood, 0U);
    EXPECT_EQ(counted().redirected, 200U);
}

TEST_F(Defence, TokensComeBackWithTimeAndNeverMoreThanTheBurst) {
    constexpr double kPerSecond = 10;
    list_->set_limits({.each = {2, kPerSecond}, .all = {1000, 1000}});
    const Bytes frame = discover_of(kStranger);
    const std::uint64_t start = monotonic_ns();
    std::uint64_t n = admitted(frame, 50);
    EXPECT_EQ(n, 2U);
    std::this_thread::sleep_for(std::chrono::milliseconds(110));
    n += admitted(frame, 50);
    EXPECT_GE(n, 3U);
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    const std::uint64_t last = admitted(frame, 50);
    EXPECT_GE(last, 2U);
    n += last;
    const double seconds = static_cast<double>(monotonic_ns() - start) / kNanosPerSecond;
    EXPECT_LE(static_cast<double>(n), 2 + kPerSecond * seconds);
    EXPECT_LE(last, 3U);  // one more may come in while these run
}

TEST_F(Defence, OneNoisyStrangerTakesNothingFromTheOthers) {
    list_->set_limits({.each = {2, kNeverAgain}, .all = {10, kNeverAgain}});
    EXPECT_EQ(admitted(discover_of(stranger(0)), 10'000), 2U);
    for (std::uint32_t i = 1; i < 5; ++i) EXPECT_EQ(admitted(discover_of(stranger(i)), 3), 2U) << i;
    EXPECT_EQ(admitted(discover_of(stranger(5)), 3), 0U);  // all have had their ten
    EXPECT_EQ(counted().dropped_flood, 3U);
}

// dhcpstarv, dhcpig: one machine that asks in the names of thousands, itself registered or not.
TEST_F(Defence, StarvationDrainsOnlyTheBucketOfItsSource) {
    list_->set_limits({.each = {8, kNeverAgain}, .all = {20'000, kNeverAgain}});
    std::uint64_t n = 0;
    for (const MacAddress& source : {kStranger, kKnown})
        for (std::uint32_t i = 0; i < 10'000; ++i)
            n += run(dhcp({.source = source, .client = stranger(i)})) == XDP_REDIRECT ? 1 : 0;
    EXPECT_EQ(n, 16U);
    EXPECT_EQ(run(discover_of(kKnown)), XDP_REDIRECT);  // in its own name it is still served
    EXPECT_EQ(admitted(discover_of(stranger(20'000)), 9), 8U);
}

TEST_F(Defence, StrangersBehindARelayHaveABucketEach) {
    list_->set_limits({.each = {2, kNeverAgain}, .all = {1000, kNeverAgain}});
    for (std::uint32_t i = 0; i < 100; ++i) {
        const Bytes frame = dhcp({.source = kRouter,
                                  .client = stranger(i),
                                  .relay = kOther,
                                  .udp = {.source_port = 67, .destination_port = 67}});
        EXPECT_EQ(admitted(frame, 5), 2U) << i;
    }
}

TEST_F(Defence, ShutBucketsLetNobodyThrough) {
    for (const StrangerLimits& limits : {StrangerLimits{.each = {2, 1}, .all = {0, 1000}},
                                         StrangerLimits{.each = {2, 1}, .all = {1000, 0}}}) {
        list_->set_limits(limits);
        EXPECT_EQ(admitted(discover_of(kStranger), 10), 0U);
    }
    EXPECT_EQ(counted().dropped_flood, 20U);
}

TEST_F(Defence, FloodOfAMillionStrangersDelaysNoKnownMachine) {
    constexpr std::uint32_t kFlood = 1'000'000;
    constexpr std::uint32_t kBetween = 1000;
    constexpr std::uint32_t kAll = 2000;
    list_->set_limits({.each = {2, 0.5}, .all = {kAll, kAll}});
    const Bytes known = discover_of(kKnown);
    Bytes frame = discover_of(kStranger);
    const std::uint64_t start = monotonic_ns();
    std::uint64_t served = 0;
    for (std::uint32_t i = 0; i < kFlood; ++i) {
        const MacAddress mac = stranger(i);
        std::memcpy(frame.data() + 6, &mac, sizeof mac);
        bpf_test_run_opts options{};
        options.sz = sizeof options;
        options.data_in = frame.data();
        options.data_size_in = static_cast<std::uint32_t>(frame.size());
        ASSERT_EQ(bpf_prog_test_run_opts(program_->program_fd(), &options), 0);
        if (i % kBetween == 0) served += run(known) == XDP_REDIRECT ? 1 : 0;
    }
    const double seconds = static_cast<double>(monotonic_ns() - start) / kNanosPerSecond;
    EXPECT_EQ(served, kFlood / kBetween);
    const XdpCounters counters = counted();
    EXPECT_EQ(counters.redirected, kFlood / kBetween);
    EXPECT_EQ(counters.redirected_stranger + counters.dropped_flood + counters.dropped_stranger, kFlood);
    EXPECT_GE(counters.redirected_stranger, kAll);
    EXPECT_LE(static_cast<double>(counters.redirected_stranger), kAll + kAll * seconds + 1);
}

// One bucket for all CPUs: frames that come in on several at once get no more tokens than there are.
TEST_F(Defence, CpusShareTheBuckets) {
    constexpr std::uint32_t kAll = 5000;
    constexpr std::uint32_t kEach = 20'000;
    list_->set_limits({.each = {kEach, kNeverAgain}, .all = {kAll, kNeverAgain}});
    const auto flood = [this](std::uint32_t first) {
        for (std::uint32_t i = 0; i < kEach; ++i) {
            const Bytes frame = discover_of(stranger(first + i % 16));
            bpf_test_run_opts options{};
            options.sz = sizeof options;
            options.data_in = frame.data();
            options.data_size_in = static_cast<std::uint32_t>(frame.size());
            EXPECT_EQ(bpf_prog_test_run_opts(program_->program_fd(), &options), 0);
        }
    };
    std::vector<std::jthread> cpus;
    for (int i = 0; i < 4; ++i) cpus.emplace_back(flood, 0);
    cpus.clear();
    EXPECT_EQ(counted().redirected_stranger, kAll);
    EXPECT_EQ(counted().dropped_flood, 4 * kEach - kAll);
}

}  // namespace
}  // namespace rouse::ebpf
