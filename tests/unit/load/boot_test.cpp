// Whole boots of the simulated rack: lease, ARP, search, files, by every kind, from the product's own worker.

#include "perf/load/echo.hpp"
#include "perf/load/rack.hpp"
#include "perf/load/report.hpp"
#include "tests/support/worker_fixture.hpp"

#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::load {
namespace {

using test::must;

class BootTest : public ::testing::Test {
  protected:
    static constexpr std::uint32_t kMachines = 60;

    BootTest() {
        store_.add_network_and_profile();
        store_.add_machines(kMachines);
        store_.add_image("loader.efi", std::string(100'000, 'l'));
        store_.add_image("kernel", std::string(14'280, 'k'));
    }
    static RackOptions options() {
        RackOptions options{.machines = kMachines,
                            .first_mac = test::ScratchStore::mac_of(0),
                            .files = {{.name = "loader.efi"}, {.name = "kernel"}}};
        for (const auto& kind : machine_kinds())
            if (kind.has_tftp) options.kinds.push_back(&kind);
        return options;
    }
    static std::uint32_t count_of(std::string_view kind, const RackOptions& options) {
        std::uint32_t count = 0;
        for (std::uint32_t i = 0; i < options.machines; ++i)
            count += options.kinds[i % options.kinds.size()]->name == kind;
        return count;
    }
    // A simulated time, 100 us a turn. The images are staged by a thread of its own, so what waits for the
    // server waits for real time, too.
    Tally run(const RackOptions& with) {
        test::WorkerFixture server(store_);
        Rack<port::MemoryPort> rack(port_, with, now_);
        for (int turn = 0; turn < 3'000'000 && !rack.is_done(now_); ++turn, now_ += 100'000) {
            rack.turn(now_);
            port_.drain([&](wire::ConstBytes frame) { server.port.inject(frame); });
            while (server.worker.turn(now_, now_)) {
            }
            if (server.port.drain([&](wire::ConstBytes frame) { port_.inject(frame); }) == 0 && turn < 2000)
                std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        completed_by_server_ = server.counters->get(Counter::tftp_transfers_completed);
        return rack.tally();
    }

    test::ScratchStore store_;
    port::MemoryPort port_;
    std::uint64_t now_ = kNanosPerSecond;
    std::uint64_t completed_by_server_ = 0;
};

TEST_F(BootTest, EveryKindComesUp) {
    const Tally tally = run(options());
    EXPECT_EQ(tally.completed, kMachines);
    EXPECT_EQ(tally.leases, kMachines + count_of("rom-ipxe", options())) << "iPXE leases anew";
    EXPECT_EQ(tally.transfers, kMachines * 2);
    EXPECT_EQ(tally.bytes, kMachines * 114'280U);
    EXPECT_EQ(tally.corrupt + tally.refused + tally.broken + tally.failed, 0U);
    EXPECT_GT(tally.probes, 0U);
    EXPECT_GT(tally.misses, 0U);
    EXPECT_EQ(tally.boot.total(), kMachines);
    EXPECT_EQ(tally.first_byte.total(), tally.transfers);
    EXPECT_EQ(completed_by_server_, tally.transfers);
}

TEST_F(BootTest, FirmwareLoadsALoaderThatLoadsTheNext) {
    store_.add_image("shim.efi", std::string(5000, 's'));
    auto with = options();
    with.machines = 12;
    with.files = {{.name = "shim.efi"}, {.name = "loader.efi"}, {.name = "kernel"}};
    with.kinds = {must(find_machine_kind("edk2-shim-grub"))};
    const Tally chain = run(with);
    EXPECT_EQ(chain.completed, 12U);
    EXPECT_EQ(chain.leases, 12U) << "shim and GRUB use the firmware's";
    EXPECT_EQ(chain.transfers, 36U);
    EXPECT_EQ(chain.probes, 12U) << "of the firmware's file alone";
    EXPECT_GT(chain.misses, 0U);
    now_ += kNanosPerSecond;
    with.kinds = {must(find_machine_kind("rom-ipxe"))};
    const Tally twice = run(with);
    EXPECT_EQ(twice.completed, 12U);
    EXPECT_EQ(twice.leases, 24U);
    EXPECT_EQ(twice.transfers, 36U);
}

TEST_F(BootTest, Edk2CollectsOffersWhereThatIsAskedFor) {
    auto with = options();
    with.kinds = {must(find_machine_kind("edk2"))};
    with.files.clear();
    const Tally quick = run(with);
    EXPECT_LT(quick.exchange.max(), 3600 * kNanosPerMilli);
    now_ += kNanosPerSecond;
    with.is_realistic = true;
    const Tally tally = run(with);
    EXPECT_EQ(tally.completed, kMachines);
    EXPECT_GE(tally.exchange.percentile(0), 3500 * kNanosPerMilli);
    EXPECT_LT(tally.exchange.max(), 4000 * kNanosPerMilli);
    EXPECT_EQ(tally.resends, 0U);
}

TEST_F(BootTest, ManyFilesComeToAnEnd) {
    auto with = options();
    with.machines = 1;
    with.kinds = {must(find_machine_kind("ipxe-efi"))};
    with.files.assign(300, {.name = "kernel"});
    const Tally tally = run(with);
    EXPECT_EQ(tally.completed, 1U);
    EXPECT_EQ(tally.transfers, 300U);
}

TEST(Judge, AnAvalancheIsWellWhenEverybodyIsUp) {
    constexpr auto kAvalanche = Scenario::Kind::avalanche;
    Tally tally;
    EXPECT_FALSE(judge(tally, kAvalanche, 3)) << "nobody began";
    tally.begun = 3;
    tally.completed = 2;
    EXPECT_THAT(judge(tally, kAvalanche, 3).error().message,
                ::testing::HasSubstr("2 of 3 machines came up: 0 gave up, 1 were under way"));
    tally.left = 1;
    EXPECT_TRUE(judge(tally, kAvalanche, 3));
    EXPECT_FALSE(judge(tally, Scenario::Kind::rate, 3)) << "nothing was served";
    tally.leases = 1;
    EXPECT_TRUE(judge(tally, Scenario::Kind::rate, 3));
}

TEST_F(BootTest, LossOnBothWaysLeavesNobodyBehindAndNothingCorrupt) {
    auto with = options();
    with.drop_received = 0.02;
    with.drop_sent = 0.02;
    const Tally tally = run(with);
    EXPECT_EQ(tally.completed, kMachines);
    EXPECT_EQ(tally.bytes, kMachines * 114'280U);
    EXPECT_EQ(tally.corrupt, 0U);
    EXPECT_GT(tally.resends, 0U);
    EXPECT_GT(tally.dropped, 100U);
}

TEST_F(BootTest, MachinesThatLeaveAreNotWaitedFor) {
    auto with = options();
    with.vanish = 0.5;
    with.abort = 0.25;
    const Tally tally = run(with);
    EXPECT_EQ(tally.completed + tally.left, kMachines);
    EXPECT_GT(tally.left, kMachines / 3);
    EXPECT_GT(tally.completed, 0U);
}

TEST_F(BootTest, WhoEndsTheRunTellsTheServer) {
    auto with = options();
    with.machines = 4;
    with.address_base = test::ScratchStore::address_of(0);
    with.server = test::kServerAddress;
    with.kinds = {must(find_machine_kind("ipxe-efi"))};
    test::WorkerFixture server(store_);
    Rack<port::MemoryPort> rack(port_, with, now_);
    const auto carry = [&] {
        port_.drain([&](wire::ConstBytes frame) { server.port.inject(frame); });
        while (server.worker.turn(now_, now_)) {
        }
        server.port.drain([&](wire::ConstBytes frame) { port_.inject(frame); });
        now_ += 100'000;
    };
    for (int turn = 0; turn < 10'000 && rack.tally().blocks < 20; ++turn) {
        rack.turn(now_);
        carry();
        if (rack.tally().blocks == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    ASSERT_EQ(rack.tally().under_way(), 4U);
    rack.break_off_all();
    carry();
    EXPECT_TRUE(server.worker.is_quiet()) << "no transfer is left";
}

TEST_F(BootTest, WithoutDhcpTheyHaveTheirAddresses) {
    auto with = options();
    with.address_base = test::ScratchStore::address_of(0);
    with.server = test::kServerAddress;
    const Tally tally = run(with);
    EXPECT_EQ(tally.completed, kMachines);
    EXPECT_EQ(tally.discovers, 0U);
}

TEST_F(BootTest, AFileThatIsNotWhatItShouldBeIsTold) {
    auto with = options();
    with.files[1].content = Content{14'280, 1};
    const Tally tally = run(with);
    EXPECT_EQ(tally.corrupt, kMachines);
    EXPECT_EQ(tally.failed, kMachines);
    with.verifies = false;
    now_ += kNanosPerSecond;
    EXPECT_EQ(run(with).completed, kMachines);
}

TEST_F(BootTest, AFileThatIsNotThereFailsTheBoot) {
    auto with = options();
    with.files.push_back({.name = "nothing"});
    const Tally tally = run(with);
    EXPECT_EQ(tally.failed, kMachines);
    EXPECT_EQ(tally.refused, kMachines);
}

TEST_F(BootTest, SimulatedAddressesAnswerArp) {
    auto with = options();
    with.address_base = test::ScratchStore::address_of(0);
    with.server = test::kServerAddress;
    Rack<port::MemoryPort> rack(port_, with, now_);
    for (int turn = 0; turn < 10; ++turn) rack.turn(now_ += 1000);
    (void)port_.take_sent();
    std::vector<std::byte> frame(42);
    const wire::ArpPacket question{.hardware_type = wire::kArpHardwareEthernet,
                                   .protocol_type = wire::kEtherTypeIpv4,
                                   .hardware_length = 6,
                                   .protocol_length = 4,
                                   .operation = wire::kArpRequest,
                                   .sender_mac = test::kServerMac,
                                   .sender = test::kServerAddress,
                                   .target_mac = {},
                                   .target = test::ScratchStore::address_of(7)};
    wire::store(frame, 0, wire::EthernetHeader{kBroadcastMac, test::kServerMac, wire::kEtherTypeArp});
    wire::store(frame, sizeof(wire::EthernetHeader), question);
    port_.inject(frame);
    rack.turn(now_ += 1000);
    const auto sent = port_.take_sent();
    ASSERT_EQ(sent.size(), 1U);
    const auto reply = *wire::load<wire::ArpPacket>(sent[0], sizeof(wire::EthernetHeader));
    EXPECT_EQ(reply.operation, be16(wire::kArpReply));
    EXPECT_EQ(reply.sender, test::ScratchStore::address_of(7));
    EXPECT_EQ(reply.sender_mac, test::ScratchStore::mac_of(7));
}

// The limit that servers are held against conducts transfers of its own.
TEST_F(BootTest, TheFrameEchoServesWindowsToWhoDoesNotCompare) {
    constexpr std::uint16_t kBlocks = 100;
    auto with = options();
    with.kinds = {must(find_machine_kind("windowed"))};
    with.files.resize(1);
    with.address_base = test::ScratchStore::address_of(0);
    with.server = test::kServerAddress;
    with.verifies = false;
    const wire::Self self{
        .mac = test::kServerMac, .address = test::kServerAddress, .subnet = *Ipv4Prefix::parse("10.0.0.0/8")};
    const EchoOptions echo_options{.self = self, .blocks = kBlocks, .window = 8};
    port::MemoryPort port({.receive_frames = 4096, .receive_ring = 4096});
    Rack<port::MemoryPort> rack(port, with, now_);
    std::array<std::byte, 1600> room{};
    for (int turn = 0; turn < 100'000 && !rack.is_done(now_); ++turn, now_ += 100'000) {
        rack.turn(now_);
        for (const auto& frame : port.take_sent()) {
            std::size_t length = 0;
            if (neighbour::answer_arp(frame, self, room, length) == DropReason::none)
                port.inject(std::span(room).first(length));
            for (std::uint16_t nth = 0; (length = echo(frame, echo_options, nth, room)) > 0; ++nth)
                port.inject(std::span(room).first(length));
        }
    }
    EXPECT_EQ(rack.tally().completed, kMachines);
    EXPECT_EQ(rack.tally().bytes, kMachines * (kBlocks - 1U) * kEchoBlockBytes);
    EXPECT_EQ(rack.tally().resends, 0U);
}

TEST(NameSearch, LoadersAskByHardwareAddressThenByPrefixesThenForTheCommonOne) {
    const auto all = [](Search search) {
        std::vector<std::string> names;
        for (unsigned step = 0;; ++step) {
            names.push_back(search_name(search, step, *MacAddress::parse("52:54:00:0a:00:01"),
                                        *Ipv4Address::parse("10.88.0.103")));
            if (names.back().empty()) break;
        }
        names.pop_back();
        return names;
    };
    EXPECT_THAT(all(Search::pxelinux),
                ::testing::ElementsAre("pxelinux.cfg/01-52-54-00-0a-00-01", "pxelinux.cfg/0A580067",
                                       "pxelinux.cfg/0A58006", "pxelinux.cfg/0A5800", "pxelinux.cfg/0A580",
                                       "pxelinux.cfg/0A58", "pxelinux.cfg/0A5", "pxelinux.cfg/0A",
                                       "pxelinux.cfg/0", "pxelinux.cfg/default"));
    EXPECT_EQ(all(Search::grub).back(), "grub/grub.cfg");
    EXPECT_EQ(all(Search::shim).size(), 3U);
    EXPECT_TRUE(all(Search::none).empty());
}

TEST(Pacer, ARampBeginsAsAnAreaUnderALine) {
    Pacer pacer({.kind = Scenario::Kind::ramp, .per_second = 1000, .duration_ns = 4 * kNanosPerSecond},
                10'000, 0, 1);
    std::uint64_t begun = 0;
    std::array<std::uint64_t, 4> by_second{};
    for (std::uint64_t now = 0; now < 5 * kNanosPerSecond; now += 100'000) {
        begun += pacer.due(now, begun, 0);
        if (now % kNanosPerSecond == 0 && now > 0) by_second[now / kNanosPerSecond - 1] = begun;
    }
    EXPECT_THAT(by_second, ::testing::ElementsAre(126, 501, 1126, 2000));
    EXPECT_TRUE(pacer.is_over(5 * kNanosPerSecond, begun));
}

TEST(Pacer, PoissonKeepsItsAverageAndIsUneven) {
    Pacer pacer({.kind = Scenario::Kind::poisson, .per_second = 1000, .duration_ns = 10 * kNanosPerSecond},
                100'000, 0, 1);
    std::uint64_t begun = 0;
    std::uint64_t none = 0;
    for (std::uint64_t now = 0; now <= 10 * kNanosPerSecond; now += kNanosPerMilli) {
        const auto due = pacer.due(now, begun, 0);
        begun += due;
        none += due == 0;
    }
    EXPECT_NEAR(static_cast<double>(begun), 10'000, 400);
    EXPECT_NEAR(static_cast<double>(none), 10'000 / 2.718, 300)
        << "as often as a Poisson process leaves a gap";
    EXPECT_TRUE(pacer.is_over(11 * kNanosPerSecond, begun));
}

}  // namespace
}  // namespace rouse::load
