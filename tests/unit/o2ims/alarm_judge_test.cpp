// From facts to alarms, without a store.

#include "mgmt/o2ims/monitoring/alarm_judge.hpp"

#include "shared/clock.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace rouse::o2ims {
namespace {

using events::BootStage;

class AlarmJudgement : public testing::Test {
  protected:
    // A turn at SECONDS, whose decisions are carried out.
    AlarmDecisions turn(std::uint64_t seconds) {
        const auto assessment = assess(cloud_, facts_, raised_);
        auto out = judge_.judge(assessment, raised_, seconds * kNanosPerSecond);
        for (const auto& condition : out.raise) {
            const auto id = store::Id::make();
            const bool is_new =
                raised_.emplace(condition.key(), RaisedAlarm{id, condition.key(), condition.severity, ""})
                    .second;
            EXPECT_TRUE(is_new) << condition.key() << " was raised twice";
        }
        for (const auto& [id, now] : out.change) {
            auto& was = raised_.at(now.key());
            EXPECT_EQ(was.id, id);
            EXPECT_NE(was.severity, now.severity) << "nothing changed";
            was.severity = now.severity;
        }
        for (const auto& id : out.clear)
            EXPECT_EQ(std::erase_if(raised_, [&](const auto& one) { return one.second.id == id; }), 1U);
        return out;
    }
    [[nodiscard]] bool is_raised(AlarmName alarm) const {
        return std::ranges::any_of(raised_, [&](const auto& one) {
            return one.first.starts_with(std::string(definition_of(alarm).name) + "/");
        });
    }
    static Cloud cloud() {
        Cloud out;
        out.id = *store::Id::parse("0192f0c0-0000-7000-8000-00000000c10d");
        return out;
    }

