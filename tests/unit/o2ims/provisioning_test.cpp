#include "mgmt/o2ims/provisioning/provisioning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::o2ims {
namespace {

using events::BootStage;
using testing::HasSubstr;

constexpr Patience kPatience{.power_on_seconds = 60, .total_seconds = 600, .boots = 2};

ServerFacts booting(BootStage stage, std::uint32_t boots = 1) {
    return {.name = "n1", .resource_id = "r1", .boots = boots, .stage = stage, .verdict = "it stopped"};
}

TEST(Provisioning, AServerGoesItsWay) {
    EXPECT_EQ(judge(ServerFacts{.name = "n1"}, kPatience, 0).phase, ServerPhase::awaiting_free_resources);
    EXPECT_EQ(judge(ServerFacts{.name = "n1", .resource_id = "r1"}, kPatience, 59).phase,
              ServerPhase::processing);
    for (const auto stage : {BootStage::discovering, BootStage::transferring, BootStage::kernel_up})
        EXPECT_EQ(judge(booting(stage), kPatience, 599).phase, ServerPhase::processing);
    EXPECT_EQ(judge(booting(BootStage::home), kPatience, 9999).phase, ServerPhase::provisioned);
    EXPECT_EQ(judge(booting(BootStage::handed_over), kPatience, 9999).phase, ServerPhase::provisioned);
}

TEST(Provisioning, WhoIsLateFailsAtAStage) {
    auto late = judge(ServerFacts{.name = "n1"}, kPatience, 60);
    EXPECT_EQ(late.phase, ServerPhase::failed);
    EXPECT_THAT(late.text, HasSubstr("no free server"));
    late = judge(ServerFacts{.name = "n1", .resource_id = "r1"}, kPatience, 60);
    EXPECT_EQ(late.phase, ServerPhase::failed);
    EXPECT_THAT(late.text, HasSubstr("n1 failed at stage power-on: it was not heard of within 60 s"));
    late = judge(booting(BootStage::transferring), kPatience, 600);
    EXPECT_EQ(late.phase, ServerPhase::failed);
    EXPECT_THAT(late.text, HasSubstr("at stage transferring: it was not done within 600 s"));
}

TEST(Provisioning, AFailedBootMayBeTriedAgain) {
    const auto first = judge(booting(BootStage::failed, 1), kPatience, 10);
    EXPECT_EQ(first.phase, ServerPhase::processing);
    EXPECT_THAT(first.text, HasSubstr("it stopped"));
    const auto last = judge(booting(BootStage::failed, 2), kPatience, 20);
    EXPECT_EQ(last.phase, ServerPhase::failed);
    EXPECT_THAT(last.text, HasSubstr("n1 failed 2 times, the last time: it stopped"));
}

TEST(Provisioning, ARequestIsWhatItsServersAre) {
    std::vector<ServerFacts> servers{booting(BootStage::home), booting(BootStage::transferring)};
    EXPECT_EQ(judge(servers, kPatience, 10).phase, Phase::progressing);
    EXPECT_THAT(judge(servers, kPatience, 10).message,
                HasSubstr("1 of 2 servers provisioned; n1 is at stage"));
    servers[1].stage = BootStage::home;
    EXPECT_EQ(judge(servers, kPatience, 10).phase, Phase::fulfilled);
    servers[1] = ServerFacts{.name = "n2", .resource_id = "r2"};
    const auto failed = judge(servers, kPatience, 60);
    EXPECT_EQ(failed.phase, Phase::failed);
    EXPECT_THAT(failed.message, HasSubstr("n2 failed at stage power-on"));
    EXPECT_THAT(failed.message, HasSubstr("1 of 2 servers provisioned"));
}

}  // namespace
}  // namespace rouse::o2ims
