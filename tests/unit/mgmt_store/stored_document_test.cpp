#include "mgmt/store/stored_document.hpp"

#include "mgmt/store/documents.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

namespace rouse::store {
namespace {

using nlohmann::json;

class StoredDocuments : public StoreTest {
  protected:
    Document add(json fields) {
        return *writer_->run([&](Batch& batch) { return insert(batch, kClusters, fields); });
    }
    std::string text_of_stored(Id id) {
        const auto snapshot = store_->snapshot();
        const auto stored = find_stored(*snapshot, kClusters, id);
        std::string text;
        if (stored && *stored) (*stored)->append_to(text);
        return text;
    }
};

TEST_F(StoredDocuments, AreWhatClientsSeeAndNothingElse) {
    const json cases[] = {
        {{"name", "a"}},
        {{"name", "b"}, {"_own", 1}},
        {{"name", "c"},
         {"_a", {{"x", "}],\"\\"}, {"y", json::array({1, "]"})}}},
         {"_b", ""},
         {"_c", nullptr}},
        {{"name", "d \"_x\":1, \\"}, {"_z", "\",\"_y\":{"}, {"labels", {{"_inner", true}}}},
    };
    for (const json& fields : cases) {
        const Document made = add(fields);
        json seen = made.fields;
        for (const auto& [name, value] : fields.items())
            if (name.starts_with('_')) seen.erase(name);
        EXPECT_EQ(text_of_stored(made.id), seen.dump());
    }
}

TEST_F(StoredDocuments, CarryTheRevisionAndComeInOrder) {
    auto first = add({{"name", "a"}, {"_n", 1}});
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const auto second = add({{"name", "b"}});
    ASSERT_TRUE(writer_->run([&](Batch& batch) { return update(batch, kClusters, first); }));
    const auto snapshot = store_->snapshot();
    EXPECT_EQ((*find_stored(*snapshot, kClusters, first.id))->revision, 2U);
    EXPECT_FALSE(*find_stored(*snapshot, kMachines, first.id));
    std::vector<Id> seen;
    const auto note = [&seen](const StoredDocument& document) {
        seen.push_back(document.id);
        return true;
    };
    ASSERT_TRUE(for_each_stored(*snapshot, kClusters, std::nullopt, note));
    ASSERT_TRUE(for_each_stored(*snapshot, kClusters, first.id, note));
    EXPECT_EQ(seen, (std::vector<Id>{first.id, second.id, second.id}));
}

TEST_F(StoredDocuments, DamageIsToldAndNotPassedOn) {
    for (const std::string value : {"", "12345678", "12345678{", "12345678{\"_a\":[1", "12345678[]"}) {
        const Id id = Id::make();
        ASSERT_TRUE(writer_->run([&](Batch& batch) {
            return batch.put(batch.own().documents[static_cast<std::size_t>(Kind::cluster)], bytes_of(id),
                             bytes_of(value));
        }));
        const auto snapshot = store_->snapshot();
        const auto stored = find_stored(*snapshot, kClusters, id);
        ASSERT_FALSE(stored) << value;
        EXPECT_NE(stored.error().message.find(id.to_string() + " is damaged"), std::string::npos);
    }
}

}  // namespace
}  // namespace rouse::store
