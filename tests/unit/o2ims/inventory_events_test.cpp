// What subscribers to the inventory are told when it changes.

#include "mgmt/o2ims/inventory_events.hpp"

#include "tests/unit/ims/api_fixture.hpp"
#include "tests/unit/o2ims/outbox_fixture.hpp"

#include <gmock/gmock.h>

namespace rouse::o2ims {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

enum : int { kCreate, kModify, kDelete };

class InventoryEventsTest : public ims::ApiTest {
  protected:
    InventoryEventsTest() {
        tables_ = writer_->run([](store::Batch& batch) { return OutboxTables::open(batch); }).value();
        DeliveryOptions options;
        options.policy.allows_http = options.policy.allows_loopback = true;
        delivery_.emplace(*writer_, tables_, options);
        begin();
    }
    static Cloud cloud() {
        Cloud out;
        out.id = *store::Id::parse("0192f0c0-0000-7000-8000-00000000c10d");
        out.service_uri = "https://rouse.example/";
        return out;
    }
    // As a process that starts.
    void begin() {
        events_.reset();
        inventory_.emplace(*store_, consumer_->tables(), cloud());
        events_.emplace(*writer_, *inventory_, *delivery_);
    }
    void subscribe(const std::string& callback = "http://127.0.0.1:1/") {
        const json fields{{"service", kInventoryService}, {"callback", callback}};
        ASSERT_TRUE(writer_->run([&](store::Batch& batch) -> rouse::Outcome<void> {
            const auto made = store::insert(batch, store::kSubscriptions, fields);
            if (!made) return pass_on(made.error());
            if (auto begun = begin_cursor(batch, tables_, made->id); !begun) return pass_on(begun.error());
            return {};
        }));
    }
    json machine(const std::string& name, const std::string& mac) {
        return make("/api/machines/", {{"hostname", name}, {"mac", mac}});
    }
    // A turn, and what was put into the outbox by it; of resources alone.
    std::vector<json> told() {
        EXPECT_TRUE(events_->turn());
        std::vector<json> out;
        EXPECT_TRUE(read_log(*store_->snapshot(), tables_, seen_, [&](LoggedNotification logged) {
            seen_ = logged.number;
            EXPECT_EQ(logged.notification.service, kInventoryService);
            if (logged.notification.kind == "ResourceInfo")
                out.push_back(json::parse(logged.notification.body));
            return true;
        }));
        return out;
    }

