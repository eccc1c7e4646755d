// What some firmware needs (shared/quirk.hpp).

#include "tests/unit/tftp/engine_fixture.hpp"

namespace rouse::tftp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class QuirkTest : public EngineTest {
  protected:
    static constexpr std::uint16_t kBlock = 8;

    // A transfer of 2 * 65536 blocks and one short one, with this window, up to ACK `blocks`.
    void transfer(std::uint16_t window, std::uint64_t blocks) {
        put("f", std::size_t{2} * 65536 * kBlock + 3);
        (void)exchange(rrq("f", {.block_size = kBlock, .window_size = window}));
        (void)exchange(ack(0));
        for (std::uint64_t block = window; block <= blocks; block += window)
            (void)exchange(ack(number(block)));
    }
    // As the client counts.
    static std::uint64_t number(std::uint64_t block) { return block == 0 ? 0 : (block - 1) % 65535 + 1; }
};

TEST_F(QuirkTest, PlainTftpIgnoresOptions) {
    put("f", 1000);
    host_.quirks.add(Quirk::plain_tftp);
    EXPECT_THAT(exchange(rrq("f", {.block_size = 1468, .timeout = 3, .file_size = 0, .window_size = 4})),
                ElementsAre("DATA 1 512"));
    EXPECT_THAT(exchange(ack(1)), ElementsAre("DATA 2 488"));
    EXPECT_THAT(exchange(ack(2)), IsEmpty());
    EXPECT_EQ(host_.counters().get(Counter::tftp_transfers_completed), 1U);
}

TEST_F(QuirkTest, OneFollows65535) {
    host_.quirks.add(Quirk::rollover_to_one);
    transfer(1, 65533);
    EXPECT_THAT(exchange(ack(65534)), ElementsAre("DATA 65535 8"));
    EXPECT_THAT(exchange(ack(65535)), ElementsAre("DATA 1 8"));
    EXPECT_THAT(exchange(ack(1)), ElementsAre("DATA 2 8"));
}

TEST_F(QuirkTest, AWindowAcrossTheRollover) {
    host_.quirks.add(Quirk::rollover_to_one);
    transfer(4, 65532);
    // The last ACK was of 65532: 65533, 65534, 65535 and 1 are under way.
    EXPECT_EQ(receive(ack(0)), DropReason::tftp_stale_ack) << "never comes again";
    EXPECT_THAT(exchange(ack(1)), ElementsAre("DATA 2 8", "DATA 3 8", "DATA 4 8", "DATA 5 8"));
    EXPECT_THAT(exchange(ack(65535)), IsEmpty()) << "of the past";
    wait_ms(100);
    EXPECT_THAT(exchange(ack(3)), ElementsAre("DATA 4 8", "DATA 5 8", "DATA 6 8", "DATA 7 8"));
}

// Also at the second one, with the bytes that belong there; each block's is told from its place.
TEST_F(QuirkTest, ToTheEndByteForByte) {
    host_.quirks.add(Quirk::rollover_to_one);
    put("f", std::size_t{2} * 65536 * kBlock + 3);
    const std::string& expected = host_.file("f").bytes;
    std::string got;
    (void)receive(rrq("f", {.block_size = kBlock}));
    (void)run();
    std::uint64_t block = 0;
    while (engine_.open_sessions() > 0 && block < 3 * 65536U) {
        (void)receive(ack(number(block)));
        engine_.run(now_ns_, host_, 8);
        for (const auto& packet : host_.take()) {
            ++block;
            ASSERT_EQ(wire::tftp::read_block(packet.bytes()), number(block));
            got.append(reinterpret_cast<const char*>(packet.payload.data()) + 4, packet.length - 4);
        }
    }
    EXPECT_TRUE(got == expected) << got.size() << " of " << expected.size() << " bytes";
}

}  // namespace
}  // namespace rouse::tftp
