#include "mgmt/live/hub.hpp"

#include "mgmt/events/timeline.hpp"
#include "mgmt/store/changes.hpp"
#include "mgmt/store/documents.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

namespace rouse::live {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using store::Batch;

json visible(const json& fields) {
    json out = fields;
    out.erase("_secret");
    return out;
}

class HubTest : public store::StoreTest {
  protected:
    void SetUp() override {
        const auto opened = writer_->run([](Batch& batch) { return events::EventTables::open(batch); });
        ASSERT_TRUE(opened);
        tables_ = *opened;
        hub_ = std::make_unique<Hub>(*writer_, tables_, visible);
    }
    void TearDown() override { hub_.reset(); }

    store::Document add(const store::Collection& collection, const json& fields) {
        return writer_->run([&](Batch& batch) { return store::insert(batch, collection, fields); }).value();
    }
    void change(const store::Collection& collection, const store::Document& document) {
        ASSERT_TRUE(writer_->run([&](Batch& batch) { return store::update(batch, collection, document); }));
    }
    // Appends N entries to the machine's timeline in one commit.
    void grow(const store::Id& machine, int n) {
        const auto done = writer_->run([&](Batch& batch) -> Result<void> {
            auto boot = events::read_boot(batch, tables_, machine).value().value_or(events::BootRecord{});
            store::Change grown;
            grown.kind = store::Kind::timeline;
            grown.what = store::Change::What::updated;
            grown.id = machine;
            grown.first_entry = boot.last_sequence + 1;
            for (int i = 0; i < n; ++i)
                if (auto added = events::append(batch, tables_, machine, boot, 1, "test", "something", {});
                    !added)
                    return added;
            grown.last_entry = boot.last_sequence;
            if (auto written = events::write_boot(batch, tables_, machine, boot); !written) return written;
            return store::append_change(batch, grown);
        });
        ASSERT_TRUE(done);
    }
    std::shared_ptr<Follower> follow(std::optional<std::uint64_t> after = {}) {
        auto joined = hub_->follow(after, [] {});
        reread_ = joined.value().value().must_reread;
        return joined->value().follower;
    }
    // What the follower is told until N messages are there, or for SECONDS.
    std::vector<json> read(Follower& follower, std::size_t n, std::chrono::seconds longest = 10s) {
        std::vector<json> out;
        const auto end = std::chrono::steady_clock::now() + longest;
        while (out.size() < n && std::chrono::steady_clock::now() < end) {
            auto batch = follower.next(100);
            if (!batch) {
                ++caught_up_;
                batch = follower.catch_up(100).value();
            }
            for (const MessagePtr& message : batch->messages) out.push_back(json::parse(message->json));
            if (batch->messages.empty()) std::this_thread::sleep_for(2ms);
        }
        return out;
    }

    events::EventTables tables_;
    std::unique_ptr<Hub> hub_;
    bool reread_ = false;
    int caught_up_ = 0;
};

TEST_F(HubTest, AFollowerIsToldOfObjectsAsClientsSeeThem) {
    add(store::kClusters, {{"name", "before"}});
    const auto follower = follow();
    auto cluster = add(store::kClusters, {{"name", "edge"}, {"_secret", 1}});
    const auto made = read(*follower, 1).at(0);
    EXPECT_EQ(made["kind"], "cluster");
    EXPECT_EQ(made["what"], "created");
    EXPECT_EQ(made["id"], cluster.id.to_string());
    EXPECT_EQ(made["sequence"], 2);
    EXPECT_EQ(made["object"]["name"], "edge");
    EXPECT_FALSE(made["object"].contains("_secret"));
    EXPECT_EQ(made["time"].get<std::string>().size(), 24U);
    ASSERT_TRUE(
        writer_->run([&](Batch& batch) { return store::erase(batch, store::kClusters, cluster.id); }));
    const auto gone = read(*follower, 1).at(0);
    EXPECT_EQ(gone["what"], "deleted");
    EXPECT_FALSE(gone.contains("object"));
    EXPECT_EQ(follower->position(), 3U);
}

TEST_F(HubTest, UsersAndBootTokensDoNotLeave) {
    const auto follower = follow();
    add(store::kUsers, {{"username", "eve"}, {"password_hash", "x"}});
    add(store::kBootTokens, {{"machine", "m"}, {"hash", "h"}});
    add(store::kClusters, {{"name", "edge"}});
    const auto told = read(*follower, 1);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0]["kind"], "cluster");
    // Nor from the feed.
    const auto later = follow(0);
    const auto again = read(*later, 2, 1s);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0]["kind"], "cluster");
}

