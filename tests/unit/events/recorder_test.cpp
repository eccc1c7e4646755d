#include "mgmt/events/recorder.hpp"

#include "mgmt/events/cluster_status.hpp"
#include "mgmt/events/strangers.hpp"
#include "tests/unit/events/rack.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::events {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Recorder : public RackTest {
  protected:
    static std::uint64_t at(std::uint64_t seconds) { return kNoon + seconds * kNanosPerSecond; }
    // A boot up to its kernel's arrival in the machine.
    static std::vector<Event> delivered_boot(const MacAddress& mac, std::uint64_t from = 0) {
        return {discover(ClientKind::ipxe, mac, at(from)),
                answer(EventKind::dhcp_offer, mac, "boot.ipxe", at(from)),
                answer(EventKind::dhcp_ack, mac, "boot.ipxe", at(from + 1)),
                event(EventKind::tftp_request, mac, at(from + 1), "vmlinuz"),
                complete(mac, "vmlinuz", at(from + 3))};
    }
    Outcome<TouchedMachines> report(const store::Id& machine, BootTrigger trigger,
                                    nlohmann::json hardware = {}) {
        const AgentNews news{machine, trigger, "it spoke", {{"uptime_seconds", 1.5}}, std::move(hardware)};
        return writer_->run([&](store::Batch& batch) { return apply_agent_news(batch, tables_, news); });
    }
};

TEST_F(Recorder, WritesEntriesAsRestSendsThem) {
    const auto machine = add_machine(1);
    const auto touched = apply({discover(ClientKind::pxe, mac_of(1), kNoon + 1'500'000)});
    ASSERT_EQ(touched.size(), 1U);
    EXPECT_EQ(touched[0].machine, machine);
    EXPECT_EQ(touched[0].last_sequence, 1U);
    const auto entries = timeline(machine);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0]["sequence"], 1);
    EXPECT_EQ(entries[0]["time"], "2026-11-20T12:00:00.001Z");
    EXPECT_EQ(entries[0]["event"], "dhcp_discover");
    EXPECT_EQ(entries[0]["text"], "asked for an address (PXE firmware, x64-uefi)");
    EXPECT_EQ(entries[0]["details"]["boot"], 1);
    EXPECT_EQ(entries[0].size(), 5U);
}

TEST_F(Recorder, ABootFromPowerOnToHome) {
    const auto machine = add_machine(1);
    apply(delivered_boot(mac_of(1)));
    EXPECT_EQ(status(machine), "DEPLOYING");
    ASSERT_TRUE(report(machine, BootTrigger::kernel_report));
    EXPECT_EQ(status(machine), "DEPLOYING");
    ASSERT_TRUE(report(machine, BootTrigger::home_report, {{"hostname", "n1"}}));
    const auto document = fields(store::kMachines, machine);
    EXPECT_EQ(document["status"], "ACTIVE");
    EXPECT_EQ(document["health"], "HEALTHY");
    EXPECT_EQ(document["hardware"]["hostname"], "n1");
    EXPECT_THAT(texts(machine),
                ElementsAre("asked for an address (iPXE, x64-uefi)", "offered 10.77.0.9, boot file boot.ipxe",
                            "given 10.77.0.9, boot file boot.ipxe", "asked for vmlinuz, 0 bytes",
                            "sent vmlinuz, 8.2 MB in 1.9 s (4.3 MB/s), nothing resent", "it spoke",
                            HasSubstr("after its first DISCOVER, 1 file, 8.2 MB, nothing resent")));
}

TEST_F(Recorder, TheSameEventsAgainChangeNothing) {
    const auto machine = add_machine(1);
    auto events = delivered_boot(mac_of(1));
    for (std::size_t i = 0; i < events.size(); ++i) events[i].sequence = i + 1;
    apply_as_they_are(events, 7);
    EXPECT_TRUE(apply_as_they_are(events, 7).empty());
    EXPECT_EQ(timeline(machine).size(), events.size());
    // A ring that was lost with its tmpfs starts over under another identity.
    apply_as_they_are(events, 8);
    EXPECT_EQ(timeline(machine).size(),
              2 * events.size() + 1);  // and says that the boot before was cut short
}

