// Requests that are refused, names, and packets that belong to nothing.

#include "tests/unit/tftp/engine_fixture.hpp"

namespace rouse::tftp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using wire::tftp::ErrorCode;

class Requests : public EngineTest {};

TEST_F(Requests, StrangersGetSilence) {
    put("f", 10);
    host_.strangers = true;
    EXPECT_EQ(receive(rrq("f")), DropReason::tftp_unknown_machine);
    EXPECT_EQ(receive(rrq("nope")), DropReason::tftp_unknown_machine);
    EXPECT_EQ(receive(raw("\0\1malformed")), DropReason::tftp_too_short);
    EXPECT_EQ(receive(rrq("f", {}, "octet", wire::tftp::Opcode::wrq)), DropReason::tftp_unknown_machine);
    EXPECT_EQ(receive(ack(1)), DropReason::tftp_no_session);
    EXPECT_THAT(watch(2000), IsEmpty());
    EXPECT_THAT(host_.events, IsEmpty());
}

TEST_F(Requests, WritingIsRefusedAndTold) {
    EXPECT_EQ(receive(rrq("etc/passwd", {}, "octet", wire::tftp::Opcode::wrq)),
              DropReason::tftp_write_refused);
    EXPECT_THAT(run(), ElementsAre("ERROR 2 writing is not allowed"));
    const auto told = events(EventKind::tftp_write_refused);
    ASSERT_THAT(told, SizeIs(1));
    EXPECT_EQ(told[0].get_text(), "etc/passwd");
    EXPECT_EQ(told[0].mac, (MacAddress{{2, 0, 0, 0, 0, 9}}));
}

TEST_F(Requests, MailAndUnknownModesAreRefused) {
    put("f", 10);
    for (const auto* mode : {"mail", "binary", ""}) {
        EXPECT_EQ(receive(rrq("f", {}, mode)), DropReason::tftp_bad_mode);
        EXPECT_THAT(run(), ElementsAre("ERROR 4 only modes octet and netascii are served"));
    }
    EXPECT_THAT(exchange(rrq("f", {}, "OcTeT")), ElementsAre("DATA 1 10"));
}

TEST_F(Requests, MalformedOnesAreRefused) {
    using namespace std::string_literals;
    const std::string malformed[] = {
        "\0\1"s,
        "\0\1f"s,
        "\0\1\0octet\0"s,
        "\0\1f\0octet"s,
        "\0\1f\0"s,
        "\0\1f\0octet\0blksize"s,
        "\0\1f\0octet\0blksize\0"s,
        "\0\1f\0octet\0blksize\0001"s,
        "\0\1"s + std::string(600, 'a') + "\0octet\0"s,
        "\0\1f\0octet\0"s + std::string(600, '\0'),
    };
    for (const auto& bytes : malformed) {
        EXPECT_EQ(receive(raw(bytes)), DropReason::tftp_bad_request) << ::testing::PrintToString(bytes);
        EXPECT_THAT(run(), ElementsAre("ERROR 4 malformed request"));
    }
    std::string many = "\0\1f\0octet\0"s;  // hundreds of options, within what a request may be
    while (many.size() < 508) many += "a\0\0"s;
    EXPECT_EQ(receive(raw(many)), DropReason::tftp_not_found);
}

TEST_F(Requests, WhatIsNoTftpIsDropped) {
    using namespace std::string_literals;
    EXPECT_EQ(receive({}), DropReason::tftp_too_short);
    EXPECT_EQ(receive(raw("\0"s)), DropReason::tftp_too_short);
    EXPECT_EQ(receive(raw("\0\0"s)), DropReason::tftp_bad_opcode);
    EXPECT_EQ(receive(raw("\0\7\0\0"s)), DropReason::tftp_bad_opcode);
    EXPECT_EQ(receive(raw("\1\1f\0octet\0"s)), DropReason::tftp_bad_opcode);
    EXPECT_THAT(run(), IsEmpty());
    put("f", 10);
    exchange(rrq("f"));
    EXPECT_EQ(receive(raw("\0\4\0"s)), DropReason::tftp_too_short);
    EXPECT_EQ(receive(raw("\0\3\0\1data"s)), DropReason::tftp_not_a_clients);
    EXPECT_EQ(receive(raw("\0\6tsize\0001\0"s)), DropReason::tftp_not_a_clients);
    EXPECT_EQ(engine_.open_sessions(), 1U);
}

