// Images without room in memory, read ahead of each transfer.

#include "tests/unit/image/image_fixture.hpp"

namespace rouse::image {
namespace {

constexpr std::uint64_t kBudget = std::uint64_t{64} << 20;
constexpr std::size_t kTooLarge = 60'000'000;  // more than seven eighths of it

class StreamTest : public KeeperFixture {
  protected:
    Residency residency(const store::Sha256& hash) {
        for (int i = 0; i < 100; ++i) {
            round();
            if (find(hash)->residency() != Residency::pending) break;
        }
        return find(hash)->residency();
    }
    Stream* take(const store::Sha256& hash) { return shared_.streams.take(hash, find(hash)->size()); }
    // Reads [from, to) as a transfer does; stops at `gone`.
    std::string read(Stream& stream, std::uint64_t from, std::uint64_t to, ReadResult* last = nullptr) {
        std::string got;
        std::array<std::byte, 1468> block;
        for (int turns = 0; from < to && turns < 10'000;) {
            const auto out = std::span(block).first(std::min<std::uint64_t>(block.size(), to - from));
            const ReadResult result = stream.read(from, out);
            if (last != nullptr) *last = result;
            if (result == ReadResult::gone) break;
            if (result == ReadResult::later) {
                ++turns;
                round();
                continue;
            }
            got.append(reinterpret_cast<const char*>(out.data()), out.size());
            from += out.size();
        }
        return got;
    }
};

TEST_F(StreamTest, LargerThanTheBudgetComesByteForByte) {
    const auto bytes = pattern(kTooLarge, 1);
    const auto hash = publish(bytes);
    start(kBudget);
    ASSERT_EQ(residency(hash), Residency::streamed);
    EXPECT_EQ(gauge(Gauge::images_streamed), 1U);
    Stream* const stream = take(hash);
    ASSERT_NE(stream, nullptr);
    EXPECT_TRUE(read(*stream, 0, bytes.size()) == bytes);
    EXPECT_EQ(gauge(Gauge::image_streams_open), 1U);
    EXPECT_EQ(gauge(Gauge::image_bytes_streamed), bytes.size());
    EXPECT_LE(gauge(Gauge::image_bytes_resident), Stream::kBytes);
    stream->release();
    round();
    round();
    EXPECT_EQ(gauge(Gauge::image_streams_open), 0U);
    EXPECT_EQ(gauge(Gauge::image_bytes_resident), 0U);
}

TEST_F(StreamTest, NothingIsServedBeforeItIsProven) {
    const auto hash = publish(pattern(kTooLarge, 10));
    start(kBudget);
    for (int i = 0; i < 3; ++i) round();
    ASSERT_NE(find(hash), nullptr);
    EXPECT_EQ(find(hash)->residency(), Residency::pending) << "a few pieces are read";
    EXPECT_EQ(gauge(Gauge::images_streamed), 0U);
    rounds();
    EXPECT_EQ(find(hash)->residency(), Residency::streamed) << "whether or not anybody asks for it";
}

TEST_F(StreamTest, ADamagedFileIsRefusedUntilItIsWhole) {
    const auto good = pattern(kTooLarge, 11);
    auto bad = good;
    bad[kTooLarge - 7] ^= 1;
    const auto hash = sha256(good);
    write_file(hash, bad);
    name(hash, good.size());
    start(kBudget);
    rounds();
    EXPECT_EQ(find(hash)->residency(), Residency::unavailable);
    EXPECT_EQ(gauge(Gauge::images_unavailable), 1U);
    EXPECT_NE(reports_.find("damaged"), std::string::npos) << reports_;
    write_file(hash, good);
    rounds();
    EXPECT_EQ(find(hash)->residency(), Residency::unavailable) << "not read again and again";
    now_s_ += 11;
    EXPECT_EQ(residency(hash), Residency::streamed);
}

TEST_F(StreamTest, OnceProvenItIsNotReadForThatAgain) {
    const auto bytes = pattern(30'000'000, 12);
    const auto hash = publish(bytes);
    start(kBudget);
    ASSERT_EQ(residency(hash), Residency::resident);
    now_s_ += 60;
    const auto other = publish(pattern(50'000'000, 13));
    round();
    find(other);
    for (int i = 0; i < 100 && find(other)->residency() != Residency::resident; ++i) round();
    ASSERT_EQ(find(other)->residency(), Residency::resident) << "which displaced the first";
    find(other)->retain();
    ASSERT_EQ(find(hash)->residency(), Residency::pending);
    round();
    EXPECT_EQ(find(hash)->residency(), Residency::streamed) << "within one round";
    find(other)->release();
}

TEST_F(StreamTest, AFileThatIsCutShortWhileItIsProvenIsRefused) {
    const auto hash = publish(pattern(kTooLarge, 14));
    start(kBudget);
    for (int i = 0; i < 3; ++i) round();
    std::filesystem::resize_file(image_path(directory(), hash), 30'000'000);
    rounds();
    EXPECT_EQ(find(hash)->residency(), Residency::unavailable);
    EXPECT_NE(reports_.find("cut short"), std::string::npos) << reports_;
}

TEST_F(StreamTest, WhatIsBehindCanBeReadAgain) {
    const auto bytes = pattern(kTooLarge, 2);
    const auto hash = publish(bytes);
    start(kBudget);
    ASSERT_EQ(residency(hash), Residency::streamed);
    Stream* const stream = take(hash);
    constexpr std::uint64_t kFar = 3 * Stream::kBytes + 12'345;
    ASSERT_TRUE(read(*stream, 0, kFar) == bytes.substr(0, kFar));
    for (int i = 0; i < 50; ++i) round();  // as far ahead as it goes
    const std::uint64_t back = kFar - Stream::kBehind;
    EXPECT_TRUE(read(*stream, back, kFar) == bytes.substr(back, Stream::kBehind));
    stream->release();
}

TEST_F(StreamTest, ItIsReadAheadAndNoFurther) {
    const auto hash = publish(pattern(kTooLarge, 3));
    start(kBudget);
    ASSERT_EQ(residency(hash), Residency::streamed);
    Stream* const stream = take(hash);
    for (int i = 0; i < 100 && round();) ++i;
    EXPECT_FALSE(round()) << "nothing to do until somebody reads";
    EXPECT_EQ(gauge(Gauge::image_bytes_streamed), Stream::kBytes);
    stream->release();
}

TEST_F(StreamTest, AFileThatIsCutShortUnderATransferFailsIt) {
    const auto bytes = pattern(kTooLarge, 4);
    const auto hash = publish(bytes);
    const auto other = publish(pattern(kTooLarge + 1, 5));
    start(kBudget);
    ASSERT_EQ(residency(hash), Residency::streamed);
    ASSERT_EQ(residency(other), Residency::streamed);
    Stream* const stream = take(hash);
    Stream* const healthy = take(other);
    EXPECT_EQ(read(*stream, 0, 1'000'000).size(), 1'000'000U);
    std::filesystem::resize_file(image_path(directory(), hash), 4'000'000);
    ReadResult last = ReadResult::done;
    const auto rest = read(*stream, 1'000'000, bytes.size(), &last);
    EXPECT_EQ(last, ReadResult::gone);
    EXPECT_LE(rest.size(), 3'000'000U);
    EXPECT_TRUE(rest == bytes.substr(1'000'000, rest.size()));
    EXPECT_NE(reports_.find("cut short"), std::string::npos) << reports_;
    EXPECT_EQ(read(*healthy, 0, 5'000'000).size(), 5'000'000U) << "others go on";
    stream->release();
    healthy->release();
    round();
    round();
    EXPECT_EQ(gauge(Gauge::image_streams_open), 0U);
}

TEST_F(StreamTest, AFileThatVanishedFailsIt) {
    const auto hash = publish(pattern(kTooLarge, 6));
    start(kBudget);
    ASSERT_EQ(residency(hash), Residency::streamed);
    std::filesystem::remove(image_path(directory(), hash));
    Stream* const stream = take(hash);
    ReadResult last = ReadResult::done;
    EXPECT_EQ(read(*stream, 0, 1000, &last), "");
    EXPECT_EQ(last, ReadResult::gone);
    EXPECT_NE(reports_.find("No such file"), std::string::npos) << reports_;
    stream->release();
}

TEST_F(StreamTest, MemoryForRingsIsBoundedAndWhoWaitedLongestGetsWhatIsGivenBack) {
    const auto hash = publish(pattern(kTooLarge, 7));
    start(kBudget);
    ASSERT_EQ(residency(hash), Residency::streamed);
    constexpr std::size_t kRings = kBudget / Stream::kBytes;  // nothing else is in memory
    std::vector<Stream*> streams;
    for (std::size_t i = 0; i < kRings + 2; ++i) streams.push_back(take(hash));
    for (int i = 0; i < 1000 && round(); ++i) continue;
    EXPECT_EQ(gauge(Gauge::image_streams_open), kRings);
    EXPECT_EQ(gauge(Gauge::image_streams_waiting), 2U);
    EXPECT_LE(gauge(Gauge::image_bytes_resident), kBudget);
    std::array<std::byte, 8> out;
    EXPECT_EQ(streams[kRings]->read(0, out), ReadResult::later);
    streams[3]->release();
    round();
    streams[3] = take(hash);  // in the place that became free, and still behind those that wait
    round();
    round();
    EXPECT_EQ(streams[kRings]->read(0, out), ReadResult::done);
    EXPECT_EQ(streams[3]->read(0, out), ReadResult::later);
    streams[0]->release();
    streams[1]->release();
    for (int i = 0; i < 3; ++i) round();
    EXPECT_EQ(streams[kRings + 1]->read(0, out), ReadResult::done);
    EXPECT_EQ(streams[3]->read(0, out), ReadResult::done);
    EXPECT_EQ(gauge(Gauge::image_streams_waiting), 0U);
    for (std::size_t i = 2; i < streams.size(); ++i) streams[i]->release();
    round();
    round();
    EXPECT_EQ(gauge(Gauge::image_streams_open), 0U);
}

TEST_F(StreamTest, WhatImagesHoldIsNotForRingsButAnEighthAlwaysIs) {
    const auto held = publish(pattern(50'000'000, 15));
    start(kBudget);
    ASSERT_EQ(residency(held), Residency::resident);
    find(held)->retain();
    const auto hash = publish(pattern(kTooLarge, 16));
    ASSERT_EQ(residency(hash), Residency::streamed);
    std::vector<Stream*> streams;
    for (int i = 0; i < 40; ++i) streams.push_back(take(hash));
    for (int i = 0; i < 1000 && round(); ++i) continue;
    EXPECT_GE(gauge(Gauge::image_streams_open), kBudget / 8 / Stream::kBytes);
    EXPECT_LT(gauge(Gauge::image_streams_open), 20U);
    EXPECT_LE(gauge(Gauge::image_bytes_resident), kBudget);
    for (Stream* stream : streams) stream->release();
    find(held)->release();
}

TEST_F(StreamTest, AFileIsOpenedAtOnceAndAWaitingTransferKeepsIt) {
    const auto bytes = pattern(kTooLarge, 17);
    const auto hash = publish(bytes);
    start(kBudget);
    ASSERT_EQ(residency(hash), Residency::streamed);
    std::vector<Stream*> streams;
    for (std::size_t i = 0; i <= kBudget / Stream::kBytes; ++i) streams.push_back(take(hash));
    round();
    std::filesystem::remove(image_path(directory(), hash));
    for (std::size_t i = 0; i + 1 < streams.size(); ++i) streams[i]->release();
    EXPECT_TRUE(read(*streams.back(), 0, bytes.size()) == bytes);
    streams.back()->release();
}

TEST_F(StreamTest, WithoutRoomBesideWhatIsInUseItIsStreamedUntilThereIsRoom) {
    const auto held = publish(pattern(40'000'000, 8));
    start(kBudget);
    ASSERT_EQ(residency(held), Residency::resident);
    find(held)->retain();
    const auto bytes = pattern(30'000'000, 9);
    const auto next = publish(bytes);
    round();
    ASSERT_EQ(residency(next), Residency::streamed);
    Stream* const stream = take(next);
    EXPECT_TRUE(read(*stream, 0, 3'000'000) == bytes.substr(0, 3'000'000));
    find(held)->release();
    now_s_ += 60;
    for (int i = 0; i < 100 && find(next)->residency() != Residency::resident; ++i) round();
    EXPECT_EQ(find(next)->residency(), Residency::resident);
    EXPECT_TRUE(read(*stream, 3'000'000, bytes.size()) == bytes.substr(3'000'000))
        << "it goes on as it began";
    stream->release();
}

TEST(StreamTableTest, IsFullSomeTime) {
    const auto table = std::make_unique<StreamTable>();
    for (std::size_t i = 0; i < StreamTable::kStreams; ++i) EXPECT_NE(table->take({}, 1), nullptr);
    EXPECT_EQ(table->take({}, 1), nullptr);
}

}  // namespace
}  // namespace rouse::image