TEST_F(HubTest, EveryEntryOfATimelineIsToldOnce) {
    const auto cluster = add(store::kClusters, {{"name", "edge"}});
    const auto machine =
        add(store::kMachines,
            {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}, {"cluster", cluster.id.to_string()}});
    auto follower = follow();
    grow(machine.id, 3);
    grow(machine.id, 2);
    const auto told = read(*follower, 5);
    ASSERT_EQ(told.size(), 5U);
    for (std::size_t i = 0; i < told.size(); ++i) {
        EXPECT_EQ(told[i]["kind"], "timeline");
        EXPECT_EQ(told[i]["id"], machine.id.to_string());
        EXPECT_EQ(told[i]["entry"]["sequence"], i + 1);
    }
    // Later, only how far it has come.
    follower.reset();
    const auto later = follow(2);
    const auto newest = read(*later, 2, 1s);
    ASSERT_EQ(newest.size(), 1U);
    EXPECT_EQ(newest[0]["entry"]["sequence"], 5);
}

TEST_F(HubTest, WhoWasAwayIsToldTheNewestOfWhatItMissedAndGoesOn) {
    std::uint64_t seen = 0;
    auto edge = add(store::kClusters, {{"name", "edge"}});
    {
        const auto follower = follow();
        seen = follower->position();
    }
    for (int i = 0; i < 5; ++i) {
        edge.fields["name"] = "edge" + std::to_string(i);
        change(store::kClusters, edge);
    }
    add(store::kClusters, {{"name", "core"}});
    const auto follower = follow(seen);
    EXPECT_FALSE(reread_);
    add(store::kClusters, {{"name", "new"}});
    const auto told = read(*follower, 3);
    ASSERT_EQ(told.size(), 3U);
    EXPECT_EQ(told[0]["object"]["name"], "edge4");
    EXPECT_EQ(told[1]["object"]["name"], "core");
    EXPECT_EQ(told[2]["object"]["name"], "new");
    EXPECT_TRUE(read(*follower, 1, 1s).empty());
}

TEST_F(HubTest, WhoCannotResumeIsTold) {
    add(store::kClusters, {{"name", "edge"}});
    EXPECT_TRUE(follow(1)->position() == 1 && !reread_);
    follow(99);  // of some other store
    EXPECT_TRUE(reread_);
    ASSERT_TRUE(writer_->run([](Batch& batch) { return store::begin_changes_anew(batch); }));
    add(store::kClusters, {{"name", "core"}});
    const auto follower = follow(1);
    EXPECT_TRUE(reread_);
    EXPECT_TRUE(read(*follower, 1, 1s).empty());
}

TEST_F(HubTest, WhoFallsOffTheRingGetsTheNewestOfEachObject) {
    const auto follower = follow();
    constexpr int kObjects = 200;
    const std::string bulk(100'000, 'x');  // all of them are more than the ring holds
    std::vector<store::Document> made;
    for (const char* state : {"old", "new"}) {
        const auto done = writer_->run([&](Batch& batch) -> Outcome<void> {
            for (int i = 0; i < kObjects; ++i) {
                const json fields{{"name", std::to_string(i)}, {"state", state}, {"bulk", bulk}};
                auto written = made.size() < kObjects
                                   ? store::insert(batch, store::kClusters, fields)
                                   : store::update(batch, store::kClusters,
                                                   {made[static_cast<std::size_t>(i)].id, 1, fields});
                if (!written) return pass_on(written.error());
                if (made.size() < kObjects) made.push_back(*written);
            }
            return {};
        });
        ASSERT_TRUE(done) << done.error().message;
        for (int i = 0; i < 1000 && hub_->statistics().messages < kObjects; ++i)
            std::this_thread::sleep_for(10ms);
    }
    std::map<std::string, std::string> newest;
    const auto all_new = [&newest] {
        return newest.size() == kObjects &&
               std::ranges::all_of(newest, [](const auto& one) { return one.second == "new"; });
    };
    for (int rounds = 0; rounds < 100 && !all_new(); ++rounds)
        for (const json& message : read(*follower, kObjects, 1s))
            newest[message["id"].get<std::string>()] = message["object"]["state"].get<std::string>();
    EXPECT_TRUE(all_new());
    EXPECT_GT(caught_up_, 0);
    EXPECT_TRUE(read(*follower, 1, 1s).empty());
}

TEST_F(HubTest, FollowersAreCountedAndLimited) {
    std::vector<std::shared_ptr<Follower>> followers;
    for (std::size_t i = 0; i < Hub::kMaxFollowers; ++i) followers.push_back(follow());
    EXPECT_EQ(hub_->statistics().followers, Hub::kMaxFollowers);
    EXPECT_FALSE(hub_->follow({}, [] {})->has_value());
    EXPECT_EQ(hub_->statistics().refused, 1U);
    followers.pop_back();
    EXPECT_TRUE(hub_->follow({}, [] {})->has_value());
    followers.clear();
    EXPECT_EQ(hub_->statistics().followers, 0U);
}

TEST_F(HubTest, AFollowerMayOutliveTheHub) {
    const auto follower = follow();
    hub_.reset();
}

}  // namespace
}  // namespace rouse::live
