// The monitoring service over REST, with alarms that are raised as the server raises them.

#include "mgmt/events/timeline.hpp"
#include "mgmt/o2ims/alarm_facts.hpp"
#include "mgmt/o2ims/alarm_notifications.hpp"
#include "mgmt/o2ims/alarm_records.hpp"
#include "mgmt/o2ims/alarm_routes.hpp"
#include "mgmt/o2ims/alarm_tasks.hpp"
#include "mgmt/o2ims/alarm_view.hpp"
#include "mgmt/o2ims/inventory_routes.hpp"
#include "mgmt/o2ims/resource_view.hpp"
#include "mgmt/store/changes.hpp"
#include "shared/clock.hpp"
#include "tests/unit/ims/api_fixture.hpp"

#include <cctype>

namespace rouse::o2ims {
namespace {

using http::Method;
using nlohmann::json;
using testing::HasSubstr;

const std::string kV1 = "/o2ims-infrastructureMonitoring/v1";
const std::string kV2 = "/o2ims-infrastructureMonitoring/v2";
const std::string kTypes = "/o2ims-infrastructureInventory/v2";

class O2imsAlarms : public ims::ApiTest {
  protected:
    O2imsAlarms() {
        accept_spellings(api_);
        add_inventory(api_, inventory_);
        auto service = monitoring_service(api_);
        add_alarms(service, *services_, inventory_.cloud());
    }
    static Cloud cloud() {
        Cloud out;
        out.id = *store::Id::parse("0192f0c0-0000-7000-8000-00000000c10d");
        out.global_id = "0192f0c0-0000-7000-8000-0000000091ba";
        out.service_uri = "https://rouse.example";
        return out;
    }
    std::size_t carry_out(const AlarmDecisions& decisions) {
        const auto done =
            writer_->run([&](store::Batch& batch) { return o2ims::carry_out(batch, decisions); });
        EXPECT_TRUE(done) << done.error().message;
        return done.value_or(0);
    }
    Condition condition(AlarmName alarm, const std::string& object = "0192f0c0-0000-7000-8000-000000000001",
                        std::uint64_t seen_ns = 0) {
        return {alarm,
                object,
                appliance_type_id(cloud()),
                "rouse.Appliance",
                definition_of(alarm).severity,
                "something is wrong",
                seen_ns};
    }
    // The id of the new alarm.
    std::string raise(const Condition& what) {
        carry_out({.raise = {what}});
        const auto raised = raised_alarms(*store_->snapshot()).value();
        const auto found = raised.find(what.key());
        EXPECT_NE(found, raised.end());
        return found == raised.end() ? "" : found->second.id.to_string();
    }
    void clear(const std::string& id) { carry_out({.clear = {*store::Id::parse(id)}}); }
    store::Document document(const std::string& id) {
        return store::find(*store_->snapshot(), store::kAlarms, *store::Id::parse(id)).value().value();
    }
    json alarm(const std::string& id) { return get(kV2 + "/alarms/" + id).body(); }
    ims::Answer acknowledge(const std::string& id) {
        return patch(kV2 + "/alarms/" + id, {{"alarmAcknowledged", true}});
    }

