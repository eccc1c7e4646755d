// Measurement jobs without a server: the table, what a job collects, and the collector by a clock of its own.

#include "mgmt/o2ims/collector.hpp"
#include "mgmt/o2ims/measurements.hpp"
#include "shared/clock.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::o2ims {
namespace {

using nlohmann::json;

constexpr std::uint64_t kStart = 1'800'000'000 * kNanosPerSecond;
constexpr std::uint64_t kSecond = kNanosPerSecond;

Reading server(const std::string& id, std::optional<double> cpu, const std::string& pool = "p1") {
    const json load = cpu ? json{{"cpu_usage", *cpu}} : json::object();
    return {.resource = id,
            .type = "t1",
            .pool = pool,
            .of = MeasuredOf::server,
            .values = read_all(MeasuredOf::server, {.load = &load})};
}

json request(std::vector<std::string> names, int interval = 10) {
    return {{"collectionInterval", interval},
            {"measurementSelectionCriteria", {{"performanceMeasurementDefinitionIds", std::move(names)}}}};
}

store::Document document(json data, const char* state = "ACTIVE") {
    return {store::Id::make(), 1, {{"data", std::move(data)}, {"state", state}}};
}

TEST(Measurements, EachHasAnIdOfItsOwnAndIsInOneDictionary) {
    Cloud cloud;
    std::set<std::string> ids;
    for (const MeasuredOf of : {MeasuredOf::server, MeasuredOf::appliance})
        for (const json& one : dictionary(cloud, of)["supportedMeasurements"]) {
            const std::string id = one["performanceMeasurementDefinitionId"];
            EXPECT_TRUE(ids.insert(id).second) << id;
            ASSERT_NE(find_measurement(id), nullptr);
            EXPECT_EQ(find_measurement(id)->of, of);
        }
    EXPECT_EQ(ids.size(), measurements().size());
    EXPECT_NE(dictionary_id(cloud, MeasuredOf::server), dictionary_id(cloud, MeasuredOf::appliance));
}

TEST(Measurements, WhatIsNotKnownIsNotZero) {
    for (const Measurement& one : measurements()) EXPECT_FALSE(one.read({})) << one.id;
    const json load{{"cpu_usage", 12.5}};
    EXPECT_EQ(find_measurement("server.cpuUsage")->read({.load = &load}), 12.5);
    EXPECT_FALSE(find_measurement("server.memoryUsed")->read({.load = &load}));
    ApplianceFacts facts;
    facts.machines = 3;
    facts.drops = 7;
    EXPECT_EQ(find_measurement("appliance.machines")->read({.appliance = &facts}), 3);
    EXPECT_FALSE(find_measurement("appliance.framesDropped")->read({.appliance = &facts}))
        << "no dataplane yet";
    facts.has_dataplane = true;
    EXPECT_EQ(find_measurement("appliance.framesDropped")->read({.appliance = &facts}), 7);
}

TEST(Jobs, MeasureWhatSatisfiesEachListOfTheScope) {
    json data = request({"server.cpuUsage"});
    EXPECT_TRUE(Job::of(document(data)).covers(server("r1", 1)));
    data["resourceScopeCriteria"] = {{"resourceIds", {"r1", "r2"}}, {"resourcePoolIds", {"p1"}}};
    const Job job = Job::of(document(data));
    EXPECT_TRUE(job.covers(server("r1", 1)));
    EXPECT_FALSE(job.covers(server("r2", 1, "p2")));
    EXPECT_FALSE(job.covers(server("r3", 1)));
    const Job other = Job::of(document(request({"appliance.machines"})));
    EXPECT_FALSE(other.covers(server("r1", 1))) << "nothing that it measures is of servers";
}

TEST(Jobs, AreDegradedByAResourceOfWhichNothingIsKnown) {
    const auto asked = document(request({"server.cpuUsage"}));
    const Job job = Job::of(asked);
    const std::vector<Reading> readings{server("r1", 5), server("r2", std::nullopt)};
    const auto collection = collect(job, readings, kStart);
    EXPECT_EQ(collection.status, JobStatus::degraded);
    ASSERT_EQ(collection.results.size(), 1U);
    const json view = view_of(job.id, collection, collection.results[0]);
    EXPECT_EQ(view["resourceId"], "r1");
    EXPECT_EQ(view["values"], json::array({{{"performanceMeasurementDefinitionId", "server.cpuUsage"},
                                            {"value", 5.0},
                                            {"unit", "percent"}}}));
    EXPECT_EQ(notification_of(asked, collection, collection.results)["results"], json::array({view}));
    EXPECT_EQ(collect(job, std::span(readings).first(1), kStart).status, JobStatus::running);
}

TEST(Jobs, AreDueAtTheirIntervalAlsoWhenTheClockIsSetBack) {
    const Job job = Job::of(document(request({"server.cpuUsage"})));
    EXPECT_TRUE(is_due(job, 0, kStart));
    EXPECT_FALSE(is_due(job, kStart, kStart + 9 * kSecond));
    EXPECT_TRUE(is_due(job, kStart, kStart + 10 * kSecond));
    EXPECT_TRUE(is_due(job, kStart, kStart - kSecond));
    EXPECT_FALSE(is_due(Job::of(document(request({"server.cpuUsage"}), "SUSPENDED")), 0, kStart));
}

TEST(Jobs, TellSinceWhenAThingIsMeasured) {
    Followed followed;
    followed.follow({{"t1", "r1"}, {"t1", "r2"}}, kStart);
    followed.follow({{"t1", "r1"}}, kStart + kSecond);
    const json told = followed.describe("resourceId");
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0]["isCurrentlyMeasured"], true);
    EXPECT_EQ(told[0]["timeAdded"].size(), 1U);
    EXPECT_EQ(told[1]["isCurrentlyMeasured"], false);
    EXPECT_EQ(told[1]["timeDeleted"].size(), 1U);
    std::set<Followed::Key> many;
    for (std::size_t i = 0; i <= Followed::kMaxGone; ++i) many.emplace("t1", std::to_string(i));
    followed.follow(many, kStart);
    followed.follow({}, kStart);
    EXPECT_TRUE(followed.describe("resourceId").empty());
}

