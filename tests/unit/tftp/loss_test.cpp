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
    engine_.run(now_ns_, host_, 54 + 2 * kTurnBlocks);
    std::uint64_t retries = 0;
    for (const auto& packet : host_.take().first(54)) retries += packet.client == 2;
    EXPECT_EQ(retries, 54U);
}

}  // namespace
}  // namespace rouse::tftp
