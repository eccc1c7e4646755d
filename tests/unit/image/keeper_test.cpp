// The store's thread, round by round, on a clock of the test's own.

#include "tests/unit/image/image_fixture.hpp"

#include <sys/resource.h>

namespace rouse::image {
namespace {

class KeeperTest : public KeeperFixture {};

TEST_F(KeeperTest, StagesWhatIsNamed) {
    const auto big = pattern(9'000'001, 1);
    const auto hash = publish(big);
    const auto empty = publish("");
    start(64 << 20);
    EXPECT_EQ(find(hash), nullptr);
    keeper_->round(now_s_);
    ASSERT_NE(find(hash), nullptr);
    EXPECT_EQ(find(hash)->residency(), Residency::pending);
    EXPECT_EQ(find(hash)->size(), big.size());
    rounds();
    ASSERT_EQ(find(hash)->residency(), Residency::resident);
    EXPECT_EQ(text(*find(hash)), big);
    EXPECT_EQ(find(empty)->residency(), Residency::resident);
    EXPECT_TRUE(find(empty)->bytes().empty());
    EXPECT_EQ(gauge(Gauge::images_known), 2U);
    EXPECT_EQ(gauge(Gauge::images_resident), 2U);
    EXPECT_EQ(gauge(Gauge::image_bytes_known), big.size());
    EXPECT_EQ(shared_.followed.load(), environment_->last_transaction());
}

TEST_F(KeeperTest, AFileThatIsCutShortLaterDoesNotMatter) {
    const auto bytes = pattern(300'000, 2);
    const auto hash = publish(bytes);
    start(1 << 20);
    rounds();
    const Image* image = find(hash);
    std::filesystem::resize_file(image_path(directory(), hash), 10);
    EXPECT_EQ(text(*image), bytes);
}

TEST_F(KeeperTest, DamagedShortAndMissingFilesAreUnavailable) {
    const auto good = pattern(100'000, 3);
    auto bad = good;
    bad[77'777] ^= 1;
    const auto damaged = sha256(good);
    write_file(damaged, bad);
    name(damaged, good.size());
    const auto cut = publish(pattern(50'000, 4));
    std::filesystem::resize_file(image_path(directory(), cut), 49'999);
    const auto missing = sha256("never uploaded");
    name(missing, 14);
    start(1 << 20);
    rounds();
    for (const auto& hash : {damaged, cut, missing})
        EXPECT_EQ(find(hash)->residency(), Residency::unavailable);
    EXPECT_NE(reports_.find("damaged"), std::string::npos) << reports_;
    EXPECT_NE(reports_.find("49999 bytes instead of 50000"), std::string::npos) << reports_;
    EXPECT_NE(reports_.find("No such file"), std::string::npos) << reports_;
    EXPECT_EQ(gauge(Gauge::images_unavailable), 3U);
    EXPECT_EQ(gauge(Gauge::image_bytes_resident), 0U);

    write_file(damaged, good);
    rounds();
    EXPECT_EQ(find(damaged)->residency(), Residency::unavailable) << "not read again and again";
    now_s_ += 11;
    rounds();
    EXPECT_EQ(find(damaged)->residency(), Residency::resident);
}

TEST_F(KeeperTest, AFileCutShortWhileItIsReadIsAnError) {
    const auto bytes = pattern(9'000'000, 5);
    const auto hash = publish(bytes);
    start(64 << 20);
    keeper_->round(now_s_);  // the first 4 MiB
    std::filesystem::resize_file(image_path(directory(), hash), 5'000'000);
    rounds();
    EXPECT_EQ(find(hash)->residency(), Residency::unavailable);
    EXPECT_NE(reports_.find("cut short"), std::string::npos) << reports_;
    EXPECT_EQ(gauge(Gauge::image_bytes_resident), 0U);
}

TEST_F(KeeperTest, AnUnnamedImageLivesAsLongAsSomebodyHoldsIt) {
    const auto bytes = pattern(200'000, 6);
    const auto hash = publish(bytes);
    start(1 << 20);
    rounds();
    const Image* image = find(hash);
    image->retain();
    shared_.grace.quiescent(*seat_);
    forget(hash);
    rounds();
    EXPECT_EQ(find(hash), nullptr);
    rounds();
    EXPECT_EQ(text(*image), bytes);
    EXPECT_GT(gauge(Gauge::image_bytes_resident), 0U);
    image->release();
    rounds();
    EXPECT_EQ(gauge(Gauge::image_bytes_resident), 0U);
}

// A name that is re-pointed while its old content is on its way into memory: who asked for it gets it.
TEST_F(KeeperTest, AnUnnamedImageComesForWhoWaitsForIt) {
    const auto bytes = pattern(9'000'000, 8);
    const auto hash = publish(bytes);
    start(64 << 20);
    keeper_->round(now_s_);
    ASSERT_NE(find(hash), nullptr);  // a transfer opens
    forget(hash);
    for (int i = 0; i < 5; ++i) {
        round();
        now_s_ += 1;
        ASSERT_NE(find(hash), nullptr) << "and asks again";
    }
    ASSERT_EQ(find(hash)->residency(), Residency::resident);
    const Image* image = find(hash);
    image->retain();
    shared_.grace.quiescent(*seat_);
    now_s_ += 3;
    rounds();
    EXPECT_EQ(find(hash), nullptr) << "nobody waits any more";
    EXPECT_EQ(text(*image), bytes);
    image->release();
    rounds();
    EXPECT_EQ(gauge(Gauge::image_bytes_resident), 0U);
    EXPECT_EQ(gauge(Gauge::images_known), 0U);
}

TEST_F(KeeperTest, AnUnnamedImageThatNobodyWaitsForAnyMoreIsNotStaged) {
    const auto hash = publish(pattern(9'000'000, 8));
    start(64 << 20);
    keeper_->round(now_s_);
    ASSERT_NE(find(hash), nullptr);
    forget(hash);
    now_s_ += 3;
    rounds();
    EXPECT_EQ(find(hash), nullptr);
    EXPECT_EQ(gauge(Gauge::image_bytes_resident), 0U);
}

TEST_F(KeeperTest, AnImageThatIsNamedAgainWhileItIsWaitedForStays) {
    const auto bytes = pattern(9'000'000, 8);
    const auto hash = publish(bytes);
    start(64 << 20);
    keeper_->round(now_s_);
    ASSERT_NE(find(hash), nullptr);
    forget(hash);
    keeper_->round(now_s_);
    name(hash, bytes.size());
    rounds();
    now_s_ += 60;
    rounds();
    ASSERT_NE(find(hash), nullptr);
    EXPECT_EQ(text(*find(hash)), bytes);
}

// scripts/setup reserves some.
TEST_F(KeeperTest, LargeImagesLieOnHugePagesWhereThereAreAny) {
    std::ifstream file("/proc/meminfo");
    std::uint64_t free_pages = 0;
    for (std::string key, rest; file >> key; std::getline(file, rest))
        if (key == "HugePages_Free:") file >> free_pages;
    if (free_pages < 2) GTEST_SKIP() << "no huge pages are free: vm.nr_hugepages";
    const auto bytes = pattern(2'500'000, 36);
    const auto hash = publish(bytes);
    const auto small = publish(pattern(1000, 37));
    start(64 << 20);
    rounds();
    ASSERT_EQ(find(hash)->residency(), Residency::resident);
    EXPECT_TRUE(find(hash)->is_huge());
    EXPECT_FALSE(find(small)->is_huge());
    EXPECT_EQ(text(*find(hash)), bytes);
    EXPECT_EQ(gauge(Gauge::image_bytes_huge), std::uint64_t{4} << 20);
}

TEST_F(KeeperTest, AnUnnamedImageLivesUntilEveryWorkerLookedAway) {
    const auto bytes = pattern(200'000, 7);
    const auto hash = publish(bytes);
    start(1 << 20);
    rounds();
    const Image* image = find(hash);  // found, not retained, and no quiescent point since
    forget(hash);
    for (int i = 0; i < 10; ++i) keeper_->round(now_s_);
    EXPECT_EQ(text(*image), bytes);
    EXPECT_GT(gauge(Gauge::image_bytes_resident), 0U);
    shared_.grace.quiescent(*seat_);
    keeper_->round(now_s_);
    EXPECT_EQ(gauge(Gauge::image_bytes_resident), 0U);
}

TEST_F(KeeperTest, WhatIsAskedForComesFirst) {
    std::vector<store::Sha256> others;
    for (unsigned i = 0; i < 20; ++i) others.push_back(publish(pattern(1'000'000, 10 + i)));
    const auto wanted = publish(pattern(6'000'000, 9));
    start(64 << 20);
    keeper_->round(now_s_);
    const Image* image = find(wanted);  // asks for it
    ASSERT_NE(image, nullptr);
    keeper_->round(now_s_);
    keeper_->round(now_s_);
    EXPECT_EQ(image->residency(), Residency::resident);
    std::size_t pending = 0;
    for (const auto& hash : others)
        pending += shared_.catalogue.load()->find(ImageId::of(hash))->residency() == Residency::pending;
    EXPECT_GE(pending, 19U);
}

TEST_F(KeeperTest, WithinTheBudgetWhatIsAskedForDisplacesWhatIsIdle) {
    const auto old = publish(pattern(400'000, 30));
    const auto held = publish(pattern(400'001, 31));
    start(1'000'000);
    rounds();
    find(old);
    find(held)->retain();
    const auto next = publish(pattern(500'000, 32));
    rounds();
    EXPECT_EQ(shared_.catalogue.load()->find(ImageId::of(next))->residency(), Residency::pending)
        << "nobody asked for it";
    EXPECT_EQ(find(next)->residency(), Residency::pending);
    rounds();
    EXPECT_EQ(find(next)->residency(), Residency::pending) << "the others were used just now";
    now_s_ += 6;
    rounds();
    EXPECT_EQ(find(next)->residency(), Residency::resident);
    EXPECT_EQ(shared_.catalogue.load()->find(ImageId::of(old))->residency(), Residency::pending);
    EXPECT_EQ(shared_.catalogue.load()->find(ImageId::of(held))->residency(), Residency::resident);
    EXPECT_EQ(gauge(Gauge::images_displaced), 1U);
    EXPECT_LE(gauge(Gauge::image_bytes_resident), 1'000'000U);
}

TEST_F(KeeperTest, LargerThanTheWholeBudgetIsUnavailableAndSaysWhatToDo) {
    const auto hash = publish(pattern(2'000'000, 33));
    const auto small = publish(pattern(1000, 34));
    start(1'000'000);
    rounds();
    EXPECT_EQ(find(hash)->residency(), Residency::unavailable);
    EXPECT_EQ(find(small)->residency(), Residency::resident);
    EXPECT_NE(reports_.find("staging_mib"), std::string::npos);
}

TEST_F(KeeperTest, ARecordOfAnotherSizeIsAnotherImage) {
    const auto bytes = pattern(1000, 35);
    const auto hash = publish(bytes);
    start(1 << 20);
    rounds();
    name(hash, 1001);
    rounds();
    EXPECT_EQ(find(hash)->residency(), Residency::unavailable);
}

TEST(SealedMemoryTest, CannotBeWrittenAnyMore) {
    auto memory = SealedMemory::allocate(10'000);
    ASSERT_TRUE(memory) << memory.error().message;
    memory->room()[9'999] = std::byte{7};
    ASSERT_TRUE(memory->seal());
    EXPECT_EQ(memory->bytes()[9'999], std::byte{7});
    EXPECT_DEATH(const_cast<std::byte&>(memory->bytes()[0]) = std::byte{1}, "");
}

TEST(SealedMemoryTest, TooMuchIsAnErrorAndNotASignal) {
    // Should it try after all, this limit kills the test and not the host.
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit low{std::size_t{1} << 30, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &low);
    const auto memory = SealedMemory::allocate(std::size_t{1} << 46);
    setrlimit(RLIMIT_FSIZE, &before);
    ASSERT_FALSE(memory);
    EXPECT_NE(memory.error().message.find("staging_mib"), std::string::npos);
}

}  // namespace
}  // namespace rouse::image
