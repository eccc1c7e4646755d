// A transfer's normal way: negotiation, windows, sizes, the end.

#include "tests/unit/tftp/engine_fixture.hpp"

namespace rouse::tftp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using wire::tftp::Options;

class Transfer : public EngineTest {};

TEST_F(Transfer, LockStepWithoutOptions) {
    put("pxelinux.0", 1200);
    EXPECT_EQ(receive(rrq("pxelinux.0")), DropReason::none);
    EXPECT_THAT(run(), ElementsAre("DATA 1 512"));
    EXPECT_THAT(exchange(ack(1)), ElementsAre("DATA 2 512"));
    EXPECT_THAT(exchange(ack(2)), ElementsAre("DATA 3 176"));
    EXPECT_EQ(engine_.open_sessions(), 1U);
    EXPECT_EQ(host_.counters().tftp_sessions_open.load(), 1U);
    EXPECT_EQ(host_.file("pxelinux.0").references, 1);
    EXPECT_THAT(exchange(ack(3)), IsEmpty());
    EXPECT_EQ(engine_.open_sessions(), 0U);
    EXPECT_EQ(host_.counters().tftp_sessions_open.load(), 0U);
    EXPECT_EQ(host_.file("pxelinux.0").references, 0);
}

TEST_F(Transfer, BytesAreTheFiles) {
    put("x", 700);
    receive(rrq("x"));
    engine_.run(now_ns_, host_, 10);
    const auto first = host_.take();
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(std::memcmp(first[0].bytes().data() + 4, host_.file("x").bytes.data(), 512), 0);
    receive(ack(1));
    engine_.run(now_ns_, host_, 10);
    const auto second = host_.take();
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(std::memcmp(second[0].bytes().data() + 4, host_.file("x").bytes.data() + 512, 188), 0);
}

TEST_F(Transfer, AWindowIsSentAtOnceAndTheNextBehindItsAck) {
    put("kernel", 5000);
    EXPECT_THAT(exchange(rrq("kernel", {.block_size = 1000, .file_size = 0, .window_size = 4})),
                ElementsAre("OACK blksize=1000 tsize=5000 windowsize=4"));
    EXPECT_THAT(exchange(ack(0)), ElementsAre("DATA 1 1000", "DATA 2 1000", "DATA 3 1000", "DATA 4 1000"));
    EXPECT_THAT(exchange(ack(4)), ElementsAre("DATA 5 1000", "DATA 6 0"));
    EXPECT_THAT(exchange(ack(6)), IsEmpty());
}

// Rule 1: only what was asked for, lower case, never more than asked; unknown and invalid ones left out.
TEST_F(Transfer, OffersOnlyWhatWasAskedForAndIsValid) {
    using namespace std::string_view_literals;
    put("f", 3000);
    const struct {
        std::string_view options;
        const char* reply;
    } cases[] = {
        {"tsize\0000\0"sv, "OACK tsize=3000"},
        {"BlkSize\0001432\0TSIZE\0000\0"sv, "OACK blksize=1432 tsize=3000"},
        {"blksize\00065464\0"sv, "OACK blksize=1468"},
        {"blksize\0008\0"sv, "OACK blksize=8"},
        {"blksize\0007\0"sv, "DATA 1 512"},
        {"blksize\00065465\0"sv, "DATA 1 512"},
        {"blksize\00099999999999999999999999\0"sv, "DATA 1 512"},
        {"blksize\00014x\0"sv, "DATA 1 512"},
        {"blksize\000 14\0"sv, "DATA 1 512"},
        {"blksize\000-14\0"sv, "DATA 1 512"},
        {"blksize\000\0"sv, "DATA 1 512"},
        {"blksize\000100\0blksize\000200\0"sv, "OACK blksize=100"},
        {"timeout\0005\0"sv, "OACK timeout=5"},
        {"timeout\0000\0"sv, "DATA 1 512"},
        {"timeout\000256\0"sv, "DATA 1 512"},
        {"windowsize\00065535\0"sv, "OACK windowsize=64"},
        {"windowsize\0000\0"sv, "DATA 1 512"},
        {"multicast\000\0"sv, "DATA 1 512"},
        {"\0\0\0\0"sv, "DATA 1 512"},
        {"rollover\0000\0windowsize\0003\0utimeout\0009\0"sv, "OACK windowsize=3"},
    };
    std::uint16_t port = 1000;
    for (const auto& [options, reply] : cases) {
        Packet packet = rrq("f");
        for (const char c : options) packet.push_back(static_cast<std::byte>(c));
        EXPECT_THAT(exchange(packet, port), ElementsAre(reply)) << options;
        EXPECT_EQ(receive(error(wire::tftp::ErrorCode::illegal_operation, ""), port), DropReason::none);
        ++port;
    }
}

