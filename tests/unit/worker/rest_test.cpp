// When a worker without work sleeps.

#include "dataplane/worker/rest.hpp"

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

constexpr std::uint64_t kMicro = 1000;

TEST(RestTest, NotWhileThereIsWork) {
    Rest rest;
    for (std::uint64_t now = 1; now < 1'000'000; now += Rest::kLongestPollNs)
        EXPECT_FALSE(rest.is_due(now, true));
}

TEST(RestTest, AfterAWhileOfPollingInVain) {
    Rest rest;
    EXPECT_FALSE(rest.is_due(1'000'000, true));
    EXPECT_FALSE(rest.is_due(1'000'000 + Rest::kShortestPollNs - 1, false));
    EXPECT_TRUE(rest.is_due(1'000'000 + Rest::kShortestPollNs, false));
}

TEST(RestTest, PollsLongerWhenThatWouldHaveSparedSleepsAndAgainLessWhenNot) {
    Rest rest;
    std::uint64_t now = 0;
    const auto sleep = [&](std::uint64_t length) {
        rest.slept(now, now + length);
        now += length;
    };
    std::uint64_t before = rest.poll_ns();
    for (int i = 0; i < 3; ++i) {
        sleep(50 * kMicro);
        EXPECT_EQ(rest.poll_ns(), 2 * before);
        before = rest.poll_ns();
    }
    for (int i = 0; i < 20; ++i) sleep(50 * kMicro);
    EXPECT_EQ(rest.poll_ns(), Rest::kLongestPollNs);
    sleep(50'000 * kMicro);
    EXPECT_EQ(rest.poll_ns(), Rest::kLongestPollNs / 2);
    for (int i = 0; i < 20; ++i) sleep(50'000 * kMicro);
    EXPECT_EQ(rest.poll_ns(), Rest::kShortestPollNs);
}

TEST(RestTest, WhereOthersWantTheCoreItSleepsSoonForAWhile) {
    Rest rest;
    std::uint64_t now = 1;
    rest.look(now, 7);
    rest.look(now += Rest::kContentionNs, 7);
    for (int i = 0; i < 20; ++i) rest.slept(now, now + kMicro);
    ASSERT_EQ(rest.poll_ns(), Rest::kLongestPollNs);
    rest.look(now, 8);
    EXPECT_EQ(rest.poll_ns(), Rest::kShortestPollNs);
    rest.slept(now, now + kMicro);
    EXPECT_EQ(rest.poll_ns(), Rest::kShortestPollNs);
    now += Rest::kContentionNs;
    rest.look(now, 8);
    rest.slept(now, now + kMicro);
    EXPECT_EQ(rest.poll_ns(), 2 * Rest::kShortestPollNs);
}

TEST(RestTest, AfterASleepItPollsAnew) {
    Rest rest;
    rest.slept(0, 1'000'000);
    EXPECT_FALSE(rest.is_due(1'000'000, false));
    EXPECT_TRUE(rest.is_due(1'000'000 + Rest::kShortestPollNs, false));
}

}  // namespace
}  // namespace rouse::worker
