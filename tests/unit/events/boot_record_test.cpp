#include "tests/unit/events/rack.hpp"

#include <gtest/gtest.h>

namespace rouse::events {
namespace {

constexpr MachineFacts kKernel{.has_profile = true, .awaits_agent = true};
constexpr MachineFacts kNoProfile{};
const MacAddress kMac = mac_of(1);

// As the recorder does it: decide, take note, move.
void feed(BootRecord& boot, const Event& e, MachineFacts facts = kKernel) {
    const auto trigger = trigger_of(e, boot, facts);
    if (trigger == BootTrigger::begin) advance(boot, *trigger, e.time_ns, facts);
    note(boot, e);
    if (trigger && *trigger != BootTrigger::begin) advance(boot, *trigger, e.time_ns, facts);
}
std::uint64_t at(std::uint64_t seconds) {
    return kNoon + seconds * kNanosPerSecond;
}

TEST(BootRecord, IsARecordOfTheStore) {
    static_assert(store::Record<BootRecord>);
    EXPECT_TRUE(BootRecord{}.is_valid());
    BootRecord boot;
    boot.stage = static_cast<BootStage>(kBootStages.size());
    EXPECT_FALSE(boot.is_valid());
}

TEST(BootRecord, FirmwareChainsToIpxeToKernelToAgentInOneBoot) {
    BootRecord boot;
    feed(boot, discover(ClientKind::pxe, kMac, at(0)));
    EXPECT_EQ(boot.stage, BootStage::discovering);
    feed(boot, answer(EventKind::dhcp_offer, kMac, "snponly.efi", at(0)));
    EXPECT_EQ(boot.stage, BootStage::offered);
    feed(boot, answer(EventKind::dhcp_ack, kMac, "snponly.efi", at(4)));
    EXPECT_EQ(boot.stage, BootStage::addressed);
    feed(boot, event(EventKind::tftp_request, kMac, at(4), "snponly.efi"));
    EXPECT_EQ(boot.stage, BootStage::transferring);
    feed(boot, event(EventKind::tftp_probe, kMac, at(4), "snponly.efi"));
    EXPECT_EQ(boot.stage, BootStage::addressed);
    feed(boot, complete(kMac, "snponly.efi", at(5)));
    EXPECT_EQ(boot.stage, BootStage::delivered);
    feed(boot, discover(ClientKind::ipxe, kMac, at(6)));
    EXPECT_EQ(boot.stage, BootStage::discovering);
    feed(boot, answer(EventKind::dhcp_offer, kMac, "boot.ipxe", at(6)));
    feed(boot, answer(EventKind::dhcp_ack, kMac, "boot.ipxe", at(6)));
    for (const char* file : {"boot.ipxe", "vmlinuz", "initrd.gz"}) feed(boot, complete(kMac, file, at(7)));
    EXPECT_EQ(boot.stage, BootStage::delivered);
    // The ramdisk's own DHCP does not begin anything, nor does its boot file hide what was received.
    feed(boot, discover(ClientKind::system, kMac, at(20)));
    feed(boot, answer(EventKind::dhcp_offer, kMac, "", at(20)));
    feed(boot, answer(EventKind::dhcp_ack, kMac, "", at(20)));
    EXPECT_EQ(boot.stage, BootStage::delivered);
    EXPECT_EQ(boot.file.view(), "initrd.gz");
    EXPECT_EQ(boot.number, 1U);
    EXPECT_EQ(boot.files, 4U);
    EXPECT_EQ(delivery_summary(boot), "4 files, 32.8 MB, nothing resent");
    advance(boot, BootTrigger::kernel_report, at(21), kKernel);
    advance(boot, BootTrigger::home_report, at(22), kKernel);
    EXPECT_EQ(boot.stage, BootStage::home);
    EXPECT_EQ(boot.deadline_ns, 0U);
    // Powered on again: a new boot, with figures of its own.
    feed(boot, discover(ClientKind::pxe, kMac, at(1000)));
    EXPECT_EQ(boot.number, 2U);
    EXPECT_EQ(boot.files, 0U);
}

TEST(BootRecord, RetriesAreNoNewBoot) {
    for (const auto client : {ClientKind::pxe, ClientKind::http, ClientKind::ipxe, ClientKind::uboot}) {
        BootRecord boot;
        for (std::uint64_t i = 0; i < 4; ++i) feed(boot, discover(client, kMac, at(i * 4)));
        EXPECT_EQ(boot.number, 1U);
        feed(boot, answer(EventKind::dhcp_offer, kMac, "x", at(16)));
        feed(boot, discover(client, kMac, at(17)));
        EXPECT_EQ(boot.number, 1U);
        EXPECT_EQ(boot.stage, BootStage::offered);
        // Having had an address, whoever asks anew was switched off in between.
        feed(boot, answer(EventKind::dhcp_ack, kMac, "x", at(18)));
        feed(boot, discover(client, kMac, at(19)));
        EXPECT_EQ(boot.number, 2U);
    }
}

TEST(BootRecord, IpxeOfTheFlashBootsLikeFirmware) {
    BootRecord boot;
    feed(boot, discover(ClientKind::ipxe, kMac, at(0)));
    EXPECT_EQ(boot.number, 1U);
    feed(boot, answer(EventKind::dhcp_ack, kMac, "boot.ipxe", at(1)));
    feed(boot, complete(kMac, "boot.ipxe", at(2)));
    feed(boot, discover(ClientKind::ipxe, kMac, at(3)));
    EXPECT_EQ(boot.number, 2U);
    // Switched off while iPXE asked: its firmware starts over.
    feed(boot, discover(ClientKind::pxe, kMac, at(4)));
    EXPECT_EQ(boot.number, 3U);
}

TEST(BootRecord, OperatingSystemsAndMachinesWithoutAProfileBeginNothing) {
    BootRecord boot;
    feed(boot, discover(ClientKind::system, kMac, at(0)));
    feed(boot, answer(EventKind::dhcp_ack, kMac, "", at(0)));
    EXPECT_EQ(boot.number, 0U);
    feed(boot, discover(ClientKind::pxe, kMac, at(1)), kNoProfile);
    feed(boot, answer(EventKind::dhcp_ack, kMac, "", at(1)), kNoProfile);
    feed(boot, event(EventKind::tftp_request, kMac, at(1), "x"), kNoProfile);
    EXPECT_EQ(boot.number, 0U);
    EXPECT_EQ(boot.stage, BootStage::idle);
    Event newer = discover(ClientKind::pxe, kMac, at(2));
    newer.detail = 77;  // a kind of client that only a newer dataplane knows
    feed(boot, newer);
    EXPECT_EQ(boot.number, 0U);
}

TEST(BootRecord, EveryStageHasItsDeadline) {
    BootRecord boot;
    feed(boot, discover(ClientKind::pxe, kMac, at(0)));
    EXPECT_EQ(boot.deadline_ns, at(60));
    feed(boot, event(EventKind::tftp_missing, kMac, at(10), "x"));
    EXPECT_EQ(boot.deadline_ns, at(40));
    feed(boot, complete(kMac, "y", at(20)));
    EXPECT_EQ(boot.deadline_ns, at(320));
}

TEST(BootRecord, ALoadersSearchForItsConfigurationIsNoTrouble) {
    BootRecord boot;
    feed(boot, discover(ClientKind::pxe, kMac, at(0)));
    feed(boot, complete(kMac, "pxelinux.0", at(1)));
    for (const auto kind : {MissKind::config_search, MissKind::optional}) {
        Event miss = event(EventKind::tftp_missing, kMac, at(2), "pxelinux.cfg/0A4D0009");
        miss.detail = static_cast<std::uint16_t>(kind);
        feed(boot, miss);
        EXPECT_EQ(boot.stage, BootStage::delivered);
        EXPECT_EQ(boot.file.view(), "pxelinux.0");
    }
    feed(boot, event(EventKind::tftp_missing, kMac, at(3), "vmlinuz"));
    EXPECT_EQ(boot.stage, BootStage::file_missing);
}

// Each way to get stuck, and what the verdict must name: where it stopped and what to do.
TEST(BootRecord, TheVerdictNamesTheStageTheCauseAndWhatToDo) {
    Event ignored = event(EventKind::dhcp_ignored, kMac, at(1));
    ignored.detail = static_cast<std::uint16_t>(DropReason::dhcp_disabled);
    Event failed = event(EventKind::tftp_failed, kMac, at(3), "vmlinuz");
    failed.detail = static_cast<std::uint16_t>(TransferFailure::timed_out);
    const Event start = discover(ClientKind::pxe, kMac, at(0));
    const Event offer = answer(EventKind::dhcp_offer, kMac, "undionly.kpxe", at(1));
    const Event ack = answer(EventKind::dhcp_ack, kMac, "undionly.kpxe", at(2));
    const Event bare_ack = answer(EventKind::dhcp_ack, kMac, "", at(2));
    const Event request = event(EventKind::tftp_request, kMac, at(3), "vmlinuz");
    const Event missing = event(EventKind::tftp_missing, kMac, at(3), "no\x1bsuch");
    struct Case {
        std::vector<Event> events;
        std::vector<const char*> words;
    };
    const Case cases[] = {
        {{start}, {"no offer", "/health"}},
        {{start, ignored}, {"not answered", "DHCP is switched off"}},
        {{start, offer}, {"offered 10.77.0.9", "another DHCP server"}},
        {{start, offer, ack}, {"10.77.0.9", "never asked for undionly.kpxe", "UDP port 69"}},
        {{start, offer, bare_ack}, {"no file", "loader for x64-uefi"}},
        {{start, offer, ack, request}, {"fetch vmlinuz", "did not finish"}},
        {{start, offer, ack, request, failed}, {"stopped fetching vmlinuz", "stopped acknowledging"}},
        {{start, offer, ack, missing}, {"missing file no\\x1bsuch", "rousectl image put"}},
        {{start, offer, ack, request, complete(kMac, "initrd", at(4))}, {"received initrd", "console"}},
        {{start, offer, ack, complete(kMac, "initrd", at(4)), discover(ClientKind::system, kMac, at(5))},
         {"operating system", "agent never reported"}},
    };
    for (const auto& [events, words] : cases) {
        BootRecord boot;
        for (const Event& e : events) feed(boot, e);
        for (const char* word : words)
            EXPECT_NE(verdict(boot).find(word), std::string::npos) << verdict(boot) << " lacks: " << word;
    }
    BootRecord boot;
    for (std::size_t i = 0; i < kBootStages.size(); ++i) {
        boot.stage = static_cast<BootStage>(i);
        boot.cause = 0xffff;  // of a newer dataplane
        EXPECT_EQ(verdict(boot).empty(), !is_under_way(boot.stage)) << kBootStages[i].name;
    }
}

}  // namespace
}  // namespace rouse::events