    Inventory inventory_{*store_, consumer_->tables(), cloud()};
};

TEST_F(O2imsAlarms, AnAlarmIsRaisedChangedAcknowledgedAndCleared) {
    const auto id = raise(condition(AlarmName::pool_exhausted));
    const json first = alarm(id);
    EXPECT_EQ(first["perceivedSeverity"], 1);
    EXPECT_EQ(first["alarmAcknowledged"], false);
    EXPECT_EQ(first["objectTypeId"], appliance_type_id(cloud()));
    EXPECT_FALSE(first.contains("alarmChangedTime"));
    EXPECT_EQ(notification_of_alarm(cloud(), document(id))["notificationEventType"], 0);

    auto milder = condition(AlarmName::pool_exhausted);
    milder.severity = Severity::minor;
    carry_out({.change = {{*store::Id::parse(id), milder}}});
    EXPECT_EQ(alarm(id)["perceivedSeverity"], 2);
    EXPECT_EQ(notification_of_alarm(cloud(), document(id))["notificationEventType"], 1);

    const auto acknowledged = acknowledge(id);
    EXPECT_EQ(acknowledged.code, 200U);
    EXPECT_EQ(acknowledged.body(), (json{{"alarmAcknowledged", true}})) << "what was changed, no more";
    EXPECT_TRUE(alarm(id).contains("alarmAcknowledgeTime"));
    EXPECT_EQ(notification_of_alarm(cloud(), document(id))["notificationEventType"], 3);
    EXPECT_EQ(acknowledge(id).code, 409U);

    const auto refused = patch(kV2 + "/alarms/" + id, {{"perceivedSeverity", 5}});
    EXPECT_EQ(refused.code, 409U) << "this one clears itself";
    clear(id);
    const json last = alarm(id);
    EXPECT_EQ(last["perceivedSeverity"], 5);
    EXPECT_EQ(last["alarmClearedTime"], last["alarmChangedTime"]);
    const json told = notification_of_alarm(cloud(), document(id));
    EXPECT_EQ(told["notificationEventType"], 2);
    EXPECT_EQ(told["globalCloudId"], cloud().global_id);
    EXPECT_EQ(told["objectRef"], "https://rouse.example" + kV1 + "/alarms/" + id);

    EXPECT_NE(raise(condition(AlarmName::pool_exhausted)), id) << "the next time it is another alarm";
    EXPECT_EQ(get(kV2 + "/alarms").body().size(), 2U);
}

TEST_F(O2imsAlarms, EveryStepIsOneChangeInTheFeed) {
    const auto before = store::last_change(*store_->snapshot()).value();
    const auto id = raise(condition(AlarmName::foreign_dhcp_server));
    ASSERT_EQ(acknowledge(id).code, 200U);
    ASSERT_EQ(patch(kV2 + "/alarms/" + id, {{"perceivedSeverity", 5}}).code, 200U);
    EXPECT_EQ(document(id).revision, 3U);
    std::size_t of_alarms = 0;
    const auto read =
        store::changes_after(*store_->snapshot(), before, 100, [&](const store::Change& change) {
            of_alarms += change.kind == store::Kind::alarm;
            return true;
        });
    ASSERT_TRUE(read);
    EXPECT_GE(of_alarms, 1U) << "the feed keeps the newest change of a document";
}

TEST_F(O2imsAlarms, WhatWasClearedByHandIsRaisedByNewsAlone) {
    const std::uint64_t long_ago = realtime_ns() - 60 * kNanosPerSecond;
    const auto object = "0192f0c0-0000-7000-8000-0000000000d7";
    const auto id = raise(condition(AlarmName::foreign_dhcp_server, object, long_ago));
    ASSERT_EQ(patch(kV2 + "/alarms/" + id, {{"perceivedSeverity", 5}}).code, 200U);
    EXPECT_EQ(patch(kV2 + "/alarms/" + id, {{"perceivedSeverity", 5}}).code, 409U);
    carry_out({.raise = {condition(AlarmName::foreign_dhcp_server, object, long_ago)}});
    EXPECT_EQ(get(kV2 + "/alarms").body().size(), 1U);
    const std::uint64_t later = realtime_ns() + kNanosPerSecond;
    EXPECT_NE(raise(condition(AlarmName::foreign_dhcp_server, object, later)), id);
}

TEST_F(O2imsAlarms, BothVersionsHaveTheirOwnNames) {
    const auto id = raise(condition(AlarmName::disk_filling));
    const json first = get(kV1 + "/alarms/" + id).body();
    for (const char* name : {"resourceTypeID", "resourceID", "alarmDefinitionID", "probableCauseID",
                             "resourceTypeId", "resourceId", "alarmDefinitionId", "probableCauseId"})
        EXPECT_TRUE(first.contains(name)) << name;
    EXPECT_FALSE(first.contains("objectId"));
    const json second = alarm(id);
    EXPECT_EQ(second["objectId"], first["resourceID"]);
    EXPECT_EQ(second["objectClass"], "rouse.Appliance");
    EXPECT_FALSE(second.contains("resourceID"));
    Cloud strict = cloud();
    strict.profile = Profile::strict;
    EXPECT_FALSE(view_of_alarm(strict, document(id), 1).contains("resourceId"));
}

TEST_F(O2imsAlarms, ListsAreFiltered) {
    raise(condition(AlarmName::disk_filling));
    const auto worker = raise(condition(AlarmName::worker_lost));
    EXPECT_EQ(get(kV1 + "/alarms?filter=(eq,perceivedSeverity,1);(eq,resourceID,"
                        "0192F0C0-0000-7000-8000-000000000001)")
                  .body()[0]["alarmEventRecordId"],
              worker);
    EXPECT_EQ(get(kV2 + "/alarms?filter=(eq,extensions/alarmName,disk-filling)").body().size(), 1U);
    EXPECT_EQ(get(kV2 + "/alarms?filter=(gte,perceivedSeverity,1)&limit=1").headers.get("Link").empty(),
              false);
    EXPECT_EQ(get(kV2 + "/alarms?filter=(eq,resourceID,x)").code, 400U) << "a name of version 1";
    EXPECT_EQ(get(kV2 + "/alarms?filter=(eq,none,x)").code, 400U);
    EXPECT_EQ(get(kV2 + "/alarms?fields=extensions").body().size(), 2U);
}

TEST_F(O2imsAlarms, BadPatchesSayWhy) {
    const auto id = raise(condition(AlarmName::foreign_dhcp_server));
    const std::string one = kV2 + "/alarms/" + id;
    for (const json& body :
         {json::object(), json{{"alarmAcknowledged", false}}, json{{"perceivedSeverity", 2}},
          json{{"perceivedSeverity", 6}}, json{{"other", true}},
          json{{"alarmAcknowledged", true}, {"perceivedSeverity", 5}}, json{{"alarmAcknowledged", nullptr}}})
        EXPECT_EQ(patch(one, body).code, 400U) << body;
    http::Headers match;
    match.add("If-Match", "\"7\"");
    EXPECT_EQ(call(Method::patch, one, R"({"alarmAcknowledged":true})", match).code, 412U);
    EXPECT_EQ(acknowledge("0192f0c0-0000-7000-8000-0000000000ff").code, 404U);
    EXPECT_EQ(acknowledge("nonsense").code, 404U);
    EXPECT_EQ(put(one, json::object()).code, 405U);
    EXPECT_EQ(document(id).revision, 1U) << "nothing of that changed it";
    http::Headers right;
    right.add("If-Match", std::string(get(one).headers.get("ETag")));
    EXPECT_EQ(call(Method::patch, one, R"({"alarmAcknowledged":true})", right).code, 200U);
}

TEST_F(O2imsAlarms, APurgeTakesClearedAndAcknowledgedOnesAlone) {
    const auto object = [](int i) { return "0192f0c0-0000-7000-8000-00000000000" + std::to_string(i); };
    std::vector<std::string> ids;
    for (int i = 0; i < 4; ++i) ids.push_back(raise(condition(AlarmName::worker_lost, object(i))));
    for (const int i : {0, 1}) ASSERT_EQ(acknowledge(ids[i]).code, 200U);
    for (const int i : {0, 1, 2}) clear(ids[i]);
    EXPECT_EQ(post(kV2 + "/alarms/purge", json::object()).code, 400U);
    EXPECT_EQ(post(kV2 + "/alarms/purge", {{"purgeConditions", json::object()}}).code, 400U);
    const auto purge = [&](const json& body) {
        const auto answer = post(kV2 + "/alarms/purge", body);
        EXPECT_EQ(answer.code, 202U) << answer.text;
        EXPECT_TRUE(answer.text.empty());
        return get(std::string(answer.headers.get("Location"))).body();
    };
    // Both: what fits both.
    purge({{"alarmRecordId", {ids[0]}}, {"purgeConditions", {{"endWindowTime", "2001-01-01T00:00:00Z"}}}});
    EXPECT_EQ(get(kV2 + "/alarms").body().size(), 4U);
    std::string shouted = ids[0];
    for (char& c : shouted) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const json task = purge({{"alarmRecordId", {shouted, ids[2], ids[3]}}});
    EXPECT_EQ(task["operationState"], "COMPLETED");
    EXPECT_EQ(task["operation"], "PURGE");
    EXPECT_EQ(get(kV2 + "/alarms").body().size(), 3U);
    purge({{"purgeConditions",
            {{"startWindowTime", "2001-01-01T00:00:00Z"}, {"endWindowTime", "2101-01-01T00:00:00Z"}}}});
    const json left = get(kV2 + "/alarms").body();
    ASSERT_EQ(left.size(), 2U);
    EXPECT_EQ(left[0]["alarmEventRecordId"], ids[2]) << "not acknowledged";
    EXPECT_EQ(left[1]["alarmEventRecordId"], ids[3]) << "not cleared";
    EXPECT_EQ(get(kV2 + "/taskOperations").body().size(), 3U);
    EXPECT_EQ(get(kV2 + "/taskOperations/" + ids[0]).code, 404U);
}

TEST_F(O2imsAlarms, SubscribersAreToldInTheTransactionOfEachChange) {
    const auto tables = writer_->run([](store::Batch& batch) { return OutboxTables::open(batch); });
    ASSERT_TRUE(tables) << tables.error().message;
    const auto tell = tell_subscribers(*tables, cloud());
    const auto raise_and_tell = [&](AlarmName name) {
        const AlarmDecisions decisions{.raise = {condition(name)}};
        const auto done =
            writer_->run([&](store::Batch& batch) { return o2ims::carry_out(batch, decisions, tell); });
        ASSERT_TRUE(done) << done.error().message;
    };
    raise_and_tell(AlarmName::pool_exhausted);  // nobody has subscribed yet
    const auto subscribed = writer_->run([&](store::Batch& batch) -> Outcome<store::Document> {
        auto made = store::insert(batch, store::kSubscriptions,
                                  {{"service", kMonitoringService}, {"callback", "https://smo.example/a"}});
        if (made && !begin_cursor(batch, *tables, made->id)) ADD_FAILURE();
        return made;
    });
    ASSERT_TRUE(subscribed) << subscribed.error().message;
    raise_and_tell(AlarmName::worker_lost);
    const auto raised = raised_alarms(*store_->snapshot()).value();
    const auto worker = raised.at(condition(AlarmName::worker_lost).key()).id;
    for (const bool acknowledges : {true, false}) {
        const auto changed = writer_->run([&](store::Batch& batch) {
            auto alarm = store::find(batch, store::kAlarms, worker).value().value();
            return acknowledges ? o2ims::acknowledge(batch, std::move(alarm), tell).map([](auto&&) {})
                                : o2ims::carry_out(batch, {.clear = {worker}}, tell).map([](auto&&) {});
        });
        ASSERT_TRUE(changed) << changed.error().message;
    }
    std::vector<std::string> kinds;
    std::vector<Notification> told;
    ASSERT_TRUE(read_log(*store_->snapshot(), *tables, 0, [&](const LoggedNotification& one) {
        kinds.push_back(one.notification.kind);
        told.push_back(one.notification);
        return true;
    }));
    EXPECT_EQ(kinds, (std::vector<std::string>{"NEW", "ACKNOWLEDGE", "CLEAR"}));
    const json body = json::parse(told.at(0).body);
    for (const char* name : {"notificationId", "alarmEventRecordId", "resourceID", "objectId",
                             "alarmDefinitionID", "alarmDefinitionId", "globalCloudId"})
        EXPECT_TRUE(body.contains(name)) << name;

    // What a filter hits is not told.
    EXPECT_TRUE(parse_alarm_filter("NEW").value()(told[0]));
    EXPECT_FALSE(parse_alarm_filter("NEW").value()(told[1]));
    EXPECT_TRUE(parse_alarm_filter("(eq,perceivedSeverity,5)").value()(told[2]));
    EXPECT_FALSE(parse_alarm_filter("(eq,perceivedSeverity,5)").value()(told[0]));
    for (const char* of_a_version : {"resourceID", "objectId"})
        EXPECT_TRUE(parse_alarm_filter("(eq," + std::string(of_a_version) + "," +
                                       body["objectId"].get<std::string>() + ")")
                        .value()(told[0]))
            << of_a_version;
    EXPECT_FALSE(parse_alarm_filter("OLD"));
    EXPECT_FALSE(parse_alarm_filter("(eq,colour,red)"));
}

TEST(AlarmTasks, ATaskThatGoesWithoutAnEndHasFailedAndFreesTheWay) {
    AlarmTasks tasks;
    {
        const auto task = tasks.begin(json::object());
        ASSERT_NE(task, nullptr);
        EXPECT_EQ(tasks.begin(json::object()), nullptr) << "one at a time";
    }
    EXPECT_EQ(tasks.all().begin()->second["operationState"], "FAILED");
    const auto next = tasks.begin(json::object());
    ASSERT_NE(next, nullptr);
    next->end("");
    EXPECT_EQ(tasks.all().at(next->id())["operationState"], "COMPLETED");
}

TEST_F(O2imsAlarms, ClearedOnesAreForgottenAfterTheRetention) {
    const std::string path = kV1 + "/alarmServiceConfiguration";
    EXPECT_EQ(get(path).body()["retentionPeriod"], kAlarmRetentionDays);
    EXPECT_EQ(patch(path, {{"retentionPeriod", 0}}).wrong_field(), "/retentionPeriod");
    EXPECT_EQ(put(path, json::object()).wrong_field(), "/retentionPeriod");
    EXPECT_EQ(patch(path, {{"retentionPeriod", 2}}).body()["retentionPeriod"], 2);
    EXPECT_EQ(put(path, {{"retentionPeriod", 3}, {"extensions", {{"a", 1}}}}).code, 200U);
    EXPECT_EQ(get(kV2 + "/alarmServiceConfiguration").body(),
              (json{{"retentionPeriod", 3}, {"extensions", {{"a", 1}}}}));
    http::Headers match;
    match.add("If-Match", "\"0\"");
    EXPECT_EQ(call(Method::put, path, R"({"retentionPeriod":9})", match).code, 412U);

    raise(condition(AlarmName::disk_filling));
    const auto cleared = raise(condition(AlarmName::worker_lost));
    clear(cleared);
    const auto snapshot = store_->snapshot();
    const std::uint64_t day = 86'400 * kNanosPerSecond;
    EXPECT_TRUE(alarms_to_forget(*snapshot, realtime_ns() + 3 * day - kNanosPerSecond * 60)->empty());
    const auto due = alarms_to_forget(*snapshot, realtime_ns() + 3 * day);
    ASSERT_EQ(due->size(), 1U) << "never one that is raised";
    EXPECT_EQ(due->front().to_string(), cleared);
}

TEST_F(O2imsAlarms, DictionariesAreWhereTypesSay) {
    make("/api/machines/", {{"hostname", "n1"}, {"mac", "52:54:00:00:00:01"}});
    const json listed = get(kTypes + "/alarmDictionaries").body();
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_FALSE(listed[0].contains("alarmDefinition")) << "left out unless it is asked for";
    EXPECT_TRUE(get(kTypes + "/alarmDictionaries?all_fields").body()[0].contains("alarmDefinition"));
    const json types = get(kTypes + "/resourceTypes?all_fields").body();
    ASSERT_EQ(types.size(), 2U);
    for (const json& type : types) {
        const json whole =
            get(kTypes + "/alarmDictionaries/" + type["alarmDictionaryId"].get<std::string>()).body();
        EXPECT_EQ(type["alarmDictionary"], whole);
        const std::string path = kTypes + "/resourceTypes/" + type["resourceTypeId"].get<std::string>();
        EXPECT_EQ(get(path + "/alarmDictionary").body(), whole);
        EXPECT_FALSE(get(path).body().contains("alarmDictionary"));
        EXPECT_EQ(get(path + "?all_fields").body(), type);
    }
    EXPECT_EQ(get(kTypes + "/alarmDictionaries/0192f0c0-0000-7000-8000-0000000000ff").code, 404U);
    EXPECT_EQ(get(kTypes + "/resourceTypes/0192f0c0-0000-7000-8000-0000000000ff/alarmDictionary").code, 404U);
}

using AlarmStore = store::StoreTest;

TEST_F(AlarmStore, RecordsOutliveAnotherOpening) {
    const Condition lost{AlarmName::worker_lost, "w1", "t", "rouse.Worker", Severity::major, "w1 is lost"};
    const auto raise = [&] {
        const AlarmDecisions decisions{.raise = {lost}};
        return writer_->run([&](store::Batch& batch) { return carry_out(batch, decisions); });
    };
    ASSERT_TRUE(raise());
    const auto before = raised_alarms(*store_->snapshot()).value();
    ASSERT_EQ(before.size(), 1U);
    const auto kept =
        writer_->run([](store::Batch& batch) { return write_retention(batch, 40, json::object()); });
    ASSERT_TRUE(kept);
    writer_.reset();
    store_.reset();
    store_ = store::open_store(directory_.path() + "/lmdb");
    writer_ = std::make_unique<store::Writer>(*store_);
    ASSERT_TRUE(raise()) << "as a new process would, which has seen nothing yet";
    const auto after = raised_alarms(*store_->snapshot()).value();
    ASSERT_EQ(after.size(), 1U);
    EXPECT_EQ(after.at(lost.key()).id, before.at(lost.key()).id);
    EXPECT_EQ(read_retention(*store_->snapshot())->days, 40U);
}

class O2imsAlarmFacts : public O2imsAlarms {
  protected:
    void fails_to_boot(const json& machine, int times) {
        const auto id = *store::Id::parse(machine["id"].get_ref<const std::string&>());
        set_boot(id, events::BootStage::failed, "ERROR", times);
    }
    void set_boot(store::Id id, events::BootStage stage, const char* status, int failures) {
        const auto& tables = consumer_->tables();
        const auto written = writer_->run([&](store::Batch& batch) -> Outcome<void> {
            auto boot = events::read_boot(batch, tables, id).value().value_or(events::BootRecord{});
            for (int i = 0; i < failures; ++i)
                if (auto appended = events::append(batch, tables, id, boot, batch.now_ns(), "boot_failed",
                                                   "no answer", nlohmann::ordered_json::object());
                    !appended)
                    return pass_on(appended.error());
            boot.stage = stage;
            if (auto stored = events::write_boot(batch, tables, id, boot); !stored)
                return pass_on(stored.error());
            auto machine = store::find(batch, store::kMachines, id).value().value();
            machine.fields["status"] = status;
            const auto updated = store::update(batch, store::kMachines, std::move(machine));
            return updated ? Outcome<void>{} : pass_on(updated.error());
        });
        ASSERT_TRUE(written) << written.error().message;
    }
    // What the server does every few seconds; SECONDS on its clock.
    RaisedAlarms turn(AlarmFactFinder& finder, AlarmJudge& judge, std::uint64_t seconds) {
        const auto snapshot = store_->snapshot();
        const auto raised = raised_alarms(*snapshot).value();
        const auto facts = finder.gather(*snapshot, raised, realtime_ns());
        carry_out(judge.judge(assess(cloud(), facts, raised), raised, seconds * kNanosPerSecond));
        return raised_alarms(*store_->snapshot()).value();
    }
    static bool has(const RaisedAlarms& raised, AlarmName alarm) {
        const std::string prefix = std::string(definition_of(alarm).name) + "/";
        const auto at = raised.lower_bound(prefix);
        return at != raised.end() && at->first.starts_with(prefix);
    }

