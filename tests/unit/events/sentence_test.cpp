#include "mgmt/events/sentence.hpp"

#include "mgmt/events/text.hpp"
#include "tests/unit/events/rack.hpp"

#include <gtest/gtest.h>

namespace rouse::events {
namespace {

const MacAddress kTeller = mac_of(1);

Event transfer(EventKind kind, std::uint64_t bytes, std::uint64_t nanos, std::uint32_t resent) {
    Event e = event(kind, kTeller, kNoon, "vmlinuz");
    e.bytes = bytes;
    e.duration_ns = nanos;
    e.count = resent;
    e.block_size = 1432;
    e.window_size = 1;
    return e;
}
Event with_detail(Event e, std::uint16_t detail) {
    e.detail = detail;
    return e;
}

Event with_words(Event e, std::string_view words) {
    e.set_words(words);
    return e;
}

TEST(Sentence, SaysWhatHappened) {
    const std::uint16_t no_address = static_cast<std::uint16_t>(DropReason::dhcp_no_address);
    const std::pair<Event, const char*> cases[] = {
        {discover(ClientKind::pxe, kTeller), "asked for an address (PXE firmware, x64-uefi)"},
        {discover(ClientKind::ipxe, kTeller), "asked for an address (iPXE, x64-uefi)"},
        {discover(ClientKind::system, kTeller), "asked for an address (udhcp 1.35.0)"},
        {event(EventKind::dhcp_discover, kTeller), "asked for an address (an operating system)"},
        {answer(EventKind::dhcp_offer, kTeller, "undionly.kpxe"),
         "offered 10.77.0.9, boot file undionly.kpxe"},
        {answer(EventKind::dhcp_offer, kTeller, ""), "offered 10.77.0.9, no boot file"},
        {event(EventKind::dhcp_offer, kTeller, kNoon, "grub.efi"), "offered boot file grub.efi"},
        {answer(EventKind::dhcp_ack, kTeller, "boot.ipxe"), "given 10.77.0.9, boot file boot.ipxe"},
        {answer(EventKind::dhcp_request, kTeller, ""), "asked for 10.77.0.9 (an operating system)"},
        {answer(EventKind::dhcp_nak, kTeller, ""), "refused 10.77.0.9: it is not this machine's here"},
        {event(EventKind::dhcp_nak, kTeller),
         "refused the address that it asked for: it is not this machine's here"},
        {with_detail(event(EventKind::dhcp_ignored, kTeller), no_address),
         "not answered: the machine has no address on this network"},
        {with_detail(event(EventKind::dhcp_ignored, kTeller), 65'000),
         "not answered: for a reason unknown here"},
        {transfer(EventKind::tftp_request, 8'200'000, 0, 0), "asked for vmlinuz, 8.2 MB"},
        {transfer(EventKind::tftp_complete, 8'200'000, 1'900 * kNanosPerMilli, 0),
         "sent vmlinuz, 8.2 MB in 1.9 s (4.3 MB/s), nothing resent"},
        {transfer(EventKind::tftp_complete, 70'000, 20, 1),
         "sent vmlinuz, 70.0 kB in under 1 ms, 1 block resent"},
        {transfer(EventKind::tftp_complete, 0, 0, 12),
         "sent vmlinuz, 0 bytes in under 1 ms, 12 blocks resent"},
        {transfer(EventKind::tftp_probe, 1, 0, 0),
         "asked for the size of vmlinuz (1 byte) before fetching it"},
        {with_detail(transfer(EventKind::tftp_failed, 3'100'000, 0, 0),
                     static_cast<std::uint16_t>(TransferFailure::timed_out)),
         "fetching vmlinuz failed after 3.1 MB: the client stopped acknowledging"},
        {with_words(with_detail(event(EventKind::tftp_failed, kTeller, kNoon, "grubx64.efi"),
                                static_cast<std::uint16_t>(TransferFailure::client_error)),
                    "User aborted"),
         "fetching grubx64.efi failed: the client sent an error, saying \"User aborted\""},
        {with_detail(transfer(EventKind::tftp_failed, 0, 0, 0), 999),
         "fetching vmlinuz failed: for a reason unknown here"},
        {with_detail(transfer(EventKind::tftp_complete, 8'200'000, 0, 0),
                     static_cast<std::uint16_t>(TransferEnding::closed_early)),
         "sent vmlinuz, 8.2 MB in under 1 ms, nothing resent (the client had read enough; normal for GRUB)"},
        {with_detail(event(EventKind::tftp_missing, kTeller, kNoon, "pxelinux.cfg/0A4D"),
                     static_cast<std::uint16_t>(MissKind::config_search)),
         "asked for pxelinux.cfg/0A4D, which is not there (a loader tries one name after another for its "
         "configuration; normal)"},
        {event(EventKind::tftp_missing, kTeller, kNoon, "grub.cfg"),
         "asked for grub.cfg, which is not there"},
        {event(EventKind::tftp_write_refused, kTeller, kNoon, "x"), "tried to write x and was refused"},
        {event(EventKind::dataplane_started, kTeller, kNoon, "xdp:rack0"),
         "the dataplane started on xdp:rack0"},
        {event(static_cast<EventKind>(60'000), kTeller), "something that this version does not know"},
    };
    for (const auto& [e, text] : cases) EXPECT_EQ(sentence(e), text);
}

TEST(Sentence, EveryKindHasOneAndItsDetailsAreAnObject) {
    for (std::size_t kind = 0; kind < kEvents.size() + 3; ++kind) {
        const Event e = event(static_cast<EventKind>(kind), kTeller);
        EXPECT_FALSE(sentence(e).empty());
        EXPECT_TRUE(details(e).is_object());
        EXPECT_EQ(event_name(e), kind < kEvents.size() ? kEvents[kind].name : "unknown");
    }
}

TEST(Sentence, DetailsHoldTheFigures) {
    const auto d = details(transfer(EventKind::tftp_complete, 8'200'000, 1'900 * kNanosPerMilli, 2));
    EXPECT_EQ(d["bytes"], 8'200'000);
    EXPECT_EQ(d["duration_ms"], 1900);
    EXPECT_EQ(d["bytes_per_second"], 4'315'789);
    EXPECT_EQ(details(transfer(EventKind::http_complete, 1000, kNanosPerSecond, 0))["bytes_per_second"],
              1000);
    EXPECT_FALSE(details(transfer(EventKind::tftp_complete, 0, 0, 0)).contains("bytes_per_second"));
    EXPECT_EQ(d["blocks_resent"], 2);
    EXPECT_EQ(d["block_size"], 1432);
    EXPECT_EQ(d["file"], "vmlinuz");
    const auto asked = details(discover(ClientKind::ipxe, kTeller));
    EXPECT_EQ(asked["client"], "iPXE");
    EXPECT_EQ(asked["architecture"], "x64-uefi");
    EXPECT_EQ(asked["vendor_class"], "PXEClient:Arch:00007:UNDI:003010");
    EXPECT_EQ(details(with_detail(event(EventKind::tftp_failed, kTeller), 1))["reason"], "timed_out");
    const auto failed =
        details(with_words(event(EventKind::tftp_failed, kTeller, kNoon, "a: b.efi"), "no room"));
    EXPECT_EQ(failed["file"], "a: b.efi") << "a name may look like a name and words";
    EXPECT_EQ(failed["words"], "no room");
    EXPECT_EQ(details(with_detail(event(EventKind::tftp_missing, kTeller), 1))["kind"], "config_search");
    EXPECT_EQ(details(with_detail(event(EventKind::tftp_missing, kTeller), 99))["kind"], "unknown");
}

TEST(Sentence, WireBytesCannotHurtATerminalOrJson) {
    const std::string nasty("\x1b[2J\xff\0\"\n", 8);
    Event e = event(EventKind::tftp_missing, kTeller);
    std::copy(nasty.begin(), nasty.end(), e.text.begin());
    for (const char c : sentence(e)) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
    EXPECT_NO_THROW(static_cast<void>(details(e).dump()));
    EXPECT_EQ(printable("a\x1b\xffz"), "a\\x1b\\xffz");
}

TEST(Sentence, ALateStartGetsAHint) {
    Event first = discover(ClientKind::pxe, kTeller);
    EXPECT_EQ(late_start_hint(first), "");
    first.count = 28;
    EXPECT_NE(late_start_hint(first).find("28 s of trying"), std::string::npos);
    // iPXE counts tries, from 4 in steps of 4 (NETBOOT 2.1).
    Event ipxe = discover(ClientKind::ipxe, kTeller);
    ipxe.count = 8;
    EXPECT_EQ(late_start_hint(ipxe), "");
    ipxe.count = 18;
    EXPECT_NE(late_start_hint(ipxe).find("4 tries"), std::string::npos);
    ipxe.address = *Ipv6Address::parse("fe80::1");  // DHCPv6 has seconds for everybody
    EXPECT_NE(late_start_hint(ipxe).find(" s of trying"), std::string::npos);
}

TEST(Text, Figures) {
    EXPECT_EQ(human_bytes(1), "1 byte");
    EXPECT_EQ(human_bytes(999), "999 bytes");
    EXPECT_EQ(human_bytes(1000), "1.0 kB");
    EXPECT_EQ(human_bytes(999'960), "1.0 MB");
    EXPECT_EQ(human_bytes(128'400'000), "128 MB");
    EXPECT_EQ(human_bytes(UINT64_MAX), "18447 PB");
    EXPECT_EQ(human_duration(12 * kNanosPerMilli), "12 ms");
    EXPECT_EQ(human_duration(41'200 * kNanosPerMilli), "41.2 s");
    EXPECT_EQ(human_duration(185 * kNanosPerSecond), "3 min 5 s");
    EXPECT_EQ(human_rate(1000, 0), "");
    EXPECT_EQ(human_rate(54'000'000, kNanosPerSecond), "54.0 MB/s");
    EXPECT_EQ(architecture_name(0), "bios");
    EXPECT_EQ(architecture_name(99), "architecture 99");
    EXPECT_EQ(architecture_name(kArchitectureUnknown), "architecture not told");
}

}  // namespace
}  // namespace rouse::events
