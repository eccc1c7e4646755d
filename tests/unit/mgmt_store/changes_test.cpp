#include "mgmt/store/changes.hpp"

#include "mgmt/store/documents.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <vector>

namespace rouse::store {
namespace {

using nlohmann::json;
using What = Change::What;

class Changes : public StoreTest {
  protected:
    Document add(const Collection& collection, json fields) {
        auto made = writer_->run([&](Batch& batch) { return insert(batch, collection, fields); });
        if (!made) throw std::runtime_error(made.error().message);
        return *made;
    }
    Document change(const Collection& collection, const Document& document) {
        auto made = writer_->run([&](Batch& batch) { return update(batch, collection, document); });
        if (!made) throw std::runtime_error(made.error().message);
        return *made;
    }
    void remove(const Collection& collection, const Id& id) {
        const auto gone = writer_->run([&](Batch& batch) { return erase(batch, collection, id); });
        if (!gone || !*gone) throw std::runtime_error("not erased");
    }
    std::vector<Change> after(std::uint64_t sequence, std::size_t limit = 1'000'000) {
        std::vector<Change> changes;
        const auto read = changes_after(*store_->snapshot(), sequence, limit, [&](const Change& change) {
            changes.push_back(change);
            return true;
        });
        if (!read) throw std::runtime_error(read.error().message);
        return changes;
    }
    std::uint64_t last() { return *last_change(*store_->snapshot()); }
};

TEST_F(Changes, ADocumentStandsInTheFeedOnceWithItsNewestChange) {
    EXPECT_EQ(last(), 0U);
    const auto cluster = add(kClusters, {{"name", "edge"}});
    const auto other = add(kClusters, {{"name", "core"}});
    change(kClusters, cluster);
    const auto changes = after(0);
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].id, other.id);
    EXPECT_EQ(changes[0].what, What::created);
    EXPECT_EQ(changes[0].sequence, 2U);
    EXPECT_EQ(changes[1].id, cluster.id);
    EXPECT_EQ(changes[1].what, What::updated);
    EXPECT_EQ(changes[1].kind, Kind::cluster);
    EXPECT_EQ(changes[1].sequence, 3U);
    EXPECT_EQ(last(), 3U);
    remove(kClusters, other.id);
    ASSERT_EQ(after(0).size(), 2U);
    EXPECT_EQ(after(3).at(0).what, What::deleted);
    EXPECT_EQ(after(3).at(0).id, other.id);
    EXPECT_TRUE(after(4).empty());
    EXPECT_TRUE(after(UINT64_MAX).empty());
    EXPECT_EQ(after(0, 1).size(), 1U);
    EXPECT_EQ(*oldest_resumable(*store_->snapshot()), 0U);
}

// What is superseded is no longer met, wherever a reader begins and however little it takes; and the feed
// stays short.
TEST_F(Changes, SupersededChangesAreSweptOut) {
    constexpr std::size_t kDocuments = 300;
    std::vector<Document> documents;
    for (std::size_t i = 0; i < kDocuments; ++i)
        documents.push_back(add(kClusters, {{"name", std::to_string(i)}}));
    const auto entries = [this] {
        const auto view = store_->snapshot();
        return *view->txn().count(store_->own().changes);
    };
    Change grown;
    grown.kind = Kind::timeline;
    grown.what = What::updated;
    grown.id = Id::make();
    std::mt19937 random(11);
    std::size_t most = 0;
    for (int round = 0; round < 60; ++round) {
        const auto done = writer_->run([&](Batch& batch) -> Outcome<void> {
            for (int i = 0; i < 100; ++i) {
                // The first is never updated: it stays in the feed's front.
                Document& document = documents[1 + random() % (kDocuments - 1)];
                auto updated = update(batch, kClusters, document);
                if (!updated) return pass_on(updated.error());
                document = *updated;
                // Every other change, as while machines boot.
                if (auto noted = append_change(batch, grown); !noted) return pass_on(noted.error());
            }
            return {};
        });
        ASSERT_TRUE(done);
        most = std::max(most, entries());
        ASSERT_EQ(after(0).size(), kDocuments + 1);
        ASSERT_EQ(after(0).front().id, documents.front().id);
        ASSERT_EQ(after(0, 7).size(), 7U);
    }
    EXPECT_GT(most, kDocuments + 100);
    EXPECT_LT(most, kDocuments * 5 / 4 + 1024 + 300);
    EXPECT_EQ(last(), kDocuments + 12'000);
}

TEST_F(Changes, WhatIsAdoptedAsItIsThereIsNoChange) {
    auto cluster = add(kClusters, {{"name", "edge"}});
    const auto take = [&] {
        ASSERT_TRUE(writer_->run([&](Batch& batch) { return adopt(batch, kClusters, cluster); }));
    };
    take();
    EXPECT_EQ(last(), 1U);
    cluster.fields["description"] = "another centre's";  // of the same revision
    take();
    EXPECT_EQ(last(), 2U);
    EXPECT_EQ(after(1).at(0).id, cluster.id);
    cluster.revision = 7;
    take();
    ASSERT_EQ(after(0).size(), 1U);
    EXPECT_EQ(after(0).at(0).revision, 7U);
    EXPECT_EQ(after(0).at(0).sequence, 3U);
}

TEST_F(Changes, AMachineThatMovesTellsWhereItStood) {
    const auto cluster = add(kClusters, {{"name", "edge"}});
    auto machine = add(
        kMachines, {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}, {"cluster", cluster.id.to_string()}});
    EXPECT_EQ(after(1).at(0).former_cluster, Id{});
    machine.fields["cluster"] = nullptr;
    change(kMachines, machine);
    EXPECT_EQ(after(2).at(0).former_cluster, cluster.id);
    remove(kMachines, machine.id);
    EXPECT_EQ(after(3).at(0).former_cluster, Id{});
}

