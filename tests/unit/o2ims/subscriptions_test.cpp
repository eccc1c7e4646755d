// Subscriptions over REST: what is taken, what is refused and with which status, in both profiles.

#include "mgmt/o2ims/subscriptions.hpp"

#include "mgmt/o2ims/alarm_notifications.hpp"
#include "mgmt/o2ims/alarm_routes.hpp"
#include "mgmt/o2ims/inventory_routes.hpp"
#include "mgmt/o2ims/subscription_kinds.hpp"
#include "tests/unit/ims/api_fixture.hpp"

#include <gmock/gmock.h>

namespace rouse::o2ims {
namespace {

using http::Method;
using ims::Answer;
using nlohmann::json;
using testing::HasSubstr;

const std::string kInventory = "/o2ims-infrastructureInventory/v1/subscriptions";
const std::string kAlarms1 = "/o2ims-infrastructureMonitoring/v1/alarmSubscriptions";
const std::string kAlarms2 = "/o2ims-infrastructureMonitoring/v2/alarmSubscriptions";
const std::string kCallback = "https://smo.example/told";

class SubscriptionRoutes : public ims::ApiTest {
  protected:
    SubscriptionRoutes() {
        tables_ = writer_->run([](store::Batch& batch) { return OutboxTables::open(batch); }).value();
        DeliveryOptions options;
        options.policy.hosts = {"smo.example", "127.0.0.1"};
        options.policy.allows_loopback = true;
        delivery_.emplace(*writer_, tables_, options);
        delivery_->add_language(kInventoryService, parse_inventory_filter);
        delivery_->add_language(kMonitoringService, parse_alarm_filter);
    }
    void serve(Profile profile = Profile::interop, bool tests_callbacks = false) {
        const Subscribing with{*services_, *delivery_, profile, tests_callbacks};
        auto inventory = add_inventory(api_, inventory_);
        add_subscriptions(inventory, with, inventory_subscriptions());
        auto monitoring = monitoring_service(api_);
        add_subscriptions(monitoring, with, alarm_subscriptions());
    }
    // What is wrong with BODY, as a 400 says.
    std::string wrong(const std::string& path, const json& body) {
        const auto answer = post(path, body);
        EXPECT_EQ(answer.code, 400U) << answer.text;
        return answer.wrong_field();
    }
    std::string id_of(const json& made, const char* name = "subscriptionId") { return made.at(name); }
    std::uint64_t cursor(const std::string& id) {
        return cursor_of(*store_->snapshot(), tables_, *store::Id::parse(id)).value();
    }