TEST_F(Recorder, KeepsTheNewestEntriesOfEachMachine) {
    const auto machine = add_machine(1);
    const auto other = add_machine(2);
    apply({discover(ClientKind::pxe, mac_of(2))});
    for (int round = 0; round < 3; ++round)
        apply(std::vector<Event>(777, event(EventKind::tftp_missing, mac_of(1), kNoon, "grub.cfg")));
    const auto entries = timeline(machine);
    ASSERT_EQ(entries.size(), kMaxEntries);
    EXPECT_EQ(entries.front()["sequence"], 3 * 777 - kMaxEntries + 1);
    EXPECT_EQ(entries.back()["sequence"], 3 * 777);
    EXPECT_EQ(timeline(other).size(), 1U);
    EXPECT_EQ(entries_in(tables_.timeline), kMaxEntries + 1);
}

TEST_F(Recorder, ReadsPages) {
    const auto machine = add_machine(1);
    add_machine(2);
    apply({discover(ClientKind::pxe, mac_of(2))});
    for (int i = 0; i < 5; ++i) apply({event(EventKind::tftp_missing, mac_of(1), kNoon, "f")});
    EXPECT_EQ(timeline(machine, 2, 2).size(), 2U);
    EXPECT_EQ(timeline(machine, 2, 2)[0]["sequence"], 3);
    EXPECT_EQ(timeline(machine, 5).size(), 0U);
    EXPECT_EQ(timeline(machine, UINT64_MAX).size(), 0U);
    EXPECT_EQ(timeline(machine, 0, 0).size(), 0U);
    EXPECT_EQ(timeline(store::Id::make()).size(), 0U);
}

