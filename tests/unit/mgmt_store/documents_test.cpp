#include "mgmt/store/documents.hpp"

#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <map>
#include <random>

namespace rouse::store {
namespace {

using nlohmann::json;

class Documents : public StoreTest {
  protected:
    Outcome<Document> add(const Collection& collection, json fields) {
        return writer_->run([&](Batch& batch) { return insert(batch, collection, fields); });
    }
    std::optional<Document> get(const Collection& collection, Id id) {
        return *find(*store_->snapshot(), collection, id);
    }
    std::optional<Document> by(const Collection& collection, const Index& index, std::string_view value) {
        return *find_by(*store_->snapshot(), collection, index, value);
    }
};

TEST_F(Documents, InsertStampsAndFinds) {
    const auto made = add(kClusters, {{"name", "edge"}});
    ASSERT_TRUE(made);
    EXPECT_EQ(made->revision, 1U);
    const auto found = by(kClusters, kClusterByName, "edge");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, made->id);
    EXPECT_EQ(found->text("id"), made->id.to_string());
    EXPECT_EQ(found->text("created_at"), found->text("updated_at"));
    EXPECT_EQ(found->text("created_at").size(), std::string("2026-11-20T12:34:56.789Z").size());
    EXPECT_FALSE(by(kClusters, kClusterByName, "edg"));
    EXPECT_FALSE(by(kMachines, kMachineByMac, "edge"));
    EXPECT_EQ(*count(*store_->snapshot(), kClusters), 1U);
}

TEST_F(Documents, UniqueValuesConflictAndNameTheField) {
    ASSERT_TRUE(add(kMachines, {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}}));
    const auto same_mac = add(kMachines, {{"hostname", "n2"}, {"mac", "02:00:00:00:00:01"}});
    ASSERT_FALSE(same_mac);
    EXPECT_EQ(same_mac.error().kind, Failure::Kind::conflict);
    EXPECT_EQ(same_mac.error().pointer, "/mac");
    const auto same_name = add(kMachines, {{"hostname", "n1"}, {"mac", "02:00:00:00:00:02"}});
    ASSERT_FALSE(same_name);
    EXPECT_EQ(same_name.error().pointer, "/hostname");
    // In another cluster the hostname is free.
    EXPECT_TRUE(add(kMachines, {{"hostname", "n1"}, {"mac", "02:00:00:00:00:02"}, {"cluster", "c"}}));
    EXPECT_EQ(*count(*store_->snapshot(), kMachines), 2U);
}

TEST_F(Documents, UpdateMovesIndicesAndCountsRevisions) {
    auto machine = *add(kMachines, {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}, {"cluster", "a"}});
    machine.fields["mac"] = "02:00:00:00:00:09";
    machine.fields["cluster"] = "b";
    const auto updated = writer_->run([&](Batch& batch) { return update(batch, kMachines, machine); });
    ASSERT_TRUE(updated);
    EXPECT_EQ(updated->revision, 2U);
    EXPECT_FALSE(by(kMachines, kMachineByMac, "02:00:00:00:00:01"));
    EXPECT_TRUE(by(kMachines, kMachineByMac, "02:00:00:00:00:09"));
    EXPECT_TRUE(ids_by(*store_->snapshot(), kMachineByCluster, "a")->empty());
    EXPECT_EQ(ids_by(*store_->snapshot(), kMachineByCluster, "b")->size(), 1U);
    EXPECT_TRUE(add(kMachines, {{"hostname", "n2"}, {"mac", "02:00:00:00:00:01"}}));
}

TEST_F(Documents, EraseFreesEveryIndexedValue) {
    const auto machine = add(kMachines, {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}});
    EXPECT_TRUE(*writer_->run([&](Batch& batch) { return erase(batch, kMachines, machine->id); }));
    EXPECT_FALSE(*writer_->run([&](Batch& batch) { return erase(batch, kMachines, machine->id); }));
    EXPECT_EQ(store_->snapshot()->txn().count(store_->own().indices), 0U);
    const auto late = writer_->run([&](Batch& batch) { return update(batch, kMachines, *machine); });
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, Failure::Kind::not_found);
}

TEST_F(Documents, PrefixesOfValuesAreOtherValues) {
    ASSERT_TRUE(add(kMachines, {{"hostname", "a"}, {"mac", "1"}, {"cluster", "x"}}));
    ASSERT_TRUE(add(kMachines, {{"hostname", "b"}, {"mac", "2"}, {"cluster", "xy"}}));
    EXPECT_EQ(ids_by(*store_->snapshot(), kMachineByCluster, "x")->size(), 1U);
    EXPECT_TRUE(ids_by(*store_->snapshot(), kMachineByCluster, "")->empty());
    EXPECT_FALSE(by(kMachines, kMachineByMac, std::string("1\0", 2)));
}

TEST_F(Documents, ListsInOrderOfCreationFromACursor) {
    std::vector<Id> made;
    for (int i = 0; i < 5; ++i) {
        made.push_back(add(kClusters, {{"name", std::to_string(i)}})->id);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    std::vector<Id> listed;
    ASSERT_TRUE(for_each(*store_->snapshot(), kClusters, made[1], [&](Document document) {
        listed.push_back(document.id);
        return listed.size() < 2;
    }));
    EXPECT_EQ(listed, (std::vector<Id>{made[2], made[3]}));
}

TEST_F(Documents, ValuesTooLongToIndexAreInvalid) {
    const auto made = add(kClusters, {{"name", std::string(5000, 'x')}});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, Failure::Kind::invalid);
    EXPECT_EQ(made.error().pointer, "/name");
}

// Random inserts, updates and deletes against a model: the indices always say what the documents say.
TEST_F(Documents, IndicesFollowTheDocumentsWhateverHappens) {
    std::mt19937 random(7);
    std::map<Id, json> model;
    auto fields = [&random] {
        return json{{"hostname", "n" + std::to_string(random() % 20)},
                    {"mac", std::to_string(random() % 20)},
                    {"cluster", "c" + std::to_string(random() % 3)}};
    };
    for (int step = 0; step < 1500; ++step) {
        const json values = fields();
        const auto at = model.empty() ? model.end() : std::next(model.begin(), random() % model.size());
        switch (random() % 4) {
            case 0:
            case 1:
                if (const auto made = add(kMachines, values)) model[made->id] = values;
                break;
            case 2:
                if (at == model.end()) break;
                if (writer_->run([&](Batch& batch) {
                        return update(batch, kMachines, Document{at->first, 0, values});
                    }))
                    at->second = values;
                break;
            default:
                if (at == model.end()) break;
                ASSERT_TRUE(writer_->run([&](Batch& batch) { return erase(batch, kMachines, at->first); }));
                model.erase(at);
        }
    }
    ASSERT_FALSE(model.empty());
    const auto snapshot = store_->snapshot();
    EXPECT_EQ(*count(*snapshot, kMachines), model.size());
    // mac, hostname, scoped hostname, cluster and unplaced: five entries each, and not one more.
    EXPECT_EQ(*snapshot->txn().count(store_->own().indices), 5 * model.size());
    for (const auto& [id, values] : model) {
        EXPECT_EQ((*find_by(*snapshot, kMachines, kMachineByMac, values["mac"].get<std::string>()))->id, id);
        EXPECT_EQ((*find(*snapshot, kMachines, id))->fields["hostname"], values["hostname"]);
    }
}

}  // namespace
}  // namespace rouse::store