    OutboxTables tables_;
    std::optional<Delivery> delivery_;
    Inventory inventory_{*store_, consumer_->tables(), Cloud{}};
};

TEST_F(SubscriptionRoutes, OneIsMadeReadListedAndDeleted) {
    serve();
    const auto made = post(kInventory, {{"callback", kCallback},
                                        {"consumerSubscriptionId", "any text"},
                                        {"filter", "(eq,tags,discovered)"}});
    ASSERT_EQ(made.code, 201U) << made.text;
    const json one = made.body();
    EXPECT_EQ(one, (json{{"subscriptionId", id_of(one)},
                         {"callback", kCallback},
                         {"consumerSubscriptionId", "any text"},
                         {"filter", "(eq,tags,discovered)"}}));
    const std::string path = kInventory + "/" + id_of(one);
    EXPECT_EQ(made.headers.get("Location"), path);
    EXPECT_EQ(get(path).body(), one);
    EXPECT_EQ(get(kInventory).body(), json::array({one}));
    EXPECT_EQ(get("/o2ims-infrastructureInventory/v2/subscriptions").body(), json::array({one}));
    const auto gone = remove(path);
    EXPECT_EQ(gone.code, 200U) << "clients of the field take nothing else for success";
    EXPECT_EQ(gone.text, "");
    EXPECT_EQ(get(path).code, 404U);
    EXPECT_EQ(remove(path).code, 404U);
    EXPECT_EQ(get(kInventory).body(), json::array());
}

TEST_F(SubscriptionRoutes, TheStrictProfileAnswersAsTheStandardSays) {
    serve(Profile::strict);
    const json one = make(kInventory, {{"callback", kCallback}});
    const auto twice = post(kInventory, {{"callback", kCallback}});
    EXPECT_EQ(twice.code, 409U);
    EXPECT_THAT(twice.detail(), HasSubstr(id_of(one)));
    EXPECT_EQ(remove(kInventory + "/" + id_of(one)).code, 204U);
    make(kInventory, {{"callback", kCallback}});
}

TEST_F(SubscriptionRoutes, WhatCannotBeIsRefusedAndTheFieldNamed) {
    serve();
    EXPECT_EQ(wrong(kInventory, json::object()), "/callback");
    EXPECT_EQ(call(Method::post, kInventory, "{\"callback\": ").code, 400U);
    EXPECT_EQ(wrong(kInventory, {{"callback", kCallback}, {"colour", "red"}}), "/colour");
    for (const char* callback : {"http://smo.example/", "ftp://smo.example/", "smo",
                                 "https://169.254.169.254/", "https://evil.example/",
                                 "https://smo.example@evil.example/", "https://user:secret@smo.example/", ""})
        EXPECT_EQ(wrong(kInventory, {{"callback", callback}}), "/callback") << callback;
    for (const char* filter : {"(eq,tagz,x)", "(eq,objectType,Sofa)", "tags=x", "(eq,tags"})
        EXPECT_EQ(wrong(kInventory, {{"callback", kCallback}, {"filter", filter}}), "/filter") << filter;
    EXPECT_EQ(get(kInventory).body(), json::array()) << "nothing of it stayed";
}

TEST_F(SubscriptionRoutes, TheSameIsRefusedTwice) {
    serve();
    make(kInventory, {{"callback", kCallback}});
    EXPECT_EQ(wrong(kInventory, {{"callback", kCallback}, {"consumerSubscriptionId", "other"}}), "/callback");
    make(kInventory, {{"callback", kCallback}, {"filter", "(eq,tags,discovered)"}});
    make(kAlarms1, {{"callback", kCallback}});
    EXPECT_EQ(get(kAlarms1).body().size(), 1U) << "each service has its own";
    EXPECT_EQ(get(kInventory + "/" + id_of(get(kAlarms1).body()[0], "alarmSubscriptionId")).code, 404U);
}

TEST_F(SubscriptionRoutes, ThereIsAnEndToThem) {
    serve();
    for (std::size_t i = 0; i < kMaxSubscriptions; ++i)
        make(kInventory, {{"callback", kCallback + std::to_string(i)}});
    const auto more = post(kInventory, {{"callback", kCallback}});
    EXPECT_EQ(more.code, 409U);
    EXPECT_THAT(more.detail(), HasSubstr("delete one"));
}

TEST_F(SubscriptionRoutes, ACallbackThatDoesNotAnswerIsRefusedIfThatIsWanted) {
    serve(Profile::interop, true);
    EXPECT_EQ(wrong(kInventory, {{"callback", "https://127.0.0.1:1/nobody"}}), "/callback");
}

TEST_F(SubscriptionRoutes, ANewOneIsToldWhatHappensFromNowOn) {
    serve();
    const auto first = id_of(make(kInventory, {{"callback", kCallback + "1"}}));
    ASSERT_TRUE(writer_->run([&](store::Batch& batch) {
        return append(batch, tables_, {kInventoryService, "ResourceInfo", "{}"});
    }));
    const auto second = id_of(make(kInventory, {{"callback", kCallback + "2"}}));
    EXPECT_EQ(cursor(first), 0U);
    EXPECT_EQ(cursor(second), 1U);
    EXPECT_EQ(remove(kInventory + "/" + second).code, 200U);
    EXPECT_EQ(cursor(second), 0U) << "nothing stays of it";
}

TEST_F(SubscriptionRoutes, OnlyAlarmsHaveAPatchAndOnlySinceVersionTwo) {
    serve();
    const auto inventory = id_of(make(kInventory, {{"callback", kCallback}}));
    const auto alarms = id_of(make(kAlarms1, {{"callback", kCallback}}), "alarmSubscriptionId");
    for (const auto& path : {kInventory + "/" + inventory, kAlarms1 + "/" + alarms}) {
        const auto refused = patch(path, {{"callback", kCallback}});
        EXPECT_EQ(refused.code, 405U) << path;
        EXPECT_THAT(std::string(refused.headers.get("Allow")), HasSubstr("DELETE"));
        EXPECT_EQ(put(path, {{"callback", kCallback}}).code, 405U) << path;
    }
    EXPECT_EQ(patch(kAlarms2 + "/" + alarms, {{"callback", kCallback + "2"}}).code, 200U);
}

TEST_F(SubscriptionRoutes, AnAlarmSubscriptionIsChanged) {
    serve();
    const json made = make(kAlarms2, {{"callback", kCallback}, {"consumerSubscriptionId", "mine"}});
    const std::string path = kAlarms2 + "/" + id_of(made, "alarmSubscriptionId");
    const std::string tag(get(path).headers.get("ETag"));
    json expected = made;
    expected["callback"] = kCallback + "2";
    expected["eventFilter"] = "CHANGE";
    expected.erase("consumerSubscriptionId");
    http::Headers headers;
    headers.add("If-Match", tag);
    const json change{
        {"callback", kCallback + "2"}, {"eventFilter", "CHANGE"}, {"consumerSubscriptionId", nullptr}};
    const auto changed = call(Method::patch, path, change.dump(), headers);
    ASSERT_EQ(changed.code, 200U) << changed.text;
    EXPECT_EQ(changed.body(), expected);
    EXPECT_EQ(get(path).body(), expected);
    EXPECT_NE(changed.headers.get("ETag"), tag);
    EXPECT_EQ(call(Method::patch, path, change.dump(), headers).code, 412U) << "as it was before";
    EXPECT_EQ(patch(kAlarms2 + "/0192f0c0-0000-7000-8000-000000000000", change).code, 404U);
}

TEST_F(SubscriptionRoutes, AChangeIsCheckedLikeANewOne) {
    serve();
    make(kAlarms2, {{"callback", kCallback + "1"}});
    const json made = make(kAlarms2, {{"callback", kCallback}, {"filter", "NEW"}});
    const std::string path = kAlarms2 + "/" + id_of(made, "alarmSubscriptionId");
    const auto refused = [&](const json& change) {
        const auto answer = patch(path, change);
        EXPECT_EQ(answer.code, 400U) << answer.text;
        return answer.wrong_field();
    };
    EXPECT_EQ(refused({{"callback", nullptr}}), "/callback");
    EXPECT_EQ(refused({{"callback", "https://evil.example/"}}), "/callback");
    EXPECT_EQ(refused({{"eventFilter", "SOMETIMES"}, {"filter", nullptr}}), "/eventFilter");
    EXPECT_EQ(refused({{"eventFilter", "CHANGE"}}), "/eventFilter") << "filter says NEW";
    EXPECT_EQ(refused({{"callback", kCallback + "1"}, {"filter", nullptr}}), "/callback") << "as another one";
    EXPECT_EQ(get(path).body(), made);
    EXPECT_EQ(patch(path, {{"eventFilter", "CHANGE"}, {"filter", nullptr}}).code, 200U);
}

}  // namespace
}  // namespace rouse::o2ims