    events::DataplaneCounters dataplane_{run_dir_};
    ims::RequestCounts requests_;
    http::RateLimiter limiter_{http::RateLimits{}};
    http::TlsStatus tls_{.not_after = static_cast<std::int64_t>(realtime_ns() / kNanosPerSecond) + 3600};
    ims::Observation observation_{*writer_,         *consumer_, dataplane_,
                                  appliance_,       requests_,  *transfers_,
                                  limiter_,         audit_,     [this] { return std::optional(tls_); },
                                  directory_.path()};
};

TEST_F(O2imsAlarmFacts, AreWhatReallyHappens) {
    make("/api/ip-pools/",
         {{"cidr", "10.77.0.0/16"}, {"range_start", "10.77.1.1"}, {"range_end", "10.77.1.1"}});
    const json profile = make("/api/boot-profiles/", {{"name", "debian"}, {"kernel", "vmlinuz"}});
    const json n1 = make("/api/machines/",
                         {{"hostname", "n1"}, {"mac", "52:54:00:00:00:01"}, {"boot_profile", "debian"}});
    const auto made = writer_->run([](store::Batch& batch) {
        return store::insert(batch, store::kWorkers, {{"worker_id", "rack7"}});
    });
    ASSERT_TRUE(made);
    roster_.enrolled("rack7");
    fails_to_boot(n1, 2);
    AlarmFactFinder finder(*services_, observation_, inventory_);
    AlarmJudge judge;
    turn(finder, judge, 0);
    auto raised = turn(finder, judge, 100);
    for (const auto alarm :
         {AlarmName::worker_lost, AlarmName::dataplane_not_polling, AlarmName::pool_exhausted,
          AlarmName::image_missing, AlarmName::certificate_expiring})
        EXPECT_TRUE(has(raised, alarm)) << definition_of(alarm).name;
    EXPECT_FALSE(has(raised, AlarmName::boot_failed)) << "it failed twice only";
    fails_to_boot(n1, 1);
    raised = turn(finder, judge, 101);
    const auto key = "boot-failed/" + inventory_.resource_id(*MacAddress::parse("52:54:00:00:00:01"));
    ASSERT_TRUE(raised.contains(key));
    EXPECT_THAT(raised.at(key).text, HasSubstr("n1 failed to boot 3 times"));

    // Another process takes over while the server tries again.
    const auto id = *store::Id::parse(n1["id"].get_ref<const std::string&>());
    set_boot(id, events::BootStage::transferring, "DEPLOYING", 0);
    AlarmFactFinder other(*services_, observation_, inventory_);
    EXPECT_TRUE(turn(other, judge, 102).contains(key));
    set_boot(id, events::BootStage::home, "ACTIVE", 0);
    EXPECT_FALSE(turn(other, judge, 103).contains(key));

    roster_.beat("rack7", json::object(), json::object());
    tls_.not_after += 90 * 86'400;
    ASSERT_EQ(remove(path("/api/machines/", n1)).code, 204U);
    ASSERT_EQ(remove(path("/api/boot-profiles/", profile)).code, 204U);
    turn(other, judge, 200);
    raised = turn(other, judge, 300);
    for (const auto alarm :
         {AlarmName::worker_lost, AlarmName::image_missing, AlarmName::certificate_expiring})
        EXPECT_FALSE(has(raised, alarm)) << definition_of(alarm).name;
    EXPECT_TRUE(has(raised, AlarmName::dataplane_not_polling)) << "there is still none";
}

}  // namespace
}  // namespace rouse::o2ims
