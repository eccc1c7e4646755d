// What the checker of the store finds, and what migration leaves.

#include "mgmt/store/check.hpp"

#include "mgmt/store/changes.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/index_key.hpp"
#include "shared/endian.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace rouse::store {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CheckTest : public StoreTest {
  protected:
    CheckTest() {
        for (const char* name : {"edge", "core"}) clusters_.push_back(made(kClusters, {{"name", name}}));
        machine_ = made(kMachines, {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}});
    }
    Id made(const Collection& collection, json fields) {
        const auto document =
            writer_->run([&](Batch& batch) { return insert(batch, collection, std::move(fields)); });
        EXPECT_TRUE(document);
        return document->id;
    }
    // Writes past the rules.
    void damage(const std::function<Result<void>(Transaction& txn, const OwnTables& own)>& work) {
        const auto done = writer_->run([&](Batch& batch) { return work(batch.txn(), batch.own()); });
        ASSERT_TRUE(done) << done.error().message;
    }
    void put_version(std::uint32_t version) {
        damage([&](Transaction& txn, const OwnTables&) {
            const be32 stored(version);
            return txn.put(store_->tables().meta, bytes_of(kSchemaVersionKey), bytes_of(stored));
        });
    }
    void empty_indices() {
        damage([](Transaction& txn, const OwnTables& own) -> Result<void> {
            if (mdb_drop(txn.raw(), own.indices.handle, 0) != 0) return fail("cannot empty");
            return {};
        });
    }
    Result<std::unique_ptr<Store>> reopen() {
        writer_.reset();
        store_.reset();
        return Store::open(lmdb(), kTestMapBytes);
    }
    [[nodiscard]] std::string lmdb() const { return directory_.path() + "/lmdb"; }
    std::vector<std::string> faults() {
        const auto check = check_documents(*store_->snapshot());
        return check ? check->faults : std::vector{check.error().message};
    }
    Table documents(Kind kind) { return store_->own().documents[static_cast<std::size_t>(kind)]; }

    std::vector<Id> clusters_;
    Id machine_;
};

TEST_F(CheckTest, KnowsEveryKindThatHasATable) {
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
        if (store_->own().documents[kind].handle == 0) continue;
        const auto all = all_collections();
        EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                                [kind](const Collection* collection) {
                                    return static_cast<std::size_t>(collection->kind) == kind;
                                }))
            << "kind " << kind << " is missing in all_collections()";
    }
}

TEST_F(CheckTest, CountsAndFindsNothingInAGoodStore) {
    const auto check = check_documents(*store_->snapshot());
    ASSERT_TRUE(check) << check.error().message;
    EXPECT_THAT(check->faults, IsEmpty());
    EXPECT_EQ(check->entries, *store_->snapshot()->txn().count(store_->own().indices));
    EXPECT_GT(check->entries, 4U);
    for (const auto& [noun, documents] : check->counts)
        EXPECT_EQ(documents, noun == "cluster" ? 2U : noun == "machine" ? 1U : 0U) << noun;
}

TEST_F(CheckTest, FindsADocumentThatAnIndexHasLost) {
    damage([&](Transaction& txn, const OwnTables& own) -> Result<void> {
        const auto key = index_key(kClusterByName, "edge", clusters_[0]);
        const auto removed = txn.remove(own.indices, bytes_of(key));
        return removed && *removed ? Result<void>() : fail("it was not there");
    });
    EXPECT_THAT(faults(),
                ElementsAre("cluster " + clusters_[0].to_string() + " is not found by its name (index 1)"));
}

TEST_F(CheckTest, FindsAnIndexEntryThatLeadsElsewhere) {
    damage([&](Transaction& txn, const OwnTables& own) {
        const auto key = index_key(kClusterByName, "edge", clusters_[0]);
        return txn.put(own.indices, bytes_of(key), bytes_of(clusters_[1]));
    });
    EXPECT_THAT(faults(),
                ElementsAre("cluster " + clusters_[0].to_string() + " is not found by its name (index 1)",
                            "index 1 of kind 1 has \"edge\", which no document has"));
}

TEST_F(CheckTest, FindsAnIndexEntryOfNoDocument) {
    damage([&](Transaction& txn, const OwnTables& own) {
        const Id gone = Id::make();
        const auto key = index_key(kMachineByPool, "gone", gone);
        return txn.put(own.indices, bytes_of(key), bytes_of(gone));
    });
    EXPECT_THAT(faults(), ElementsAre("index 6 of kind 2 has \"gone\", which no document has"));
}

TEST_F(CheckTest, FindsADocumentThatCannotBeRead) {
    damage([&](Transaction& txn, const OwnTables&) {
        return txn.put(documents(Kind::machine), bytes_of(machine_),
                       bytes_of(std::string_view("12345678{\"a")));
    });
    EXPECT_THAT(faults(),
                ElementsAre(HasSubstr("the stored machine " + machine_.to_string() + " is damaged")))
        << "its index entries are not told of beside it";
}

TEST_F(CheckTest, FindsADocumentUnderAnothersId) {
    damage([&](Transaction& txn, const OwnTables&) -> Result<void> {
        const auto stored = txn.get(documents(Kind::cluster), bytes_of(clusters_[0]));
        if (!stored) return tl::unexpected(stored.error());
        const std::string copy(text_of(**stored));
        return txn.put(documents(Kind::cluster), bytes_of(Id::make()), bytes_of(copy));
    });
    EXPECT_THAT(faults(),
                ElementsAre(HasSubstr(" says that it is another"), HasSubstr(" is not found by its name"),
                            HasSubstr(" is missing from the feed of changes")));
}

