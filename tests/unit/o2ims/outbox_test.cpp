// What subscribers are told, in which order, and what becomes of it when somebody is not there.

#include "mgmt/o2ims/notifications/outbox.hpp"

#include "shared/clock.hpp"
#include "shared/endian.hpp"
#include "tests/unit/o2ims/outbox_fixture.hpp"

#include <gmock/gmock.h>

namespace rouse::o2ims {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr unsigned kAlways = 1'000'000;

class Outbox : public OutboxTest {
  protected:
    void change(store::Id id, const json& patch) {
        const auto changed = writer_->run([&](store::Batch& batch) {
            auto document = store::find(batch, store::kSubscriptions, id).value().value();
            document.fields.merge_patch(patch);
            return store::update(batch, store::kSubscriptions, std::move(document));
        });
        ASSERT_TRUE(changed);
    }
};

TEST_F(Outbox, ASubscriberIsToldInOrderOfWhatHappensFromNowOn) {
    happen(-5, 5);
    subscribe(subscriber_.url("a"), {{"consumerSubscriptionId", "mine \"1\""}});
    begin();
    happen(0, 300);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 300; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), range(0, 300));
    EXPECT_EQ(json::parse(subscriber_.told("a")[0])["consumerSubscriptionId"], "mine \"1\"");
    EXPECT_EQ(subscriber_.headers("a").get("X-O2IMS-Event-Type"), "ResourceInfo");
    EXPECT_FALSE(subscriber_.headers("a").find("X-O2IMS-Signature"));
    EXPECT_TRUE(soon([&] { return logged() == 0; })) << "what all were told is forgotten";
    EXPECT_EQ(delivery_->statistics().delivered, 300U);
}

TEST_F(Outbox, WhatIsNotTakenIsToldAgainBeforeAnythingElse) {
    subscribe(subscriber_.url("a"));
    subscriber_.fail("a", http::Status::service_unavailable, 3);
    begin();
    happen(0, 5);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 5; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), range(0, 5));
    EXPECT_EQ(subscriber_.refused("a"), 3U);
    EXPECT_EQ(delivery_->statistics().retried, 3U);
}

TEST_F(Outbox, WhatASubscriberNeverTakesIsGivenUpAndCounted) {
    subscribe(subscriber_.url("a"));
    subscriber_.fail("a", http::Status::bad_request, 5);
    begin();
    happen(0, 3);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 2; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), range(1, 2));
    EXPECT_EQ(delivery_->statistics().dropped, 1U);
}

TEST_F(Outbox, ARestartGoesOnWhereItWas) {
    subscribe(subscriber_.url("a"));
    begin();
    happen(0, 50);
    ASSERT_TRUE(soon([&] { return delivery_->statistics().delivered == 50U; }));
    delivery_.reset();
    happen(50, 50);
    EXPECT_EQ(logged(), 50U) << "how far it came was noted when it stopped";
    begin();
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 100; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), range(0, 100));
}

TEST_F(Outbox, AStoreOpenedAgainHasTheRestInOrder) {
    subscribe(subscriber_.url("a"));
    begin();
    happen(0, 30);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 30; }));
    subscriber_.fail("a", http::Status::service_unavailable, kAlways);
    happen(30, 30);
    ASSERT_TRUE(soon([&] { return subscriber_.refused("a") > 0; }));
    delivery_.reset();
    writer_.reset();
    store_.reset();
    store_ = store::open_store(directory_.path() + "/lmdb");
    writer_ = std::make_unique<store::Writer>(*store_);
    open_tables();
    subscriber_.fail("a", http::Status::service_unavailable, 0);
    begin();
    happen(60, 30);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 90; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), range(0, 90));
    EXPECT_EQ(delivery_->statistics().dropped, 0U);
}

TEST_F(Outbox, ACrashTellsAgainButLosesNothing) {
    const auto id = subscribe(subscriber_.url("a"));
    begin();
    subscribe(dead_url());  // keeps the log
    happen(0, 20);
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 20; }));
    delivery_.reset();
    // As if the last note had not come to be stored.
    ASSERT_TRUE(writer_->run([&](store::Batch& batch) { return move_cursors(batch, tables_, {{id, 15}}); }));
    begin();
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= 25; }));
    const auto told = subscriber_.told("a");
    EXPECT_EQ(std::vector<std::string>(told.begin() + 15, told.begin() + 20),
              std::vector<std::string>(told.begin() + 20, told.end()))
        << "the same, word for word";
}

TEST_F(Outbox, ADeadSubscriberHoldsUpNobodyAndMissesTheOldest) {
    subscribe(subscriber_.url("dead"));
    subscriber_.fail("dead", http::Status::service_unavailable, kAlways);
    subscribe(subscriber_.url("a"));
    begin();
    for (int i = 0; i < 20; ++i) {
        happen(i * 10, 10, "ResourceInfo", 100);
        ASSERT_TRUE(soon([&] { return subscriber_.count("a") >= static_cast<std::size_t>(i * 10 + 10); }));
    }
    EXPECT_EQ(numbers(subscriber_.told("a")), range(0, 200));
    EXPECT_EQ(logged(), 100U);
    EXPECT_TRUE(soon([&] { return delivery_->statistics().dropped == 100U; }))
        << "counted while it is away, not when it comes back: " << delivery_->statistics().dropped;
    EXPECT_TRUE(soon([&] { return delivery_->statistics().waiting == 100U; }));
    EXPECT_GT(delivery_->statistics().oldest_ns, 0U);
    delivery_.reset();
    begin();
    subscriber_.fail("dead", http::Status::service_unavailable, 0);
    ASSERT_TRUE(soon([&] { return subscriber_.count("dead") >= 100; }));
    EXPECT_EQ(numbers(subscriber_.told("dead")), range(100, 100));
    EXPECT_EQ(delivery_->statistics().dropped, 0U) << "a restart counts nothing again";
}