class Collecting : public store::StoreTest {
  protected:
    store::Document add(json data) {
        return writer_
            ->run([&](store::Batch& batch) {
                return store::insert(batch, store::kMeasurementJobs, {{"data", data}, {"state", "ACTIVE"}});
            })
            .value();
    }
    void change(store::Document job) {
        ASSERT_TRUE(writer_->run(
            [&](store::Batch& batch) { return store::update(batch, store::kMeasurementJobs, job); }));
    }
    std::size_t results(const store::Id& job) const {
        std::size_t count = 0;
        for (const auto& one : collector_.results_of(job)) count += one->results.size();
        return count;
    }

    Result<std::vector<Reading>> readings_{std::vector<Reading>{server("r1", 5)}};
    std::vector<json> handed_on_;
    Collector collector_{*store_, [this] { return readings_; },
                         [this](const store::Document& job, const Collection& collection) {
                             handed_on_.push_back(notification_of(job, collection, collection.results));
                         }};
};

TEST_F(Collecting, AtTheIntervalUntilSuspended) {
    auto job = add(request({"server.cpuUsage"}));
    ASSERT_TRUE(collector_.turn(kStart));
    EXPECT_EQ(results(job.id), 1U) << "the first is at once";
    ASSERT_TRUE(collector_.turn(kStart + 9 * kSecond));
    EXPECT_EQ(results(job.id), 1U);
    ASSERT_TRUE(collector_.turn(kStart + 11 * kSecond));
    ASSERT_TRUE(collector_.turn(kStart + 20 * kSecond));
    EXPECT_EQ(results(job.id), 3U) << "being late once moves no later collection";
    EXPECT_EQ(handed_on_.size(), 3U);
    EXPECT_EQ(collector_.state_of(Job::of(job)).status, JobStatus::running);
    job.fields["state"] = "SUSPENDED";
    change(job);
    ASSERT_TRUE(collector_.turn(kStart + 60 * kSecond));
    EXPECT_EQ(results(job.id), 3U);
    const auto state = collector_.state_of(Job::of(job));
    EXPECT_EQ(state.status, JobStatus::idle);
    EXPECT_EQ(state.resources[0]["isCurrentlyMeasured"], false);
}

TEST_F(Collecting, FailsAndRecoversWithItsReadings) {
    const auto job = add(request({"server.cpuUsage"}));
    readings_ = fail("the disk is gone");
    EXPECT_FALSE(collector_.turn(kStart));
    EXPECT_EQ(collector_.state_of(Job::of(job)).status, JobStatus::failed);
    readings_ = std::vector<Reading>{server("r1", 5)};
    ASSERT_TRUE(collector_.turn(kStart + 10 * kSecond));
    EXPECT_EQ(collector_.state_of(Job::of(job)).status, JobStatus::running);
}

TEST_F(Collecting, ForgetsWhatIsOldTooMuchOrDeleted) {
    const auto job = add(request({"server.cpuUsage"}, 1));
    ASSERT_TRUE(collector_.turn(kStart));
    const std::uint64_t day_ns = 86'400 * kSecond;
    ASSERT_TRUE(collector_.turn(kStart + day_ns + kSecond));
    EXPECT_EQ(results(job.id), 1U) << "the retention period is a day";
    std::vector<Reading> many;
    for (int i = 0; i < 9000; ++i) many.push_back(server("r" + std::to_string(i), 1));
    readings_ = many;
    for (std::uint64_t i = 2; i < 6; ++i) ASSERT_TRUE(collector_.turn(kStart + day_ns + i * kSecond));
    EXPECT_EQ(results(job.id), 18'000U) << "whole collections, 20 000 results at most";
    ASSERT_TRUE(writer_->run(
        [&](store::Batch& batch) { return store::erase(batch, store::kMeasurementJobs, job.id); }));
    ASSERT_TRUE(collector_.turn(kStart + day_ns + 10 * kSecond));
    EXPECT_EQ(results(job.id), 0U);
}

TEST_F(Collecting, GoesOnAfterARestartWithoutItsResults) {
    const auto job = add(request({"server.cpuUsage"}));
    ASSERT_TRUE(collector_.turn(kStart));
    Collector next(*store_, [this] { return readings_; });
    EXPECT_TRUE(next.results_of(job.id).empty());
    ASSERT_TRUE(next.turn(kStart + kSecond));
    EXPECT_EQ(next.results_of(job.id).size(), 1U);
}

}  // namespace
}  // namespace rouse::o2ims