// Rule 9: one name for all the ways that loaders spell it, and no way out of the catalogue.
TEST_F(Requests, NamesAreBroughtIntoOneForm) {
    put("grub/x86_64-efi/core.efi", 10);
    std::uint16_t port = 1;
    for (const auto* spelled :
         {"grub/x86_64-efi/core.efi", "/grub/x86_64-efi/core.efi", "//grub//x86_64-efi/core.efi",
          "\\grub\\x86_64-efi\\core.efi", "\\\\grub/x86_64-efi\\/core.efi"})
        EXPECT_THAT(exchange(rrq(spelled), port++), ElementsAre("DATA 1 10")) << spelled;
    for (const auto* spelled :
         {"grub/x86_64-efi/core.efi/", "grub/./x86_64-efi/core.efi", "x/../grub/x86_64-efi/core.efi",
          "../grub/x86_64-efi/core.efi", "..\\grub", "..", ".", "/", "//", "a/..", "a/.", "grub", "a\nb",
          "GRUB/x86_64-efi/core.efi"}) {
        EXPECT_EQ(receive(rrq(spelled), port), DropReason::tftp_not_found) << spelled;
        EXPECT_THAT(run(), ElementsAre("ERROR 1 file not found")) << spelled;
        ++port;
    }
    EXPECT_EQ(Name("a/...").view(), "a/...") << "an ordinary name";
    EXPECT_EQ(Name("..a").view(), "..a");
    EXPECT_EQ(Name(std::string(127, 'n')).view().size(), 127U);
    EXPECT_EQ(Name(std::string(128, 'n')).view().size(), 0U);
    EXPECT_EQ(Name("//" + std::string(127, 'n')).view().size(), 127U);
}

TEST_F(Requests, EventsHoldPrintableText) {
    EXPECT_EQ(receive(rrq("../\x1b[31m\xff\xc3 secret")), DropReason::tftp_not_found);
    const auto missing = events(EventKind::tftp_missing);
    ASSERT_THAT(missing, SizeIs(1));
    EXPECT_EQ(missing[0].get_text(), "../?[31m?? secret");
}

// What loaders ask for and do without is no fault (NETBOOT 2.4 and 5.13).
TEST_F(Requests, MissesAreClassified) {
    const struct {
        const char* name;
        MissKind kind;
    } cases[] = {
        {"pxelinux.cfg/01-52-54-00-aa-00-01", MissKind::config_search},
        {"pxelinux.cfg/4c4c4544-0051-3510-8052-b4c04f4a3732", MissKind::config_search},
        {"pxelinux.cfg/0A580066", MissKind::config_search},
        {"pxelinux.cfg/0", MissKind::config_search},
        {"boot/pxelinux.cfg/0A5", MissKind::config_search},
        {"pxelinux.cfg/default-arm-qemu", MissKind::config_search},
        {"pxelinux.cfg/default", MissKind::real},
        {"pxelinux.cfg/0A5800661", MissKind::real},
        {"pxelinux.cfg/", MissKind::real},
        {"grub/grub.cfg-01-52-54-00-aa-00-02", MissKind::config_search},
        {"/grub/grub.cfg-0A58", MissKind::config_search},
        {"grub/grub.cfg", MissKind::real},
        {"grub/grub.cfg-", MissKind::real},
        {"grub/x86_64-efi/command.lst", MissKind::optional},
        {"grub/x86_64-efi/normal.mod", MissKind::real},
        {"revocations_sku.efi", MissKind::optional},
        {"revocations_sbat.efi", MissKind::optional},
        {"shim_certificate_0.efi", MissKind::optional},
        {"shim_certificate_9.efi", MissKind::optional},
        {"shim_certificate_x.efi", MissKind::real},
        {"grubx64.efi", MissKind::real},
        {"autoexec.ipxe", MissKind::optional},
        {"boot.scr.uimg", MissKind::optional},
        {"dtb/", MissKind::optional},
        {"0A4D0009.img", MissKind::optional},
        {"0A4D000.img", MissKind::real},
        {"disk.img", MissKind::real},
        {"grub/locale/de_DE.gmo", MissKind::optional},
        {"grub/locale/de.mo", MissKind::optional},
        {"grub/fonts/unicode.pf2", MissKind::real},
        {"grub.cfg-4c4c4544-0051-3510-8052-b4c04f4a3732", MissKind::config_search},
        {"9ffefdef/start4.elf", MissKind::config_search},
        {"9ffefdef/overlays/overlay_map.dtb", MissKind::config_search},
        {"start4.elf", MissKind::real},
        {"recover4.elf", MissKind::optional},
        {"revocations.efi", MissKind::optional},
        {"shim_certificate.efi", MissKind::optional},
        {"boot/autoexec.ipxe", MissKind::optional},
        {"vmlinuz", MissKind::real},
    };
    std::uint64_t expected = 0;
    for (const auto& [name, kind] : cases) {
        host_.events.clear();
        expected += kind != MissKind::real;
        EXPECT_EQ(receive(rrq(name)), kind == MissKind::real ? DropReason::tftp_not_found : DropReason::none)
            << name;
        const auto missing = events(EventKind::tftp_missing);
        ASSERT_THAT(missing, SizeIs(1)) << name;
        EXPECT_EQ(static_cast<MissKind>(missing[0].detail), kind) << name;
        EXPECT_THAT(run(), ElementsAre("ERROR 1 file not found")) << name;
    }
    EXPECT_EQ(host_.counters().get(Counter::tftp_expected_misses), expected);
}

