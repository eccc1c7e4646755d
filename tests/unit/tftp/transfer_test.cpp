// A transfer's normal way, and each rule that real loaders need.

#include "tests/unit/tftp/engine_fixture.hpp"

namespace rouse::tftp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using wire::tftp::ErrorCode;
using wire::tftp::Options;

class Transfer : public EngineTest {};

TEST_F(Transfer, LockStepWithoutOptions) {
    put("pxelinux.0", 1200);
    EXPECT_EQ(receive(rrq("pxelinux.0")), DropReason::none);
    EXPECT_THAT(run(), ElementsAre("DATA 1 512"));
    EXPECT_THAT(exchange(ack(1)), ElementsAre("DATA 2 512"));
    EXPECT_THAT(exchange(ack(2)), ElementsAre("DATA 3 176"));
    EXPECT_EQ(engine_.open_sessions(), 1U);
    EXPECT_THAT(exchange(ack(3)), IsEmpty());
    EXPECT_EQ(engine_.open_sessions(), 0U);
    EXPECT_EQ(host_.file("pxelinux.0").references, 0);
}

TEST_F(Transfer, Windows) {
    put("kernel", 5000);
    EXPECT_THAT(exchange(rrq("kernel", {.block_size = 1000, .file_size = 0, .window_size = 4})),
                ElementsAre("OACK blksize=1000 tsize=5000 windowsize=4"));
    EXPECT_THAT(exchange(ack(0)), ElementsAre("DATA 1 1000", "DATA 2 1000", "DATA 3 1000", "DATA 4 1000"));
    EXPECT_THAT(exchange(ack(4)), ElementsAre("DATA 5 1000", "DATA 6 0"));
    EXPECT_THAT(exchange(ack(6)), IsEmpty());
    ASSERT_EQ(events(EventKind::tftp_complete).size(), 1U);
    EXPECT_EQ(events(EventKind::tftp_complete)[0].bytes, 5000U);
}

}  // namespace
}  // namespace rouse::tftp
