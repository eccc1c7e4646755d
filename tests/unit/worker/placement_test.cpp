#include "dataplane/worker/placement.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<unsigned> kUsable{0, 1, 2, 5};

std::string refusal(const std::vector<unsigned>& wanted, std::size_t workers) {
    const auto cores = choose_cores(wanted, workers, kUsable);
    return cores ? "accepted" : cores.error().message;
}

TEST(ChooseCores, TheWantedOnes) {
    EXPECT_THAT(choose_cores({5, 1}, 2, kUsable).value(), ElementsAre(5, 1));
    EXPECT_THAT(choose_cores({0}, 1, kUsable).value(), ElementsAre(0));
}

TEST(ChooseCores, ElseTheLastOnesOrTheKernelsChoice) {
    EXPECT_THAT(choose_cores({}, 1, kUsable).value(), IsEmpty());
    EXPECT_THAT(choose_cores({}, 2, kUsable).value(), ElementsAre(2, 5));
    EXPECT_THAT(choose_cores({}, 4, kUsable).value(), ElementsAre(0, 1, 2, 5));
    EXPECT_THAT(choose_cores({}, 5, kUsable).value(), IsEmpty());
}

TEST(ChooseCores, WhatCannotBeIsExplained) {
    EXPECT_THAT(refusal({1}, 2), HasSubstr("names 1 and there are 2 workers"));
    EXPECT_THAT(refusal({1, 2}, 1), HasSubstr("names 2 and there are 1 workers"));
    EXPECT_THAT(refusal({1, 1}, 2), HasSubstr("twice"));
    EXPECT_THAT(refusal({1, 3}, 2), HasSubstr("core 3, which this process may not use: it has 0, 1, 2, 5"));
}

TEST(StayOn, TheThreadStaysThere) {
    const auto cores = usable_cores();
    ASSERT_FALSE(cores.empty());
    std::jthread([&] {
        ASSERT_TRUE(stay_on(cores.back()));
        EXPECT_THAT(usable_cores(), ElementsAre(cores.back()));
        EXPECT_THAT(stay_on(100'000).error().message, HasSubstr("dataplane.cores"));
    }).join();
}

}  // namespace
}  // namespace rouse::worker