// EDK2 asks for the size, then says that it did not like the options.
TEST_F(Requests, ASizeProbeIsNoFailure) {
    put("core.efi", 5000);
    EXPECT_THAT(exchange(rrq("core.efi", {.block_size = 1468, .file_size = 0, .window_size = 4})),
                ElementsAre("OACK blksize=1468 tsize=5000 windowsize=4"));
    EXPECT_EQ(receive(error(ErrorCode::option_negotiation, "User aborted the transfer")), DropReason::none);
    EXPECT_THAT(run(), IsEmpty());
    const auto probes = events(EventKind::tftp_probe);
    ASSERT_THAT(probes, SizeIs(1));
    EXPECT_EQ(probes[0].bytes, 5000U);
    EXPECT_THAT(events(EventKind::tftp_failed), IsEmpty());
    EXPECT_EQ(host_.counters().get(Counter::tftp_size_probes), 1U);
    EXPECT_EQ(engine_.open_sessions(), 0U);
    EXPECT_EQ(host_.file("core.efi").references, 0);
}

TEST_F(Requests, GrubClosesEarlyAndThatIsWell) {
    put("f", 50'000);
    exchange(rrq("f", {.block_size = 1024, .file_size = 0}));
    exchange(ack(0));
    exchange(ack(1));
    EXPECT_EQ(receive(error(ErrorCode::not_defined, "closed")), DropReason::none);
    const auto ended = events(EventKind::tftp_complete);
    ASSERT_THAT(ended, SizeIs(1));
    EXPECT_EQ(static_cast<TransferEnding>(ended[0].detail), TransferEnding::closed_early);
    EXPECT_EQ(ended[0].bytes, 1024U);
    EXPECT_THAT(watch(5000), IsEmpty());
    EXPECT_EQ(receive(rrq("f", {.block_size = 1024, .file_size = 0})), DropReason::none);
}

TEST_F(Requests, AClientsErrorEndsTheTransferInItsOwnWords) {
    put("f", 5000);
    exchange(rrq("f", {.block_size = 1468}));
    EXPECT_EQ(receive(error(ErrorCode::illegal_operation, "Malformatted OACK packet")), DropReason::none);
    const auto failed = events(EventKind::tftp_failed);
    ASSERT_THAT(failed, SizeIs(1));
    EXPECT_EQ(static_cast<TransferFailure>(failed[0].detail), TransferFailure::client_error);
    EXPECT_EQ(failed[0].get_text(), "f");
    EXPECT_EQ(failed[0].get_words(), "Malformatted OACK packet");
    EXPECT_THAT(run(), IsEmpty()) << "never an answer to an error";
    EXPECT_EQ(receive(error(ErrorCode::illegal_operation, "")), DropReason::tftp_no_session);
    EXPECT_THAT(run(), IsEmpty());
}

TEST_F(Requests, TheLongestNameIsToldWholeAtTheEndTooAndWordsThatAreCutSaySo) {
    const std::string name = "debian-installer/" + std::string(kMaxNameBytes - 17 - 7, 'd') + "/initrd";
    ASSERT_EQ(name.size(), kMaxNameBytes);
    put(name, 10);
    exchange(rrq(name));
    exchange(ack(1));
    ASSERT_THAT(events(EventKind::tftp_complete), SizeIs(1));
    EXPECT_EQ(events(EventKind::tftp_request)[0].get_text(), name);
    EXPECT_EQ(events(EventKind::tftp_complete)[0].get_text(), name);
    exchange(rrq(name, {.block_size = 8}), 2);
    (void)receive(error(ErrorCode::disk_full, std::string(60, 'w')), 2);
    const auto failed = events(EventKind::tftp_failed);
    ASSERT_THAT(failed, SizeIs(1));
    EXPECT_EQ(failed[0].get_text(), name);
    EXPECT_EQ(failed[0].get_words(), std::string(53, 'w') + "...");
}

TEST_F(Requests, AnErrorThatIsCutShortEndsTheTransferToo) {
    using namespace std::string_literals;
    put("f", 5000);
    exchange(rrq("f"));
    exchange(ack(1));
    EXPECT_EQ(receive(raw("\0\5\0\3no terminator"s)), DropReason::none);
    EXPECT_EQ(events(EventKind::tftp_failed)[0].get_words(), "no terminator");
    exchange(rrq("f"), 2);
    EXPECT_EQ(receive(raw("\0\5"s), 2), DropReason::none);
    EXPECT_EQ(engine_.open_sessions(), 0U);
}

// Rule 6.
TEST_F(Requests, StraysAreAnsweredAtALowRate) {
    std::size_t answered = 0;
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(receive(ack(7)), DropReason::tftp_no_session);
        answered += run().size();
    }
    EXPECT_EQ(answered, 10U);
    wait_ms(1000);
    for (int i = 0; i < 100; ++i) {
        (void)receive(raw(std::string_view("\0\3\0\1x", 5)));
        answered += run().size();
    }
    EXPECT_EQ(answered, 20U);
}

