#include "mgmt/workers/assignment.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::workers {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

class AssignmentTest : public ::testing::Test {
  protected:
    Peers peers() {
        return [this](const std::string& id) { return known_[id]; };
    }
    Assignment step(const Assignment& from) { return next(from, peers(), moment_); }
    Assignment served_by_w() {
        known_["w"] = {true, 10, 10, 100 * kSecond};
        known_["s"] = {true, 10, 10, 100 * kSecond};
        return assign({}, "w", "s", false, peers(), moment_);
    }
    // WORKER has been told of all there is, and is lost.
    void lose(const std::string& worker) {
        known_[worker] = {false, 20, 20, 100 * kSecond};
        moment_.sequence = 25;
    }

    std::map<std::string, Peer> known_;
    Moment moment_{.now_ns = 50 * kSecond, .sequence = 15, .centre = "c"};
};

TEST_F(AssignmentTest, OfNobodyIsTheCentres) {
    EXPECT_EQ(step({}), Assignment{});
    EXPECT_EQ(state_of({}, peers(), moment_), AssignmentState::own);
}

TEST_F(AssignmentTest, IsServedByItsWorkerFromTheFirstEpochOn) {
    const auto now = served_by_w();
    EXPECT_EQ(now.holder, "w");
    EXPECT_EQ(now.epoch, 1U);
    EXPECT_TRUE(now.fences.empty()) << "the centre itself is told at once";
    EXPECT_EQ(step(now), now);
    EXPECT_EQ(state_of(now, peers(), moment_), AssignmentState::served);
}

TEST_F(AssignmentTest, GoesToTheStandbyWithAFenceForWhoIsLost) {
    const auto before = served_by_w();
    lose("w");
    const auto now = step(before);
    EXPECT_EQ(now.holder, "s");
    EXPECT_EQ(now.epoch, 2U);
    EXPECT_THAT(now.fences, ::testing::ElementsAre(boot::Fence{"w", 100 * kSecond, 25}));
    EXPECT_EQ(state_of(now, peers(), moment_), AssignmentState::taken_over);
}

TEST_F(AssignmentTest, NeedsNoFenceForOneThatNeverKnew) {
    const auto before = served_by_w();
    known_["w"].alive = false;  // and no answer has gone out to it since
    EXPECT_TRUE(step(before).fences.empty());
}

TEST_F(AssignmentTest, IsOrphanedWhileNobodyIsThere) {
    const auto before = served_by_w();
    lose("w");
    known_["s"].alive = false;
    EXPECT_EQ(step(before), before) << "it may still be serving";
    EXPECT_EQ(state_of(before, peers(), moment_), AssignmentState::orphaned);
    known_["s"].alive = true;
    EXPECT_EQ(step(before).holder, "s");
}

TEST_F(AssignmentTest, AFenceFallsWithItsTimeOrWhenWhoIsBehindItConfirms) {
    const auto before = served_by_w();
    lose("w");
    const auto fenced = step(before);
    moment_.now_ns = 100 * kSecond - 1;
    EXPECT_EQ(step(fenced).fences.size(), 1U);
    moment_.now_ns = 100 * kSecond;
    EXPECT_TRUE(step(fenced).fences.empty());
    moment_.now_ns = 51 * kSecond;
    known_["w"] = {true, 25, 25, 200 * kSecond};
    EXPECT_EQ(step(fenced).fences.size(), 1U);
    known_["w"].confirmed = 26;
    EXPECT_TRUE(step(fenced).fences.empty());
}

TEST_F(AssignmentTest, StaysWithTheStandbyUntilItIsHandedBack) {
    const auto before = served_by_w();
    lose("w");
    auto taken = step(before);
    known_["w"] = {true, 30, 30, 200 * kSecond};
    taken = step(taken);
    EXPECT_EQ(taken.holder, "s");
    EXPECT_TRUE(taken.fences.empty());
    moment_.sequence = 40;
    known_["s"].told = 39;
    const auto back = hand_back(taken, peers(), moment_);
    EXPECT_EQ(back.holder, "w");
    EXPECT_EQ(back.epoch, 3U);
    EXPECT_THAT(back.fences, ::testing::ElementsAre(boot::Fence{"s", 100 * kSecond, 40}));
    EXPECT_EQ(hand_back(back, peers(), moment_), back);
}

TEST_F(AssignmentTest, GoesBackByItselfWhereThatIsWishedOnceAllKnow) {
    auto before = served_by_w();
    before.returns = true;
    lose("w");
    auto taken = step(before);
    known_["w"] = {true, 25, 25, 200 * kSecond};
    EXPECT_EQ(step(taken).holder, "s") << "it has not confirmed that it lost the rack";
    known_["w"].confirmed = 26;
    EXPECT_EQ(step(taken).holder, "w");
}

TEST_F(AssignmentTest, TheCentreMayBeTheStandbyAndIsToldAtOnce) {
    known_["w"] = {true, 20, 20, 100 * kSecond};
    const auto before = assign({}, "w", "c", false, peers(), moment_);
    lose("w");
    const auto taken = step(before);
    EXPECT_EQ(taken.holder, "c");
    known_["w"] = {true, 30, 30, 200 * kSecond};
    EXPECT_TRUE(hand_back(step(taken), peers(), moment_).fences.empty());
}

TEST_F(AssignmentTest, AnotherWorkerGetsARackAtOnceAndNoneGivesItToTheCentre) {
    const auto before = served_by_w();
    known_["w"].told = 20;
    known_["x"] = {true, 5, 5, 0};
    const auto now = assign(before, "x", "", false, peers(), moment_);
    EXPECT_EQ(now.holder, "x");
    EXPECT_EQ(now.fences.size(), 1U);
    EXPECT_EQ(assign(now, "", "", false, peers(), moment_).holder, "");
}

TEST(WorkerStateTest, ThreeMissedBeatsAreALoss) {
    EXPECT_EQ(worker_state(UINT64_MAX, true), WorkerState::inactive);
    EXPECT_EQ(worker_state(0, true), WorkerState::active);
    EXPECT_EQ(worker_state(kLostNs - 1, true), WorkerState::active);
    EXPECT_EQ(worker_state(kLostNs - 1, false), WorkerState::error);
    EXPECT_EQ(worker_state(kLostNs, false), WorkerState::inactive);
}

}  // namespace
}  // namespace rouse::workers