// Rule 7: the MTU and the configured limits cap what a client asks for.
TEST_F(Transfer, BlocksFitThePacket) {
    put("f", 9000);
    engine_.set_limits({.block_size = 65464, .window_size = 1000});
    EXPECT_THAT(exchange(rrq("f", {.block_size = 9000, .window_size = 900})),
                ElementsAre("OACK blksize=1468 windowsize=64"));
    Peer six = peer(7);
    six.address = *IpAddress::parse("fe80::1");
    EXPECT_EQ(engine_.receive(now_ns_, six, rrq("f", {.block_size = 9000}), host_), DropReason::none);
    EXPECT_THAT(run(), ElementsAre("OACK blksize=1448"));
    engine_.set_limits({.block_size = 1024, .window_size = 2});
    EXPECT_THAT(exchange(rrq("f", {.block_size = 9000, .window_size = 900}), 8),
                ElementsAre("OACK blksize=1024 windowsize=2"));
    engine_.set_limits({.block_size = 1024, .window_size = 0});
    EXPECT_THAT(exchange(rrq("f", {.window_size = 9}), 9), ElementsAre("OACK windowsize=1"));
}

// curl gives up on tsize 0 (NETBOOT 2.4), so an empty file's size is not told.
TEST_F(Transfer, AnEmptyFileIsOneEmptyBlock) {
    put("empty", 0);
    EXPECT_THAT(exchange(rrq("empty", {.file_size = 0})), ElementsAre("DATA 1 0"));
    EXPECT_THAT(exchange(ack(1)), IsEmpty());
    EXPECT_THAT(exchange(rrq("empty", {.block_size = 512, .timeout = 6, .file_size = 0}), 2),
                ElementsAre("OACK blksize=512 timeout=6"));
    EXPECT_THAT(exchange(ack(0), 2), ElementsAre("DATA 1 0"));
    EXPECT_EQ(events(EventKind::tftp_complete).size(), 1U);
}

// Rule 4: the last block is shorter than the others, empty if need be.
TEST_F(Transfer, EndsWithAShortBlock) {
    for (const std::size_t size : {1U, 511U, 512U, 513U, 1023U, 1024U, 1025U}) {
        put("f", size);
        const auto port = static_cast<std::uint16_t>(size);
        auto sent = exchange(rrq("f"), port);
        std::size_t bytes = 0;
        for (unsigned block = 1; !sent.empty(); ++block) {
            ASSERT_LT(block, 5U);
            bytes += std::stoul(sent[0].substr(sent[0].rfind(' ')));
            sent = exchange(ack(block), port);
        }
        EXPECT_EQ(bytes, size);
    }
    EXPECT_EQ(events(EventKind::tftp_complete).size(), 7U);
}

// Rule 5: behind block 65535 comes 0; windows across it are whole.
TEST_F(Transfer, BlockNumbersWrapToZero) {
    constexpr std::size_t kBlocks = 2 * 65536 + 5;
    put("f", kBlocks * 8 + 3);
    exchange(rrq("f", {.block_size = 8, .window_size = 64}));
    std::uint64_t next = 1;
    auto sent = exchange(ack(0));
    while (!sent.empty()) {
        for (const auto& packet : sent) {
            const std::string expected =
                "DATA " + std::to_string(next & 0xffff) + " " + std::to_string(next == kBlocks + 1 ? 3 : 8);
            ASSERT_EQ(packet, expected);
            ++next;
        }
        sent = exchange(ack(next - 1));
    }
    EXPECT_EQ(next - 1, kBlocks + 1);
    EXPECT_EQ(engine_.open_sessions(), 0U);
}