TEST_F(Requests, TheTableIsFullOfLivingTransfers) {
    put("f", 5000);
    for (std::uint16_t port = 1; port <= 8; ++port) {
        exchange(rrq("f"), port);
        exchange(ack(1), port);
    }
    EXPECT_EQ(receive(rrq("f"), 9), DropReason::tftp_table_full);
    EXPECT_THAT(exchange(ack(2), 8), ElementsAre("DATA 3 512"));
    EXPECT_EQ(receive(error(ErrorCode::disk_full, ""), 3), DropReason::none);
    EXPECT_THAT(exchange(rrq("f"), 9), ElementsAre("DATA 1 512"));
}

TEST_F(Requests, StraysOfStrangersLeaveTheAnswersToMachines) {
    host_.strangers = true;
    for (int i = 0; i < 100; ++i) EXPECT_EQ(receive(ack(7)), DropReason::tftp_no_session);
    EXPECT_THAT(run(), IsEmpty());
    host_.strangers = false;
    EXPECT_THAT(exchange(ack(7)), ElementsAre("ERROR 5 no such transfer"));
}

// A flood of requests that nobody goes on with displaces itself and no transfer that lives.
TEST_F(Requests, HalfOpenOnesGiveWay) {
    put("f", 5000);
    exchange(rrq("f"), 1);
    exchange(ack(1), 1);
    for (std::uint16_t port = 100; port < 10'000; ++port) {
        EXPECT_EQ(receive(rrq("f"), port), DropReason::none);
        run();
    }
    EXPECT_EQ(engine_.open_sessions(), 8U);
    EXPECT_THAT(exchange(ack(2), 1), ElementsAre("DATA 3 512"));
    EXPECT_EQ(static_cast<TransferFailure>(events(EventKind::tftp_failed)[0].detail),
              TransferFailure::displaced);
    EXPECT_EQ(host_.file("f").references, 8);
}

TEST_F(Requests, FinishedOnesGiveWayFirst) {
    put("f", 100);
    for (std::uint16_t port = 1; port < 1000; ++port) {
        exchange(rrq("f"), port);
        exchange(ack(1), port);
    }
    EXPECT_THAT(events(EventKind::tftp_complete), SizeIs(999));
    EXPECT_THAT(events(EventKind::tftp_failed), IsEmpty());
}

}  // namespace
}  // namespace rouse::tftp