    Cloud cloud_ = cloud();
    AlarmFacts facts_;
    RaisedAlarms raised_;
    AlarmJudge judge_;
};

TEST_F(AlarmJudgement, WhatLastsRaisesAndWhatIsOverClears) {
    facts_.dataplane = "it stands still";
    turn(0);
    turn(9);
    EXPECT_FALSE(is_raised(AlarmName::dataplane_not_polling)) << "it is only so for a moment";
    turn(10);
    ASSERT_TRUE(is_raised(AlarmName::dataplane_not_polling));
    EXPECT_EQ(raised_.begin()->second.severity, Severity::critical);
    EXPECT_TRUE(turn(13).empty()) << "raised once";
    facts_.dataplane = "";
    turn(20);
    facts_.dataplane = "it stands still";
    turn(25);
    facts_.dataplane = "";
    turn(29);
    turn(38);
    EXPECT_TRUE(is_raised(AlarmName::dataplane_not_polling)) << "it was better for a moment only";
    turn(39);
    EXPECT_FALSE(is_raised(AlarmName::dataplane_not_polling));
}

TEST_F(AlarmJudgement, WhatIsNotKnownChangesNothing) {
    facts_.workers = {{"w", "rack7", true}};
    facts_.dataplane = "it stands still";
    facts_.pools = {{"p", "10.77.1.1", 100, 0}};
    facts_.profiles = {{"b", "debian", "there is no image x"}};
    facts_.servers = {{"r", "t", "n1", BootStage::failed, kBootsUntilAlarm, "why"}};
    facts_.disk = {1, 1000};
    turn(0);
    turn(100);
    ASSERT_EQ(raised_.size(), 6U);
    facts_ = {};
    turn(200);
    turn(10'000);
    EXPECT_EQ(raised_.size(), 6U);
    facts_.workers.emplace();
    facts_.dataplane.emplace();
    facts_.pools.emplace();
    facts_.profiles.emplace();
    facts_.servers.emplace();
    facts_.disk = {std::uint64_t{9} << 30, std::uint64_t{10} << 30};
    turn(20'000);
    turn(20'100);
    EXPECT_TRUE(raised_.empty()) << "what is gone has no alarm";
}

TEST_F(AlarmJudgement, APoolMustRecoverAndMayGetWorseAtOnce) {
    const auto with = [&](std::uint64_t free) { facts_.pools = {{"p", "10.77.1.1", 100, free}}; };
    with(10);
    turn(0);
    EXPECT_TRUE(raised_.empty()) << "a tenth is enough";
    with(9);
    turn(1);
    ASSERT_EQ(raised_.size(), 1U);
    EXPECT_EQ(raised_.begin()->second.severity, Severity::minor);
    with(0);
    EXPECT_EQ(turn(2).change.size(), 1U);
    EXPECT_EQ(raised_.begin()->second.severity, Severity::major);
    with(1);
    EXPECT_TRUE(turn(3).empty());
    turn(33);
    EXPECT_EQ(raised_.begin()->second.severity, Severity::minor) << "milder after a while";
    with(14);
    turn(40);
    turn(100);
    EXPECT_EQ(raised_.size(), 1U) << "14 of 100 are not much better";
    with(15);
    turn(110);
    turn(140);
    EXPECT_TRUE(raised_.empty());
}

TEST_F(AlarmJudgement, AServerThatTriesAgainHasNotBooted) {
    const auto server = [&](BootStage stage, std::uint32_t failures) {
        facts_.servers = {{"r", "t", "n1", stage, failures, "no answer"}};
    };
    server(BootStage::failed, 2);
    turn(0);
    EXPECT_TRUE(raised_.empty());
    server(BootStage::failed, 3);
    turn(1);
    ASSERT_EQ(raised_.size(), 1U);
    server(BootStage::transferring, 3);
    turn(2);
    turn(200);
    EXPECT_EQ(raised_.size(), 1U);
    server(BootStage::home, 0);
    turn(201);
    EXPECT_TRUE(raised_.empty());
}

TEST_F(AlarmJudgement, AForeignServersAlarmIsClearedBySomebodyAlone) {
    facts_.foreign_servers["10.77.0.9"] = 5;
    turn(0);
    ASSERT_TRUE(is_raised(AlarmName::foreign_dhcp_server));
    facts_.foreign_servers.clear();
    turn(1);
    turn(100'000);
    EXPECT_TRUE(is_raised(AlarmName::foreign_dhcp_server));
}

TEST_F(AlarmJudgement, ACertificateEndsInThreeSteps) {
    constexpr std::int64_t kDay = 86'400;
    const auto severity_with = [&](std::int64_t left, std::uint64_t at) {
        facts_.certificate_seconds = left;
        turn(at);
        return raised_.empty() ? Severity::cleared : raised_.begin()->second.severity;
    };
    EXPECT_EQ(severity_with(15 * kDay, 0), Severity::cleared);
    EXPECT_EQ(severity_with(14 * kDay, 1), Severity::minor);
    EXPECT_EQ(severity_with(2 * kDay, 2), Severity::major);
    EXPECT_EQ(severity_with(0, 3), Severity::critical);
    EXPECT_EQ(severity_with(300 * kDay, 4), Severity::cleared);
}

// Whatever happens: one raised alarm of a thing at most, none that clears and raises within its quiet time,
// and in the end all is as the facts are.
TEST_F(AlarmJudgement, AnySequenceEndsAsTheFactsAre) {
    std::mt19937 random(7);
    std::map<std::string, std::uint64_t> raised_at, cleared;
    std::uint64_t now = 0;
    for (int round = 0; round < 20'000; ++round) {
        const auto chance = [&](unsigned of) { return random() % of == 0; };
        if (chance(3)) facts_.dataplane = chance(2) ? "it stands still" : "";
        if (chance(7)) facts_.dataplane.reset();
        if (chance(3)) facts_.workers = {{"w1", "a", chance(2)}, {"w2", "b", chance(4)}};
        if (chance(4)) facts_.pools = {{"p", "10.77.1.1", 100, random() % 30}};
        if (chance(3)) facts_.servers = {{"r", "t", "n1", static_cast<BootStage>(random() % 12), 3, "why"}};
        now += 1 + random() % 5;
        const auto before = raised_;
        for (const auto& one : turn(now).raise) {
            const auto last = cleared.find(one.key());
            if (last != cleared.end()) {
                EXPECT_GE(now - last->second, definition_of(one.alarm).raise_seconds) << one.key();
            }
            raised_at[one.key()] = now;
        }
        for (const auto& [key, alarm] : before) {
            if (raised_.contains(key)) continue;
            EXPECT_GE(now - raised_at.at(key), find_alarm(key.substr(0, key.find('/')))->clear_seconds)
                << key;
            cleared[key] = now;
        }
    }
    EXPECT_FALSE(cleared.empty());
    facts_ = {};
    facts_.workers.emplace();
    facts_.dataplane = "it stands still";
    facts_.pools.emplace();
    facts_.servers.emplace();
    turn(now += 1);
    turn(now += 1000);
    ASSERT_EQ(raised_.size(), 1U);
    EXPECT_TRUE(is_raised(AlarmName::dataplane_not_polling));
}

TEST(AlarmDefinitions, AreWholeAndEachIsInOneDictionary) {
    Cloud cloud;
    cloud.id = *store::Id::parse("0192f0c0-0000-7000-8000-00000000c10d");
    std::size_t listed = 0;
    std::set<std::string> ids;
    for (const auto subject : {AlarmSubject::server, AlarmSubject::appliance}) {
        const auto dictionary = alarm_dictionary(cloud, subject);
        ASSERT_FALSE(dictionary["alarmDefinition"].empty());
        EXPECT_FALSE(dictionary["probableCauses"].empty());
        for (const auto& one : dictionary["alarmDefinition"]) {
            ++listed;
            ids.insert(one["alarmDefinitionId"].get<std::string>());
            EXPECT_FALSE(one["proposedRepairActions"].get<std::string>().empty());
        }
    }
    EXPECT_EQ(listed, kAlarmDefinitions);
    EXPECT_EQ(ids.size(), kAlarmDefinitions);
    EXPECT_EQ(alarm_definition_id(cloud, "boot-failed"), alarm_definition_id(cloud, "boot-failed"));
    EXPECT_EQ(&definition_of(AlarmName::disk_filling), find_alarm("disk-filling"));
    EXPECT_EQ(&definition_of(AlarmName::boot_failed), find_alarm("boot-failed"));
    EXPECT_EQ(find_alarm("none"), nullptr);
}

}  // namespace
}  // namespace rouse::o2ims