// Of one that failed: what the client has for certain, until when, and how often it was tried.
TEST_F(Transfer, TheFiguresOfAFailedTransferAreInItsEvent) {
    put("f", 5000);
    exchange(rrq("f", {.block_size = 1000}));
    exchange(ack(0));
    wait_ms(40);
    exchange(ack(1));
    wait_ms(40);
    exchange(ack(2));
    const auto resent = watch(120'000).size();
    const auto ended = events(EventKind::tftp_failed);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(ended[0].detail, static_cast<std::uint16_t>(TransferFailure::timed_out));
    EXPECT_EQ(ended[0].bytes, 2000U);
    EXPECT_EQ(ended[0].count, resent);
    EXPECT_GT(resent, 3U);
    // To the millisecond of the clock that sessions keep.
    EXPECT_NEAR(static_cast<double>(ended[0].duration_ns), 80.0 * kNanosPerMilli, 2.0 * kNanosPerMilli);
    EXPECT_EQ(ended[0].block_size, 1000);
    EXPECT_EQ(ended[0].transaction, kPort);
}

TEST_F(Transfer, TheFiguresOfATransferAreInItsEvent) {
    put("grub/grub.cfg", 3000);
    exchange(rrq("/grub/grub.cfg", {.block_size = 1000, .window_size = 2}));
    wait_ms(5);
    exchange(ack(0));
    exchange(ack(1));  // block 2 was lost
    exchange(ack(3));
    wait_ms(7);
    exchange(ack(4));
    const auto begun = events(EventKind::tftp_request);
    const auto ended = events(EventKind::tftp_complete);
    ASSERT_EQ(begun.size(), 1U);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(begun[0].get_text(), "grub/grub.cfg");
    EXPECT_EQ(begun[0].bytes, 3000U);
    EXPECT_EQ(begun[0].transaction, kPort);
    EXPECT_EQ(ended[0].get_text(), "grub/grub.cfg");
    EXPECT_EQ(ended[0].mac, (MacAddress{{2, 0, 0, 0, 0, 9}}));
    EXPECT_EQ(ended[0].address, peer().address);
    EXPECT_EQ(ended[0].bytes, 3000U);
    EXPECT_EQ(ended[0].duration_ns, 12 * kNanosPerMilli);
    EXPECT_EQ(ended[0].count, 1U);
    EXPECT_EQ(ended[0].block_size, 1000);
    EXPECT_EQ(ended[0].window_size, 2);
    EXPECT_EQ(host_.counters().get(Counter::tftp_data_blocks), 5U);
    EXPECT_EQ(host_.counters().get(Counter::tftp_data_bytes), 4000U);
    EXPECT_EQ(host_.counters().get(Counter::tftp_retransmissions), 1U);
    EXPECT_EQ(host_.counters().get(Counter::tftp_transfers_completed), 1U);
}

TEST_F(Transfer, TheSamePortOfTwoClientsOrServersIsTwoTransfers) {
    put("f", 100);
    Peer other_client = peer();
    other_client.address = Ipv4Address::from_host(0x0a4d000a);
    Peer other_server = peer();
    other_server.server = Ipv4Address::from_host(0x0a4d0002);
    EXPECT_EQ(receive(rrq("f")), DropReason::none);
    EXPECT_EQ(engine_.receive(now_ns_, other_client, rrq("f"), host_), DropReason::none);
    EXPECT_EQ(engine_.receive(now_ns_, other_server, rrq("f"), host_), DropReason::none);
    EXPECT_THAT(run(), ElementsAre("DATA 1 100", "DATA 1 100", "DATA 1 100"));
    EXPECT_EQ(engine_.open_sessions(), 3U);
}

TEST_F(Transfer, ParkedUntilTheBytesAreThere) {
    put("big", 1000);
    host_.file("big").availability = Availability::pending;
    EXPECT_EQ(receive(rrq("big", {.file_size = 0})), DropReason::none);
    EXPECT_THAT(watch(500), IsEmpty());
    EXPECT_GT(host_.polls, 50U);
    EXPECT_EQ(receive(rrq("big", {.file_size = 0})), DropReason::tftp_duplicate_request);
    EXPECT_EQ(receive(ack(0)), DropReason::tftp_bad_ack);
    host_.file("big").availability = Availability::ready;
    EXPECT_THAT(watch(10), ElementsAre("OACK tsize=1000"));
    EXPECT_THAT(exchange(ack(0)), ElementsAre("DATA 1 512"));
    exchange(ack(1));
    exchange(ack(2));
    EXPECT_EQ(host_.file("big").references, 0);
    EXPECT_EQ(events(EventKind::tftp_complete).size(), 1U);
}

TEST_F(Transfer, ParkedNotForever) {
    put("big", 1000);
    host_.file("big").availability = Availability::pending;
    receive(rrq("big"));
    EXPECT_THAT(watch(31'000), ElementsAre("ERROR 0 file is not available, see the timeline"));
    ASSERT_EQ(events(EventKind::tftp_failed).size(), 1U);
    EXPECT_EQ(events(EventKind::tftp_failed)[0].detail,
              static_cast<std::uint16_t>(TransferFailure::not_resident));
    EXPECT_EQ(engine_.open_sessions(), 0U);
    EXPECT_EQ(host_.file("big").references, 0);
}

TEST_F(Transfer, UnavailableIsSaidAtOnce) {
    put("iso", 1000);
    host_.file("iso").availability = Availability::unavailable;
    EXPECT_EQ(receive(rrq("iso")), DropReason::tftp_not_resident);
    EXPECT_THAT(run(), ElementsAre("ERROR 0 file is not available, see the timeline"));
    EXPECT_EQ(events(EventKind::tftp_failed).size(), 1U);
    EXPECT_EQ(engine_.open_sessions(), 0U);
}

// Bytes that are not in memory yet hold up their own transfer only, and count.
TEST_F(Transfer, BytesThatComeLaterAreAwaited) {
    put("f", 2000);
    put("g", 2000);
    host_.file("f").awaited_from = 512;
    EXPECT_THAT(exchange(rrq("f")), ElementsAre("DATA 1 512"));
    EXPECT_THAT(exchange(ack(1)), IsEmpty());
    EXPECT_THAT(exchange(rrq("g"), 7), ElementsAre("DATA 1 512"));
    EXPECT_THAT(exchange(ack(1), 7), ElementsAre("DATA 2 512"));
    EXPECT_THAT(watch(100), IsEmpty());
    const auto awaited = host_.counters().get(Counter::tftp_blocks_awaited);
    EXPECT_GT(awaited, 10U);
    EXPECT_LT(awaited, 60U) << "every few milliseconds, not every turn";
    host_.file("f").awaited_from = 2000;
    EXPECT_THAT(watch(10), ElementsAre("DATA 2 512"));
    EXPECT_EQ(host_.counters().get(Counter::tftp_retransmissions), 0U);
}

TEST_F(Transfer, BytesThatNeverComeFailTheirTransfer) {
    put("f", 2000);
    host_.file("f").awaited_from = 0;
    (void)exchange(rrq("f"));
    (void)watch(62'000);
    EXPECT_EQ(engine_.open_sessions(), 0U);
    EXPECT_EQ(host_.file("f").references, 0);
    const auto failed = events(EventKind::tftp_failed);
    ASSERT_EQ(failed.size(), 1U);
    EXPECT_EQ(failed[0].detail, static_cast<std::uint16_t>(TransferFailure::not_resident));
}

TEST_F(Transfer, ContentThatVanishesFailsItsTransferAndNoOther) {
    put("a", 5000);
    put("b", 600);
    exchange(rrq("a"), 1);
    exchange(rrq("b"), 2);
    host_.file("a").is_gone = true;
    EXPECT_THAT(exchange(ack(1), 1), ElementsAre("ERROR 0 file went away, see the timeline"));
    EXPECT_THAT(exchange(ack(1), 2), ElementsAre("DATA 2 88"));
    ASSERT_EQ(events(EventKind::tftp_failed).size(), 1U);
    EXPECT_EQ(events(EventKind::tftp_failed)[0].detail,
              static_cast<std::uint16_t>(TransferFailure::content_gone));
    EXPECT_EQ(host_.file("a").references, 0);
}

}  // namespace
}  // namespace rouse::tftp
