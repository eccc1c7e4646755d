#include "mgmt/store/id.hpp"
#include "shared/clock.hpp"
#include "shared/endian.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <set>

namespace rouse::store {
namespace {

TEST(Id, RoundTripsAndTakesOneSpellingOnly) {
    const Id id = Id::make();
    const std::string text = id.to_string();
    EXPECT_EQ(text[14], '7');
    EXPECT_EQ(Id::parse(text), id);
    std::string upper = text;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(Id::parse(upper), id);
    EXPECT_FALSE(Id::parse("{" + text + "}"));
    EXPECT_FALSE(Id::parse(text.substr(1) + "0"));
    EXPECT_FALSE(Id::parse(std::string(36, '-')));
    EXPECT_FALSE(Id::parse("../../../../../../../../../../../etc"));
}

TEST(Id, LaterOnesAreGreater) {
    const auto millis_of = [](const Id& id) {
        std::uint64_t millis = 0;
        for (std::size_t i = 0; i < 6; ++i) millis = millis << 8 | id.octets[i];
        return millis;
    };
    const std::uint64_t began = realtime_ns() / kNanosPerMilli;
    Id last = Id::make();
    EXPECT_GE(millis_of(last), began);
    for (int i = 0; i < 20'000; ++i) {
        const Id next = Id::make();
        ASSERT_LT(last, next);
        last = next;
    }
    EXPECT_LE(millis_of(last), realtime_ns() / kNanosPerMilli + 5);
    EXPECT_LT(Id::before(began), Id::make());
}

TEST(Id, ManyAreDifferent) {
    std::set<Id> ids;
    for (int i = 0; i < 10'000; ++i) ids.insert(Id::make());
    EXPECT_EQ(ids.size(), 10'000U);
}

TEST_F(StoreTest, NewerSchemaIsRefusedWithAWayOut) {
    ASSERT_TRUE(writer_->run([](Batch& batch) -> Result<void> {
        return batch.put(batch.tables().meta, bytes_of(kSchemaVersionKey),
                         bytes_of(be32(kSchemaVersion + 1)));
    }));
    writer_.reset();
    store_.reset();
    const auto again = Store::open(directory_.path() + "/lmdb", kTestMapBytes);
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().message.find("schema version " + std::to_string(kSchemaVersion + 1)),
              std::string::npos);
    EXPECT_NE(again.error().message.find("run the rouse version that wrote it"), std::string::npos);
}

TEST_F(StoreTest, ReopensWhatItWrote) {
    ASSERT_EQ(*writer_->run([](Batch& batch) { return batch.next_number("things"); }), 1U);
    writer_.reset();
    store_.reset();
    store_ = open_store(directory_.path() + "/lmdb");
    writer_ = std::make_unique<Writer>(*store_);
    EXPECT_EQ(*writer_->run([](Batch& batch) { return batch.next_number("things"); }), 2U);
    EXPECT_EQ(*writer_->run([](Batch& batch) { return batch.next_number("others"); }), 1U);
}

TEST_F(StoreTest, RecordsThatAreNotValidNeverGetIn) {
    const auto put = writer_->run([](Batch& batch) -> Result<void> {
        NetworkRecord network;  // no id, no prefix
        return batch.put_record(batch.tables().networks, bytes_of(be32(1)), network);
    });
    ASSERT_FALSE(put);
    EXPECT_EQ(store_->snapshot()->txn().count(store_->tables().networks), 0U);
}

}  // namespace
}  // namespace rouse::store