TEST_F(Recorder, ADeadlineBringsTheVerdict) {
    const auto machine = add_machine(1);
    apply({discover(ClientKind::pxe, mac_of(1), at(0)),
           answer(EventKind::dhcp_offer, mac_of(1), "undionly.kpxe", at(1))});
    expire(at(60));
    EXPECT_EQ(status(machine), "DEPLOYING");
    expire(at(61));
    auto document = fields(store::kMachines, machine);
    EXPECT_EQ(document["status"], "ERROR");
    EXPECT_EQ(document["health"], "CRITICAL");
    EXPECT_THAT(document["verdict"].get<std::string>(), HasSubstr("was offered 10.77.0.9 and never"));
    const auto last = timeline(machine).back();
    EXPECT_EQ(last["event"], "boot_failed");
    EXPECT_EQ(last["details"]["stage"], "offered");
    EXPECT_EQ(last["time"], "2026-11-20T12:01:01.000Z");
    // Said once; and the table of deadlines does not grow.
    EXPECT_TRUE(expire(at(10'000)).empty());
    EXPECT_EQ(entries_in(tables_.deadlines), 0U);
    // A machine that was only slow recovers.
    apply({event(EventKind::tftp_request, mac_of(1), at(62), "undionly.kpxe")});
    document = fields(store::kMachines, machine);
    EXPECT_EQ(document["status"], "DEPLOYING");
    EXPECT_FALSE(document.contains("verdict"));
}

TEST_F(Recorder, ProgressPutsTheVerdictOff) {
    const auto machine = add_machine(1);
    apply({discover(ClientKind::pxe, mac_of(1), at(0))});
    for (std::uint64_t t = 30; t <= 300; t += 30) {
        apply({answer(EventKind::dhcp_ack, mac_of(1), "x", at(t))});
        expire(at(t + 29));
    }
    EXPECT_EQ(status(machine), "DEPLOYING");
    EXPECT_EQ(entries_in(tables_.deadlines), 1U);
    // A shorter stage after a longer one counts from its own beginning.
    apply({complete(mac_of(1), "x", at(310)), event(EventKind::tftp_missing, mac_of(1), at(311), "y")});
    expire(at(341));
    EXPECT_EQ(status(machine), "ERROR");
}

TEST_F(Recorder, AProfileWithoutAKernelEndsInHandingOver) {
    const auto machine = add_machine(1, Profile::loaders);
    apply(delivered_boot(mac_of(1)));
    expire(at(1000));
    EXPECT_EQ(status(machine), "ACTIVE");
    EXPECT_EQ(fields(store::kMachines, machine)["health"], "UNKNOWN");
    EXPECT_EQ(timeline(machine).back()["event"], "handed_over");
}

TEST_F(Recorder, AMachineWithoutAProfileKeepsItsStatus) {
    const auto machine = add_machine(1, Profile::none);
    apply(delivered_boot(mac_of(1)));
    expire(at(100'000));
    EXPECT_EQ(status(machine), "INACTIVE");
    EXPECT_EQ(timeline(machine).size(), 5U);
    EXPECT_FALSE(timeline(machine)[0]["details"].contains("boot"));
}

TEST_F(Recorder, StartingOverIsSaidWithWhatTheLastBootDid) {
    const auto machine = add_machine(1);
    apply(delivered_boot(mac_of(1)));
    apply({discover(ClientKind::ipxe, mac_of(1), at(50))});
    const auto entries = timeline(machine);
    ASSERT_EQ(entries.size(), 7U);
    EXPECT_EQ(entries[5]["event"], "boot_unfinished");
    EXPECT_EQ(entries[5]["details"]["boot"], 1);
    EXPECT_THAT(entries[5]["text"].get<std::string>(), HasSubstr("received vmlinuz"));
    EXPECT_EQ(entries[6]["details"]["boot"], 2);
    EXPECT_EQ(status(machine), "DEPLOYING");
}

TEST_F(Recorder, TheOperatorsMaintenanceStands) {
    const auto machine = add_machine(1, Profile::kernel, {}, "MAINTENANCE");
    apply(delivered_boot(mac_of(1)));
    expire(at(10'000));
    EXPECT_EQ(status(machine), "MAINTENANCE");
    EXPECT_EQ(fields(store::kMachines, machine)["health"], "CRITICAL");
}

TEST_F(Recorder, ClustersFollowTheirMachines) {
    const auto cluster = add_cluster("edge");
    const auto other = add_cluster("other");
    const auto a = add_machine(1, Profile::kernel, cluster);
    const auto b = add_machine(2, Profile::kernel, cluster);
    const auto c = add_machine(3, Profile::kernel, cluster);
    apply(delivered_boot(mac_of(1)));
    EXPECT_EQ(fields(store::kClusters, cluster)["status"], "SCALING");
    for (const auto& machine : {a, b, c}) ASSERT_TRUE(report(machine, BootTrigger::home_report));
    EXPECT_EQ(fields(store::kClusters, cluster)["status"], "OPERATIONAL");
    EXPECT_EQ(fields(store::kClusters, cluster)["health"], "HEALTHY");
    apply({discover(ClientKind::pxe, mac_of(2), at(100))});
    expire(at(200));
    EXPECT_EQ(fields(store::kClusters, cluster)["status"], "DEGRADED");
    apply({discover(ClientKind::pxe, mac_of(3), at(200))});
    expire(at(300));
    EXPECT_EQ(fields(store::kClusters, cluster)["status"], "CRITICAL");
    EXPECT_EQ(fields(store::kClusters, other)["status"], "UNKNOWN");
}

TEST(ClusterStatus, IsTheWorstThatItsMachinesSay) {
    EXPECT_EQ(roll_up({}).status, "UNKNOWN");
    EXPECT_EQ(roll_up({{"INACTIVE", 3}}).status, "UNKNOWN");
    EXPECT_EQ(roll_up({{"ACTIVE", 1}, {"INACTIVE", 3}}).status, "OPERATIONAL");
    EXPECT_EQ(roll_up({{"MAINTENANCE", 2}}).status, "MAINTENANCE");
    EXPECT_EQ(roll_up({{"MAINTENANCE", 2}, {"ACTIVE", 1}}).status, "OPERATIONAL");
    EXPECT_EQ(roll_up({{"UPGRADING", 1}, {"DEPLOYING", 1}}).status, "UPGRADING");
    EXPECT_EQ(roll_up({{"DEPLOYING", 1}, {"ACTIVE", 9}}).status, "SCALING");
    EXPECT_EQ(roll_up({{"UNREACHABLE", 1}, {"DEPLOYING", 9}}).status, "DEGRADED");
    EXPECT_EQ(roll_up({{"ERROR", 1}, {"ACTIVE", 1}}).status, "CRITICAL");
}

TEST_F(Recorder, AgentNewsOfADeletedMachineIsRefused) {
    const auto refused = report(store::Id::make(), BootTrigger::home_report);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Failure::Kind::not_found);
    EXPECT_EQ(entries_in(tables_.timeline), 0U);
}

TEST_F(Recorder, ForgettingAMachineLeavesNothing) {
    const auto machine = add_machine(1);
    add_machine(2);
    apply(delivered_boot(mac_of(1)));
    apply(delivered_boot(mac_of(2)));
    const auto forgotten = writer_->run([&](store::Batch& batch) -> Result<int> {
        if (auto done = forget_machine(batch, tables_, machine); !done) return tl::unexpected(done.error());
        return 0;
    });
    ASSERT_TRUE(forgotten);
    EXPECT_EQ(entries_in(tables_.timeline), 5U);
    EXPECT_EQ(entries_in(tables_.boots), 1U);
    EXPECT_EQ(entries_in(tables_.deadlines), 1U);
}

TEST_F(Recorder, ADeletedMachinesDeadlineIsDropped) {
    const auto machine = add_machine(1);
    apply(delivered_boot(mac_of(1)));
    ASSERT_TRUE(
        writer_->run([&](store::Batch& batch) { return store::erase(batch, store::kMachines, machine); }));
    EXPECT_TRUE(expire(at(100'000)).empty());
    EXPECT_EQ(entries_in(tables_.deadlines), 0U);
}

TEST_F(Recorder, StrangersAreListedLastSeenFirst) {
    Event stranger = event(EventKind::dhcp_ignored, mac_of(100), at(1), "PXEClient:Arch:00007:UNDI:003000");
    stranger.detail = static_cast<std::uint16_t>(DropReason::dhcp_unknown_machine);
    stranger.architecture = 7;
    apply({stranger, event(EventKind::dhcp_ignored, mac_of(101), at(5))});
    stranger.time_ns = at(9);
    stranger.set_text("");
    apply({stranger, stranger});
    auto seen = read_strangers(*store_->snapshot(), tables_).value();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].mac, mac_of(100));
    EXPECT_EQ(seen[0].what.events, 3U);
    EXPECT_EQ(seen[0].what.first_seen_ns, at(1));
    EXPECT_EQ(seen[0].what.last_seen_ns, at(9));
    EXPECT_EQ(seen[0].what.vendor_class.view(), "PXEClient:Arch:00007:UNDI:003000");
    EXPECT_EQ(seen[0].what.reason, static_cast<std::uint16_t>(DropReason::dhcp_unknown_machine));
    // Registered since: no stranger any more.
    add_machine(100);
    seen = read_strangers(*store_->snapshot(), tables_).value();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].mac, mac_of(101));
}

TEST_F(Recorder, AFloodOfStrangersIsBounded) {
    for (std::uint32_t round = 0; round < 4; ++round) {
        std::vector<Event> events;
        for (std::uint32_t i = 0; i < 700; ++i)
            events.push_back(
                event(EventKind::dhcp_ignored, mac_of(10'000 + round * 700 + i), at(round * 700 + i)));
        apply(std::move(events));
        EXPECT_LE(entries_in(tables_.strangers), kMaxStrangers);
    }
    const auto seen = read_strangers(*store_->snapshot(), tables_).value();
    ASSERT_EQ(seen.size(), kMaxStrangers);
    EXPECT_EQ(seen.front().mac, mac_of(10'000 + 2799));
    EXPECT_EQ(seen.back().mac, mac_of(10'000 + 2800 - kMaxStrangers));
    // No machine has a group address, nor none at all.
    apply({event(EventKind::dhcp_ignored, kBroadcastMac), event(EventKind::dhcp_ignored, MacAddress{})});
    EXPECT_EQ(read_strangers(*store_->snapshot(), tables_).value().front().mac, mac_of(10'000 + 2799));
}

// Whatever a dataplane gone mad puts into the ring, the consumer takes it and keeps what it must keep.
TEST_F(Recorder, SurvivesAnyEvent) {
    const auto machine = add_machine(1);
    std::mt19937_64 random(20261120);
    for (int round = 0; round < 20; ++round) {
        std::vector<Event> events(100);
        for (Event& e : events) {
            for (std::size_t i = 0; i + 8 <= sizeof e; i += 8) {
                const std::uint64_t bits = random();
                std::memcpy(reinterpret_cast<std::byte*>(&e) + i, &bits, 8);
            }
            if (random() % 2 == 0) e.kind = static_cast<EventKind>(random() % kEvents.size());
            e.mac = mac_of(1);
            if (random() % 2 == 0) e.time_ns = at(random() % 1'000'000);
        }
        apply(std::move(events));
        expire(at(random() % 1'000'000));
    }
    const auto entries = timeline(machine);
    ASSERT_EQ(entries.size(), kMaxEntries);
    for (std::size_t i = 1; i < entries.size(); ++i)
        ASSERT_EQ(entries[i]["sequence"], entries[i - 1]["sequence"].get<int>() + 1);
    EXPECT_LE(entries_in(tables_.deadlines), 1U);
}

}  // namespace
}  // namespace rouse::events