TEST_F(Outbox, ADamagedEntryIsCountedAndPassed) {
    subscribe(subscriber_.url("a"));
    happen(0, 3);
    const auto damaged = writer_->run([&](store::Batch& batch) {
        return batch.put(tables_.log, store::bytes_of(be64(3)), store::bytes_of("?"));
    });
    ASSERT_TRUE(damaged);
    begin();
    ASSERT_TRUE(soon([&] { return delivery_->statistics().dropped == 1U; }));
    ASSERT_TRUE(soon([&] { return subscriber_.count("a") == 2; }));
    EXPECT_TRUE(soon([&] { return delivery_->statistics().waiting == 0U; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), range(0, 2));
    const std::uint64_t before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    std::this_thread::sleep_for(500ms);
    EXPECT_LT(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before, 200 * kNanosPerMilli) << "it does not spin";
    happen(4, 1);
    EXPECT_TRUE(soon([&] { return subscriber_.count("a") == 3; }));
}

TEST_F(Outbox, OfADeletedSubscriptionNothingStays) {
    const auto id = subscribe(dead_url());
    begin();
    happen(0, 10);
    EXPECT_EQ(logged(), 10U);
    unsubscribe(id);
    EXPECT_TRUE(soon([&] { return logged() == 0; }));
    EXPECT_TRUE(soon([&] { return delivery_->statistics().subscriptions == 0; }));
    happen(10, 10);
    EXPECT_EQ(logged(), 0U) << "nobody is to be told";
}

TEST_F(Outbox, AChangedSubscriptionGoesOnAsItSaysNow) {
    const auto id = subscribe(subscriber_.url("old"));
    begin();
    happen(0, 2);
    ASSERT_TRUE(soon([&] { return subscriber_.count("old") >= 2; }));
    subscriber_.fail("old", http::Status::service_unavailable, kAlways);
    happen(2, 2);
    ASSERT_TRUE(soon([&] { return subscriber_.refused("old") > 0; }));
    change(id, {{"callback", subscriber_.url("new")}, {"consumerSubscriptionId", "moved"}});
    ASSERT_TRUE(soon([&] { return subscriber_.count("new") >= 2; }));
    EXPECT_EQ(numbers(subscriber_.told("new")), range(2, 2)) << "from where the former one had come to";
    EXPECT_EQ(json::parse(subscriber_.told("new")[0])["consumerSubscriptionId"], "moved");
    change(id, {{"filter", "(eq,tags,odd)"}});
    happen(4, 6);
    ASSERT_TRUE(soon([&] { return delivery_->statistics().waiting == 0U && subscriber_.count("new") >= 5; }));
    EXPECT_EQ(numbers(subscriber_.told("new")), (std::vector<int>{2, 3, 4, 6, 8}));
    EXPECT_EQ(delivery_->statistics().subscriptions, 1U);
}

TEST_F(Outbox, AFilterNamesWhatIsNotTold) {
    subscribe(subscriber_.url("a"), {{"filter", "[(eq,tags,odd)|(eq,objectType,ResourceTypeInfo)]"}});
    subscribe(subscriber_.url("b"));
    begin();
    happen(0, 10);
    happen(10, 2, "ResourceTypeInfo");
    happen(12, 1, "ResourcePoolInfo");
    ASSERT_TRUE(soon([&] { return subscriber_.count("b") >= 13 && subscriber_.count("a") >= 6; }));
    EXPECT_EQ(numbers(subscriber_.told("a")), (std::vector<int>{0, 2, 4, 6, 8, 12}));
    EXPECT_FALSE(parse_inventory_filter("(eq,tagz,x)"));
    EXPECT_FALSE(parse_inventory_filter("(eq,objectType,Sofa)"));
}

TEST_F(Outbox, TenThousandChangesToTenSubscribersOfWhomOneIsDead) {
    for (int i = 0; i < 9; ++i) subscribe(subscriber_.url("s" + std::to_string(i)));
    subscribe(dead_url());
    begin();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i) happen(i * 1000, 1000);
    for (int i = 0; i < 9; ++i)
        ASSERT_TRUE(soon([&] { return subscriber_.count("s" + std::to_string(i)) >= 10'000; }, 120s));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("90 000 notifications in %.2f s\n", took.count());
    for (int i = 0; i < 9; ++i)
        EXPECT_EQ(numbers(subscriber_.told("s" + std::to_string(i))), range(0, 10'000));
    const auto stopping = std::chrono::steady_clock::now();
    delivery_->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - stopping, 1s);
}

}  // namespace
}  // namespace rouse::o2ims
