#include "mgmt/store/audit.hpp"

#include "tests/unit/mgmt_store/temporary_store.hpp"

namespace rouse::store {
namespace {

using nlohmann::json;

class Audit : public StoreTest {
  protected:
    template <typename F>
    auto as_author(F change) {
        return writer_->run([&](Batch& batch) {
            const Authored authored(batch, author_);
            return change(batch);
        });
    }
    std::vector<Document> entries() {
        std::vector<Document> out;
        const auto snapshot = store_->snapshot();
        EXPECT_TRUE(for_each(*snapshot, kAudit, std::nullopt, [&](Document entry) {
            out.push_back(std::move(entry));
            return true;
        }));
        return out;
    }
    Outcome<std::size_t> prune(const AuditLimits& limits) {
        return writer_->run([&](Batch& batch) { return prune_audit(batch, limits); });
    }
    void fill(int count, const std::string& text) {
        for (int i = 0; i < count; ++i)
            ASSERT_TRUE(writer_->run(
                [&](Batch& batch) { return audit(batch, author_, {.event = "request", .after = text}); }));
    }

    const Author author_{"bob", false, {"operator"}, "10.77.9.9", "r-1", "POST", "/api/cluster/"};
};

TEST_F(Audit, TellsWhoDidWhatInTheTransactionOfTheChange) {
    const auto made = as_author([](Batch& batch) { return insert(batch, kClusters, {{"name", "edge"}}); });
    ASSERT_TRUE(made);
    const auto changed = as_author([&](Batch& batch) {
        auto document = *made;
        document.fields["name"] = "core";
        return update(batch, kClusters, document);
    });
    ASSERT_TRUE(changed);
    ASSERT_TRUE(as_author([&](Batch& batch) { return erase(batch, kClusters, made->id); }));

    const auto log = entries();
    ASSERT_EQ(log.size(), 3U);
    for (const auto& entry : log) {
        EXPECT_EQ(entry.text("user"), "bob");
        EXPECT_EQ(entry.fields["roles"], json({"operator"}));
        EXPECT_EQ(entry.text("address"), "10.77.9.9");
        EXPECT_EQ(entry.text("request_id"), "r-1");
        EXPECT_EQ(entry.text("method"), "POST");
        EXPECT_EQ(entry.text("path"), "/api/cluster/");
        EXPECT_EQ(entry.text("kind"), "cluster");
        EXPECT_EQ(entry.text("object"), made->id.to_string());
        EXPECT_FALSE(entry.fields.contains("updated_at"));
    }
    EXPECT_EQ(log[0].text("event"), "created");
    EXPECT_TRUE(log[0].fields["before"].is_null());
    EXPECT_EQ(log[0].fields["after"]["name"], "edge");
    EXPECT_EQ(log[1].text("event"), "changed");
    EXPECT_EQ(log[1].fields["before"], json({{"name", "edge"}}));
    EXPECT_EQ(log[1].fields["after"], json({{"name", "core"}}));
    EXPECT_EQ(log[2].text("event"), "deleted");
    EXPECT_EQ(log[2].fields["before"]["name"], "core");
    EXPECT_TRUE(log[2].fields["after"].is_null());
}

TEST_F(Audit, WhatFailsAndWhatTheApplianceDoesItselfIsNotOnIt) {
    ASSERT_TRUE(writer_->run([](Batch& batch) { return insert(batch, kClusters, {{"name", "edge"}}); }));
    EXPECT_FALSE(as_author([](Batch& batch) { return insert(batch, kClusters, {{"name", "edge"}}); }));
    EXPECT_FALSE(as_author([](Batch& batch) -> Outcome<Document> {
        auto made = insert(batch, kClusters, {{"name", "core"}});
        if (!made) return made;
        return refuse(Failure::Kind::invalid, "after all");
    }));
    EXPECT_TRUE(entries().empty());
    EXPECT_EQ(*count(*store_->snapshot(), kClusters), 1U);
}

TEST_F(Audit, HoldsNoSecrets) {
    const auto made = as_author([](Batch& batch) {
        return insert(batch, kUsers, {{"username", "eve"}, {"_password_hash", "the-hash"}});
    });
    ASSERT_TRUE(made);
    ASSERT_TRUE(as_author([&](Batch& batch) {
        auto document = *made;
        document.fields["_password_hash"] = "the-new-hash";
        return update(batch, kUsers, document);
    }));
    const auto log = entries();
    ASSERT_EQ(log.size(), 2U);
    EXPECT_EQ(log[1].fields["after"], json({{"_password_hash", "(changed)"}}));
    for (const auto& entry : log) EXPECT_EQ(entry.fields.dump().find("hash\":\"the"), std::string::npos);
}

TEST_F(Audit, IsFoundByUserAndObject) {
    const auto made = as_author([](Batch& batch) { return insert(batch, kClusters, {{"name", "edge"}}); });
    const auto snapshot = store_->snapshot();
    EXPECT_TRUE(*find_by(*snapshot, kAudit, kAuditByUser, "bob"));
    EXPECT_TRUE(*find_by(*snapshot, kAudit, kAuditByObject, made->id.to_string()));
    EXPECT_FALSE(*find_by(*snapshot, kAudit, kAuditByUser, "eve"));
}

TEST_F(Audit, KeepsWithinItsSize) {
    constexpr std::uint64_t kLimit = 256 * 1024;
    fill(400, std::string(2000, 'x'));
    const auto newest = entries().back().id;
    std::size_t removed = 0;
    for (;;) {
        const auto some = prune({.bytes = kLimit});
        ASSERT_TRUE(some);
        if (*some == 0) break;
        removed += *some;
    }
    EXPECT_GT(removed, 200U);
    const auto left = entries();
    EXPECT_GT(left.size(), 50U) << "no more than it has to";
    EXPECT_EQ(left.back().id, newest);
    const auto snapshot = store_->snapshot();
    EXPECT_LE(*snapshot->txn().bytes(snapshot->own().documents[static_cast<std::size_t>(Kind::audit)]),
              kLimit);
    const auto indexed = ids_by(*snapshot, kAuditByUser, "bob");
    EXPECT_EQ(indexed->size(), left.size()) << "the index has lost what is gone";
}

TEST_F(Audit, KeepsWithinItsAge) {
    fill(3, "old");
    EXPECT_EQ(*prune({.age = std::chrono::hours(1)}), 0U);
    EXPECT_EQ(*prune({}), 0U);
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    fill(2, "new");
    EXPECT_EQ(*prune({.age = std::chrono::seconds(1)}), 3U);
    EXPECT_EQ(entries().size(), 2U);
}

}  // namespace
}  // namespace rouse::store