TEST_F(Changes, WhatFailsLeavesNoTrace) {
    std::vector<Change> told;
    const auto subscription = writer_->changes().subscribe([&told](std::span<const Change> changes) {
        told.insert(told.end(), changes.begin(), changes.end());
    });
    const auto failed = writer_->run([](Batch& batch) -> Outcome<void> {
        if (auto made = insert(batch, kClusters, {{"name", "edge"}}); !made) return pass_on(made.error());
        return refuse(Failure::Kind::invalid, "changed my mind");
    });
    ASSERT_FALSE(failed);
    EXPECT_TRUE(after(0).empty());
    EXPECT_TRUE(told.empty());
    add(kClusters, {{"name", "edge"}});
    EXPECT_EQ(told, after(0));
}

TEST_F(Changes, NumbersGoOnAfterAReopen) {
    const auto cluster = add(kClusters, {{"name", "edge"}});
    remove(kClusters, cluster.id);
    writer_.reset();
    store_.reset();
    store_ = open_store(directory_.path() + "/lmdb");
    writer_ = std::make_unique<Writer>(*store_);
    EXPECT_EQ(writer_->changes().last(), 2U);
    add(kClusters, {{"name", "edge"}});
    EXPECT_EQ(last(), 3U);
}

TEST_F(Changes, AStoreFromBeforeTheFeedBeginsWithItsDocuments) {
    const auto cluster = add(kClusters, {{"name", "edge"}});
    const auto image = add(kImages, {{"name", "a"}, {"sha256", "00"}});
    add(kAudit, {{"event", "request"}});
    const auto emptied = writer_->run([](Batch& batch) -> Result<void> {
        mdb_drop(batch.txn().raw(), batch.own().changes.handle, 0);
        return {};
    });
    ASSERT_TRUE(emptied);
    writer_.reset();
    store_.reset();
    store_ = open_store(directory_.path() + "/lmdb");
    writer_ = std::make_unique<Writer>(*store_);
    const auto changes = after(0);
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].id, cluster.id);
    EXPECT_EQ(changes[1].id, image.id);
    change(kClusters, cluster);
    EXPECT_EQ(after(0).size(), 2U);
}

TEST_F(Changes, AFeedBegunAnewIsBeyondEverythingBefore) {
    const auto cluster = add(kClusters, {{"name", "edge"}});
    ASSERT_TRUE(writer_->run([](Batch& batch) { return begin_changes_anew(batch); }));
    const std::uint64_t oldest = *oldest_resumable(*store_->snapshot());
    EXPECT_GT(oldest, 1'000'000U);
    EXPECT_LT(oldest, std::uint64_t{1} << 53);
    change(kClusters, cluster);
    EXPECT_EQ(last(), oldest + 1);
    EXPECT_EQ(after(0).size(), 1U);
}

TEST_F(Changes, ATimelineStandsBesideItsMachineAndGoesWithoutAWord) {
    const auto machine = add(kMachines, {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}});
    Change grown;
    grown.kind = Kind::timeline;
    grown.what = What::updated;
    grown.id = machine.id;
    for (int i = 0; i < 2; ++i)
        ASSERT_TRUE(writer_->run([&](Batch& batch) { return append_change(batch, grown); }));
    ASSERT_EQ(after(0).size(), 2U);
    EXPECT_EQ(after(1).at(0).kind, Kind::timeline);
    EXPECT_EQ(after(1).at(0).sequence, 3U);
    EXPECT_EQ(writer_->changes().last(), 1U);  // of documents
    ASSERT_TRUE(writer_->run([&](Batch& batch) { return forget_timeline_changes(batch, machine.id); }));
    ASSERT_EQ(after(0).size(), 1U);
    EXPECT_EQ(after(0).at(0).kind, Kind::machine);
    EXPECT_EQ(*count(*store_->snapshot(), kMachines), 1U);
}

