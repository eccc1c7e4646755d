// What happens when packets are lost, doubled or late.

#include "tests/unit/tftp/engine_fixture.hpp"

namespace rouse::tftp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using wire::tftp::ErrorCode;
using wire::tftp::Options;

class Loss : public EngineTest {
  protected:
    // Blocks 1 to 4 are on their way.
    void open_window() {
        put("f", 100'000);
        exchange(rrq("f", {.block_size = 1000, .window_size = 4}));
        ASSERT_THAT(exchange(ack(0)), SizeIs(4));
    }
    [[nodiscard]] TransferFailure failure() const {
        const auto failed = events(EventKind::tftp_failed);
        return failed.size() == 1 ? static_cast<TransferFailure>(failed[0].detail) : TransferFailure::none;
    }
    [[nodiscard]] TransferEnding ending() const {
        const auto ended = events(EventKind::tftp_complete);
        return ended.size() == 1 ? static_cast<TransferEnding>(ended[0].detail)
                                 : static_cast<TransferEnding>(99);
    }
};

// Rule 2.
TEST_F(Loss, ARepeatedRequestIsAnsweredAgainAndIsNoSecondTransfer) {
    put("f", 600);
    exchange(rrq("f", {.file_size = 0}));
    EXPECT_EQ(receive(rrq("f", {.file_size = 0})), DropReason::tftp_duplicate_request);
    EXPECT_THAT(run(), ElementsAre("OACK tsize=600"));
    exchange(rrq("f"), 2);
    EXPECT_EQ(receive(rrq("f"), 2), DropReason::tftp_duplicate_request);
    EXPECT_THAT(run(), ElementsAre("DATA 1 512"));
    EXPECT_EQ(engine_.open_sessions(), 2U);
    EXPECT_THAT(events(EventKind::tftp_request), SizeIs(2));
}

TEST_F(Loss, RepeatedRequestsInOneTurnAreAnsweredOnce) {
    put("f", 600);
    (void)receive(rrq("f"));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(receive(rrq("f")), DropReason::tftp_duplicate_request);
    EXPECT_THAT(run(), ElementsAre("DATA 1 512"));
}

TEST_F(Loss, ARequestThatArrivesTwiceMuchLaterDoesNotDisturb) {
    put("f", 2000);
    exchange(rrq("f"));
    exchange(ack(1));
    EXPECT_EQ(receive(rrq("f")), DropReason::tftp_duplicate_request);
    EXPECT_THAT(exchange(ack(2)), ElementsAre("DATA 3 512"));
    exchange(ack(3));
    exchange(ack(4));
    EXPECT_EQ(ending(), TransferEnding::acknowledged);
    EXPECT_EQ(receive(rrq("f")), DropReason::tftp_duplicate_request);
    EXPECT_THAT(run(), IsEmpty());
}

// GRUB and pxelinux use the same ports after a reboot.
TEST_F(Loss, AReusedPortStartsOver) {
    put("f", 2000);
    put("g", 100);
    exchange(rrq("f"));
    exchange(ack(1));
    EXPECT_THAT(exchange(rrq("g")), ElementsAre("DATA 1 100"));
    EXPECT_EQ(failure(), TransferFailure::restarted);
    EXPECT_EQ(host_.file("f").references, 0);
    exchange(ack(1));
    EXPECT_THAT(exchange(rrq("f")), ElementsAre("DATA 1 512"));
    exchange(ack(1));
    wait_ms(600);
    run();
    EXPECT_EQ(receive(rrq("f")), DropReason::none) << "the same request, long after the last sign of life";
    EXPECT_THAT(run(), ElementsAre("DATA 1 512"));
    EXPECT_EQ(engine_.open_sessions(), 1U);
}

// RFC 1123 4.2.3.1, the Sorcerer's Apprentice: a doubled ACK does not double what follows.
TEST_F(Loss, ADoubledAckInLockStepIsIgnored) {
    put("f", 100'000);
    exchange(rrq("f"));
    EXPECT_THAT(exchange(ack(1)), ElementsAre("DATA 2 512"));
    EXPECT_EQ(receive(ack(1)), DropReason::tftp_stale_ack);
    EXPECT_THAT(run(), IsEmpty());
    wait_ms(40);
    EXPECT_EQ(receive(ack(1)), DropReason::tftp_stale_ack);
    EXPECT_THAT(exchange(ack(2)), ElementsAre("DATA 3 512"));
}

TEST_F(Loss, AnAckThatAClientRepeatsByItsTimerBringsTheBlockAgainOnce) {
    put("f", 100'000);
    exchange(rrq("f"));
    exchange(ack(1));
    wait_ms(100);
    EXPECT_EQ(receive(ack(1)), DropReason::none);
    EXPECT_THAT(run(), ElementsAre("DATA 2 512"));
    wait_ms(100);
    EXPECT_EQ(receive(ack(1)), DropReason::tftp_stale_ack) << "once per value";
    EXPECT_THAT(exchange(ack(2)), ElementsAre("DATA 3 512"));
}

// RFC 7440 4: the window begins behind the block that was acknowledged.
TEST_F(Loss, AnAckInsideTheWindowMovesItAndSendsTheRestAgain) {
    open_window();
    EXPECT_THAT(exchange(ack(2)), ElementsAre("DATA 3 1000", "DATA 4 1000", "DATA 5 1000", "DATA 6 1000"));
}

// The value has brought the rest again already: it does so once, by whichever way it came.
TEST_F(Loss, AnAckInsideTheWindowIsActedUponOnceEvenWhenItIsRepeatedMuchLater) {
    open_window();
    EXPECT_THAT(exchange(ack(2)), SizeIs(4));
    wait_ms(100);
    EXPECT_EQ(receive(ack(2)), DropReason::tftp_stale_ack);
    EXPECT_THAT(run(), IsEmpty());
    EXPECT_THAT(exchange(ack(6)), SizeIs(4));
    wait_ms(100);
    EXPECT_EQ(receive(ack(6)), DropReason::none) << "another value";
}

// EDK2 acknowledges every block that it did not expect: three more of these for one lost block.
TEST_F(Loss, RewindsOncePerAckValue) {
    open_window();
    exchange(ack(4));
    EXPECT_EQ(receive(ack(4)), DropReason::none) << "block 5 was lost";
    EXPECT_THAT(run(), ElementsAre("DATA 5 1000", "DATA 6 1000", "DATA 7 1000", "DATA 8 1000"));
    for (int i = 0; i < 2; ++i) EXPECT_EQ(receive(ack(4)), DropReason::tftp_stale_ack);
    EXPECT_THAT(run(), IsEmpty());
    EXPECT_THAT(exchange(ack(8)), SizeIs(4));
    // The four that were sent twice are answered too, and that must not begin another round.
    for (int i = 0; i < 4; ++i) EXPECT_EQ(receive(ack(8)), DropReason::tftp_stale_ack);
    EXPECT_THAT(run(), IsEmpty());
    EXPECT_THAT(exchange(ack(12)), SizeIs(4));
    EXPECT_EQ(receive(ack(12)), DropReason::none) << "the next loss is noticed at once again";
}

TEST_F(Loss, AcksOfThePastAndTheFutureAreIgnored) {
    open_window();
    EXPECT_EQ(receive(ack(5)), DropReason::tftp_bad_ack);
    EXPECT_EQ(receive(ack(65535)), DropReason::tftp_bad_ack) << "nothing came before block 1";
    exchange(ack(4));
    EXPECT_EQ(receive(ack(3)), DropReason::tftp_stale_ack);
    EXPECT_EQ(receive(ack(0)), DropReason::tftp_stale_ack);
    EXPECT_EQ(receive(ack(9)), DropReason::tftp_bad_ack);
    EXPECT_THAT(run(), IsEmpty());
}

TEST_F(Loss, NothingButAckZeroAcceptsAnOffer) {
    put("f", 100);
    (void)receive(rrq("f", {.file_size = 0}));
    EXPECT_EQ(receive(ack(0)), DropReason::tftp_bad_ack) << "it was not sent yet";
    run();
    EXPECT_EQ(receive(ack(1)), DropReason::tftp_bad_ack);
    EXPECT_EQ(receive(ack(65535)), DropReason::tftp_bad_ack);
    EXPECT_THAT(exchange(ack(0)), ElementsAre("DATA 1 100"));
}

// Before the first ACK the address may be forged: five packets, then silence.
TEST_F(Loss, AnOfferIsRepeatedFourTimes) {
    put("f", 100);
    exchange(rrq("f", {.timeout = 1}));
    watch(20);
    for (const std::uint64_t second : {1, 2, 4, 8}) {
        EXPECT_THAT(watch(second * 1000 - 40), IsEmpty());
        EXPECT_THAT(watch(40), ElementsAre("OACK timeout=1"));
    }
    EXPECT_THAT(watch(60'000), IsEmpty());
    EXPECT_EQ(failure(), TransferFailure::timed_out);
    EXPECT_EQ(engine_.open_sessions(), 0U);
    EXPECT_EQ(host_.counters().get(Counter::tftp_retransmissions), 4U);
}

TEST_F(Loss, AFirstBlockWithoutOptionsLikewise) {
    put("f", 100);
    exchange(rrq("f"));
    EXPECT_THAT(watch(60'000), ElementsAre("DATA 1 100", "DATA 1 100", "DATA 1 100", "DATA 1 100"));
    EXPECT_EQ(failure(), TransferFailure::timed_out) << "nobody was ever there";
}

TEST_F(Loss, BlocksAreRepeatedWithDoublingIntervals) {
    open_window();
    watch(20);
    for (const std::uint64_t ms : {250, 500, 1000, 2000, 4000, 8000, 8000}) {
        EXPECT_THAT(watch(ms - 40), IsEmpty()) << ms;
        EXPECT_THAT(watch(40), SizeIs(4)) << ms;
    }
    watch(60'000);
    EXPECT_EQ(failure(), TransferFailure::timed_out);
    EXPECT_THAT(watch(20'000), IsEmpty());
    EXPECT_EQ(host_.file("f").references, 0);
}

// RFC 2349.
TEST_F(Loss, TheClientsTimeoutIsTheInterval) {
    put("f", 10'000);
    exchange(rrq("f", {.timeout = 3}));
    exchange(ack(0));
    EXPECT_THAT(watch(2950), IsEmpty());
    EXPECT_THAT(watch(100), ElementsAre("DATA 1 512"));
    EXPECT_THAT(watch(5850), IsEmpty());
    EXPECT_THAT(watch(200), ElementsAre("DATA 1 512"));
}

// GRUB stops acknowledging while it is busy, for many seconds.
TEST_F(Loss, ASlowClientIsWaitedFor) {
    open_window();
    EXPECT_FALSE(watch(55'000).empty());
    EXPECT_THAT(exchange(ack(4)), SizeIs(4));
    EXPECT_EQ(failure(), TransferFailure::none);
    EXPECT_THAT(watch(280), SizeIs(4)) << "and the interval is short again";
}

// Rule 4: a lost last ACK costs the client nothing, and a client that never sends it is no failure.
TEST_F(Loss, TheLastAckMayBeLost) {
    put("f", 600);
    exchange(rrq("f", {.file_size = 0}));
    exchange(ack(0));
    exchange(ack(1));
    EXPECT_THAT(watch(300), ElementsAre("DATA 2 88"));
    EXPECT_THAT(exchange(ack(2)), IsEmpty());
    EXPECT_EQ(ending(), TransferEnding::acknowledged);
    EXPECT_EQ(receive(ack(2)), DropReason::tftp_stale_ack) << "kept for a while";
    EXPECT_THAT(watch(3100), IsEmpty());
    EXPECT_EQ(receive(ack(2)), DropReason::tftp_no_session);
}

TEST_F(Loss, TheLastAckMayNeverCome) {
    put("f", 600);
    exchange(rrq("f", {.file_size = 0}));
    exchange(ack(0));
    exchange(ack(1));
    EXPECT_THAT(watch(40'000), SizeIs(7));
    EXPECT_EQ(ending(), TransferEnding::unconfirmed);
    EXPECT_LT(events(EventKind::tftp_complete)[0].duration_ns, 5 * kNanosPerMilli) << "without the wait";
    EXPECT_EQ(host_.counters().get(Counter::tftp_transfers_failed), 0U);
}

TEST_F(Loss, WithoutFramesNothingIsLostOrCounted) {
    open_window();
    host_.frames_left = 0;
    (void)receive(ack(4));
    EXPECT_THAT(run(), IsEmpty());
    EXPECT_THAT(watch(1000), IsEmpty());
    host_.frames_left = 3;
    EXPECT_THAT(run(), ElementsAre("DATA 5 1000", "DATA 6 1000", "DATA 7 1000"));
    host_.frames_left = 100;
    EXPECT_THAT(run(), ElementsAre("DATA 8 1000"));
    EXPECT_EQ(host_.counters().get(Counter::tftp_retransmissions), 0U);
    host_.frames_left = 0;
    EXPECT_EQ(receive(rrq("nope"), 9), DropReason::transmit_no_frame);
    EXPECT_THAT(events(EventKind::tftp_missing), IsEmpty()) << "it will ask again";
}

TEST_F(Loss, ABudgetBoundsATurn) {
    put("f", 100'000);
    exchange(rrq("f", {.block_size = 100, .window_size = 64}));
    (void)receive(ack(0));
    EXPECT_THAT(run(10), SizeIs(10));
    EXPECT_THAT(run(0), IsEmpty());
    EXPECT_THAT(run(50), SizeIs(50));
    EXPECT_THAT(run(50), SizeIs(4));
    EXPECT_THAT(run(50), IsEmpty());
}

TEST_F(Loss, AWideWindowDoesNotStarveANarrowOne) {
    put("f", 100'000);
    for (std::uint16_t port = 1; port <= 3; ++port)
        exchange(rrq("f", {.block_size = 100, .window_size = 64}), port);
    exchange(rrq("f", {.block_size = 100}), 4);
    for (std::uint16_t port = 1; port <= 4; ++port) (void)receive(ack(0), port);
    engine_.run(now_ns_, host_, 3 * kTurnBlocks + 1);
    std::map<std::uint64_t, std::size_t> blocks;
    for (const auto& packet : host_.take()) ++blocks[packet.client];
    EXPECT_EQ(blocks, (std::map<std::uint64_t, std::size_t>{
                          {1, kTurnBlocks}, {2, kTurnBlocks}, {3, kTurnBlocks}, {4, 1}}));
}

TEST_F(Loss, RetriesGoFirst) {
    put("f", 100'000);
    for (std::uint16_t port = 1; port <= 2; ++port) {
        exchange(rrq("f", {.block_size = 100, .window_size = 64}), port);
        (void)receive(ack(0), port);
    }
    run(128);
    (void)receive(ack(64), 1);
    (void)receive(ack(10), 2);
    engine_.run(now_ns_, host_, 64);
    std::map<std::uint64_t, std::size_t> blocks;
    const auto sent = host_.take();
    for (const auto& packet : sent) ++blocks[packet.client];
    EXPECT_EQ(sent.front().client, 2U);
    EXPECT_EQ(blocks, (std::map<std::uint64_t, std::size_t>{{1, 16}, {2, 48}})) << "three of four frames";
}

// A switch that was gone for a while: all its clients' windows are sent again at once, and the one client
// behind another switch goes on as fast as a quarter of the budget lets it.
TEST(Fairness, ManyThatAreSentToAgainDoNotHoldUpOneThatIsNot) {
    constexpr std::uint16_t kSilent = 500;
    constexpr std::uint16_t kLive = 9;
    constexpr std::size_t kBudget = 128;
    test::TftpHost host(1024);
    host.keep_events = false;
    host.file("f").bytes.assign(10'000'000, 'x');
    Engine<test::TftpHost> engine(EngineOptions{.sessions = kSilent + 1, .seed = 3});
    std::uint64_t now = kNanosPerSecond;
    const auto send = [&](std::uint16_t port, const Packet& packet) {
        const Peer peer{Ipv4Address::from_host(0x0a4d0009), Ipv4Address::from_host(0x0a4d0001), port, {}};
        (void)engine.receive(now, peer, packet, host);
    };
    const auto live_blocks = [&](std::size_t budget) {
        engine.run(now, host, budget);
        std::size_t live = 0;
        for (const auto& packet : host.take()) live += packet.client == kLive;
        return live;
    };
    const auto settle = [&] {
        while (engine.run(now, host, 1024) > 0) (void)host.take();
    };
    const auto request = rrq("f", {.block_size = 8, .window_size = 64});
    for (std::uint16_t i = 0; i < kSilent; ++i) send(static_cast<std::uint16_t>(1000 + i), request);
    settle();
    for (std::uint16_t i = 0; i < kSilent; ++i) send(static_cast<std::uint16_t>(1000 + i), ack(0));
    settle();
    now += 200 * kNanosPerMilli;
    send(kLive, rrq("f", {.block_size = 8, .window_size = 8}));
    settle();
    send(kLive, ack(0));
    ASSERT_EQ(live_blocks(kBudget), 8U);
    now += 100 * kNanosPerMilli;  // all the others' timers are over: 32 000 blocks to send again
    std::uint64_t acked = 0;
    for (int turn = 0; turn < 40; ++turn) {
        send(kLive, ack(acked += 8));
        EXPECT_EQ(live_blocks(kBudget), 8U) << "turn " << turn;
    }
    // Of a budget or a port that gives a frame or two at a time, a quarter.
    send(kLive, ack(acked += 8));
    std::size_t live = 0;
    for (int turn = 0; turn < 24; ++turn) live += live_blocks(1);
    EXPECT_GE(live, 5U);
    EXPECT_GT(engine.run(now, host, kBudget), 0U) << "they are not through yet";
}

}  // namespace
}  // namespace rouse::tftp