    OutboxTables tables_;
    std::optional<Delivery> delivery_;
    std::optional<Inventory> inventory_;
    std::optional<InventoryEvents> events_;
    std::uint64_t seen_ = 0;
};

TEST_F(InventoryEventsTest, WhatIsThereWhenTheFirstSubscribesIsNoNews) {
    machine("n0", "52:54:00:00:00:01");
    EXPECT_TRUE(told().empty()) << "nobody is to be told";
    subscribe();
    EXPECT_TRUE(told().empty());
    const json n1 = machine("n1", "52:54:00:00:00:02");
    EXPECT_EQ(told().size(), 1U);
    EXPECT_TRUE(told().empty()) << "once";
}

TEST_F(InventoryEventsTest, AServerIsCreatedModifiedAndDeleted) {
    subscribe();
    EXPECT_TRUE(told().empty());
    const json n1 = machine("n1", "52:54:00:00:00:01");
    const auto created = told();
    ASSERT_EQ(created.size(), 1U);
    EXPECT_EQ(created[0]["notificationEventType"], kCreate);
    EXPECT_FALSE(created[0].contains("priorObjectState"));
    const json& resource = created[0]["postObjectState"];
    EXPECT_EQ(resource["description"], "n1");
    EXPECT_EQ(created[0]["objectRef"],
              "https://rouse.example/o2ims-infrastructureInventory/v1/resourcePools/" +
                  resource["resourcePoolId"].get<std::string>() + "/resources/" +
                  resource["resourceId"].get<std::string>());

    EXPECT_EQ(patch(path("/api/machines/", n1), {{"hostname", "n2"}}).code, 200U);
    const auto modified = told();
    ASSERT_EQ(modified.size(), 1U);
    EXPECT_EQ(modified[0]["notificationEventType"], kModify);
    EXPECT_EQ(modified[0]["priorObjectState"], resource);
    EXPECT_EQ(modified[0]["postObjectState"]["description"], "n2");

    EXPECT_EQ(remove(path("/api/machines/", n1)).code, 204U);
    const auto deleted = told();
    ASSERT_EQ(deleted.size(), 1U);
    EXPECT_EQ(deleted[0]["notificationEventType"], kDelete);
    EXPECT_EQ(deleted[0]["priorObjectState"], modified[0]["postObjectState"]);
    EXPECT_FALSE(deleted[0].contains("postObjectState"));
    EXPECT_FALSE(deleted[0].contains("objectRef"));
    const std::set<std::string> ids{created[0]["notificationId"], modified[0]["notificationId"],
                                    deleted[0]["notificationId"]};
    EXPECT_EQ(ids.size(), 3U);
}

TEST_F(InventoryEventsTest, PoolsAndTypesAreToldOfBeforeWhatIsInThem) {
    subscribe();
    EXPECT_TRUE(told().empty());
    const json rack = make("/api/cluster/", {{"name", "rack7"}});
    make("/api/machines/", {{"hostname", "n1"}, {"mac", "52:54:00:00:00:01"}, {"cluster", rack["id"]}});
    EXPECT_TRUE(events_->turn());
    std::vector<std::string> kinds;
    const auto collect = [&](LoggedNotification logged) {
        kinds.push_back(logged.notification.kind);
        return true;
    };
    ASSERT_TRUE(read_log(*store_->snapshot(), tables_, 0, collect));
    EXPECT_THAT(kinds, ElementsAre("ResourceTypeInfo", "ResourcePoolInfo", "ResourceInfo"));
    const auto before = last_number(*store_->snapshot(), tables_).value();
    EXPECT_EQ(remove(path("/api/cluster/", rack)).code, 204U);
    EXPECT_TRUE(events_->turn());
    kinds.clear();
    ASSERT_TRUE(read_log(*store_->snapshot(), tables_, before, collect));
    ASSERT_GE(kinds.size(), 2U);
    EXPECT_EQ(kinds[0], "ResourceInfo") << "and the other way round when they go";
    EXPECT_THAT(kinds, testing::Contains("ResourcePoolInfo"));
}

TEST_F(InventoryEventsTest, WhatChangedWhileNobodyWasRunningIsTold) {
    subscribe();
    const json n1 = machine("n1", "52:54:00:00:00:01");
    const json n2 = machine("n2", "52:54:00:00:00:02");
    EXPECT_TRUE(told().empty()) << "as it was when they began";
    begin();
    EXPECT_TRUE(told().empty()) << "a start is no news";
    EXPECT_EQ(remove(path("/api/machines/", n1)).code, 204U);
    EXPECT_EQ(patch(path("/api/machines/", n2), {{"hostname", "n3"}}).code, 200U);
    machine("n4", "52:54:00:00:00:04");
    begin();
    std::map<int, json> by_type;
    for (const json& one : told()) by_type[one["notificationEventType"]] = one;
    ASSERT_EQ(by_type.size(), 3U);
    EXPECT_EQ(by_type[kCreate]["postObjectState"]["description"], "n4");
    EXPECT_EQ(by_type[kModify]["priorObjectState"]["description"], "n2");
    EXPECT_EQ(by_type[kDelete]["priorObjectState"]["description"], "n1");
}

TEST_F(InventoryEventsTest, WhatCannotBeReadIsToldLater) {
    subscribe();
    EXPECT_TRUE(told().empty());
    machine("n1", "52:54:00:00:00:01");
    {
        std::vector<store::Snapshot> all;  // that there can be at once
        for (auto one = store_->snapshot(); one; one = store_->snapshot()) all.push_back(std::move(*one));
        EXPECT_FALSE(events_->turn());
    }
    EXPECT_EQ(told().size(), 1U);
}

TEST_F(InventoryEventsTest, ItsThreadTellsSubscribersSoon) {
    Subscriber subscriber;
    subscribe(subscriber.url("a"));
    delivery_->start();
    EXPECT_TRUE(events_->turn());
    events_->start();
    machine("n1", "52:54:00:00:00:01");
    ASSERT_TRUE(soon([&] { return subscriber.count("a") >= 2; }));
    EXPECT_THAT(subscriber.told("a").back(), HasSubstr("\"n1\""));
    const auto stopping = std::chrono::steady_clock::now();
    events_->stop();
    delivery_->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - stopping, std::chrono::seconds(1));
}

}  // namespace
}  // namespace rouse::o2ims