TEST_F(Changes, OldDeletionsAreForgottenAndWhoMissedThemIsTold) {
    constexpr std::uint64_t kDeletions = kMaxTombstones + 1000;
    const auto kept = add(kClusters, {{"name", "edge"}});
    const auto done = writer_->run([](Batch& batch) -> Result<void> {
        for (std::uint64_t i = 0; i < kDeletions; ++i) {
            Change change;
            change.kind = Kind::machine;
            change.id = Id::make();
            for (const What what : {What::created, What::deleted}) {
                change.what = what;
                if (auto appended = append_change(batch, change); !appended) return appended;
            }
        }
        return {};
    });
    ASSERT_TRUE(done);
    const auto changes = after(0);
    ASSERT_GT(changes.size(), kMaxTombstones);
    EXPECT_LT(changes.size(), kMaxTombstones + 300);
    EXPECT_EQ(changes[0].id, kept.id);
    // Every deletion after this one is still there: of each pair the second number.
    const std::uint64_t forgotten = *oldest_resumable(*store_->snapshot());
    EXPECT_EQ(changes[1].sequence, forgotten + 2);
    EXPECT_EQ(last(), 1 + 2 * kDeletions);
}

// Random writes in random batches, some of which fail; the feed must be what a model says, and a reader that
// looks in now and then must always know exactly the documents that there are.
TEST_F(Changes, PropertyFollowersKnowWhatTheModelKnows) {
    const std::array collections{&kClusters, &kBootProfiles, &kImages};
    std::mt19937 random(7);
    std::map<Id, std::pair<const Collection*, std::uint64_t>> model;  // what is there, its revision
    std::vector<Id> deleted;
    std::map<Id, std::uint64_t> follower;
    std::uint64_t seen = 0;
    std::uint64_t names = 0;
    for (int round = 0; round < 400; ++round) {
        const auto before = model;
        const auto deleted_before = deleted;
        const bool fails = random() % 5 == 0;
        const std::size_t writes = random() % 6 + 1;
        const auto seed = random();
        const auto done = writer_->run([&](Batch& batch) -> Outcome<void> {
            model = before;
            deleted = deleted_before;
            std::mt19937 dice(seed);
            for (std::size_t i = 0; i < writes; ++i) {
                const bool make = model.empty() || dice() % 3 == 0;
                if (make) {
                    const Collection* collection = collections[dice() % collections.size()];
                    const auto made = insert(batch, *collection, {{"name", std::to_string(++names)}});
                    if (!made) return pass_on(made.error());
                    model[made->id] = {collection, 1};
                    continue;
                }
                const auto chosen = std::next(model.begin(), static_cast<int>(dice() % model.size()));
                const auto [collection, revision] = chosen->second;
                if (dice() % 2 == 0) {
                    auto document = find(batch, *collection, chosen->first);
                    const auto updated = update(batch, *collection, **document);
                    if (!updated) return pass_on(updated.error());
                    chosen->second.second = updated->revision;
                } else {
                    if (auto gone = erase(batch, *collection, chosen->first); !gone)
                        return pass_on(gone.error());
                    deleted.push_back(chosen->first);
                    model.erase(chosen);
                }
            }
            if (fails) return refuse(Failure::Kind::invalid, "no");
            return {};
        });
        ASSERT_EQ(done.has_value(), !fails);
        if (fails) {
            model = before;
            deleted = deleted_before;
        }
        std::vector<Change> feed = after(0);
        ASSERT_EQ(feed.size(), model.size() + deleted.size());
        ASSERT_TRUE(std::is_sorted(feed.begin(), feed.end(),
                                   [](const Change& a, const Change& b) { return a.sequence < b.sequence; }));
        if (random() % 4 != 0) continue;
        for (const Change& change : after(seen)) {
            seen = change.sequence;
            if (change.what == What::deleted) {
                follower.erase(change.id);
                continue;
            }
            const auto document = find(*store_->snapshot(), *model.at(change.id).first, change.id);
            ASSERT_TRUE(document && *document);
            follower[change.id] = (*document)->revision;
        }
        ASSERT_EQ(seen, last());
        ASSERT_EQ(follower.size(), model.size());
        for (const auto& [id, known] : model) ASSERT_EQ(follower.at(id), known.second);
    }
    ASSERT_FALSE(deleted.empty());
}

}  // namespace
}  // namespace rouse::store