TEST_F(CheckTest, ReadsBesideTheWriter) {
    const auto reading = Store::open_read_only(lmdb());
    ASSERT_TRUE(reading) << reading.error().message;
    made(kClusters, {{"name", "later"}});
    const auto check = check_documents(*(*reading)->snapshot());
    ASSERT_TRUE(check);
    EXPECT_TRUE(check->is_good());
    EXPECT_EQ(check->counts.front().documents, 3U);
}

TEST_F(CheckTest, VersionTwoGetsItsIndices) {
    empty_indices();
    put_version(2);
    EXPECT_EQ(*find_by(*store_->snapshot(), kClusters, kClusterByName, "edge"), std::nullopt);
    const auto unread = Store::open_read_only(lmdb());
    ASSERT_FALSE(unread);
    EXPECT_THAT(unread.error().message, HasSubstr("start it once, which migrates the store"));

    auto again = reopen();
    ASSERT_TRUE(again) << again.error().message;
    store_ = std::move(*again);
    EXPECT_EQ(store_->migrated_from(), 2U);
    EXPECT_EQ((*find_by(*store_->snapshot(), kClusters, kClusterByName, "edge"))->id, clusters_[0]);
    EXPECT_EQ((*find_by(*store_->snapshot(), kMachines, kMachineByMac, "02:00:00:00:00:01"))->id, machine_);
    EXPECT_THAT(faults(), IsEmpty());

    again = reopen();
    ASSERT_TRUE(again);
    EXPECT_EQ((*again)->migrated_from(), 0U);
}

// Its changes had no revision, and a table said which is a document's newest.
TEST_F(CheckTest, VersionThreeGetsAFeedThatNobodyCanResume) {
    const std::uint64_t last = *last_change(*store_->snapshot());
    damage([](Transaction& txn, const OwnTables& own) -> Result<void> {
        const auto newest = txn.table("newest_changes", true);
        if (!newest) return tl::unexpected(newest.error());
        if (auto put = txn.put(*newest, bytes_of(be32(1)), bytes_of(be64(1))); !put) return put;
        for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
            const auto stored = txn.get(own.changes, bytes_of(be64(sequence)));
            if (!stored || !*stored) return fail("a change is missing");
            const std::string former(text_of((*stored)->first(42)));
            if (auto put = txn.put(own.changes, bytes_of(be64(sequence)), bytes_of(former)); !put) return put;
        }
        return {};
    });
    put_version(3);
    auto again = reopen();
    ASSERT_TRUE(again) << again.error().message;
    store_ = std::move(*again);
    EXPECT_EQ(store_->migrated_from(), 3U);
    EXPECT_THAT(faults(), IsEmpty());
    EXPECT_GT(*oldest_resumable(*store_->snapshot()), last);
    auto txn = store_->environment().begin(Access::read_only);
    ASSERT_TRUE(txn);
    EXPECT_FALSE(txn->table("newest_changes"));
}

TEST_F(CheckTest, AMigrationThatFailsLeavesTheStoreAsItWas) {
    empty_indices();
    damage([&](Transaction& txn, const OwnTables&) {
        return txn.put(documents(Kind::machine), bytes_of(machine_),
                       bytes_of(std::string_view("12345678{\"a")));
    });
    put_version(2);
    for (int i = 0; i < 2; ++i) {
        const auto again = reopen();
        ASSERT_FALSE(again);
        EXPECT_THAT(again.error().message,
                    HasSubstr("cannot be migrated, it is left as it was: the stored machine " +
                              machine_.to_string() + " is damaged"));
    }
    auto environment = Environment::open(lmdb(), {.access = Access::read_only});
    ASSERT_TRUE(environment);
    auto txn = environment->begin(Access::read_only);
    EXPECT_EQ(txn->count(*txn->table("indices")), 0U) << "what was indexed before the failure is not there";
}

TEST_F(CheckTest, AVersionWithoutAStepIsRefused) {
    put_version(1);
    const auto again = reopen();
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message, HasSubstr("has schema version 1, which is too old"));
}

TEST_F(CheckTest, WhoReplacesAStoreHasItAlone) {
    const auto busy = DirectoryLock::take(lmdb());
    ASSERT_FALSE(busy);
    EXPECT_THAT(busy.error().message, HasSubstr("is in use; stop rouse-mgmt and rouse-dataplane first"));
    writer_.reset();
    store_.reset();
    {
        const auto reader = Environment::open(lmdb(), {.access = Access::read_only});
        ASSERT_TRUE(reader);
        EXPECT_FALSE(DirectoryLock::take(lmdb())) << "a reader, such as the dataplane";
    }
    const auto alone = DirectoryLock::take(lmdb());
    ASSERT_TRUE(alone) << alone.error().message;
    EXPECT_FALSE(DirectoryLock::take(lmdb()));
    const auto late = Store::open(lmdb(), kTestMapBytes);
    ASSERT_FALSE(late);
    EXPECT_THAT(late.error().message, HasSubstr("is being restored"));
}

}  // namespace
}  // namespace rouse::store
