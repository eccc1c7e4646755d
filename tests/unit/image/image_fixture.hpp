#pragma once
// A store with table `images` and a directory of image files, both in a directory of the test's own.

#include "dataplane/image/keeper.hpp"
#include "shared/store/tables.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <openssl/sha.h>
#include <unistd.h>

namespace rouse::image {

inline store::Sha256 sha256(const std::string& bytes) {
    store::Sha256 hash{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
    return hash;
}

inline std::string pattern(std::size_t size, unsigned seed) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<char>((i * 2654435761U + seed * 40503U) >> 11);
    return bytes;
}

inline std::string text(const Image& image) {
    return {reinterpret_cast<const char*>(image.bytes().data()), image.bytes().size()};
}

class ImageTest : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
        root_ = std::filesystem::temp_directory_path() /
                ("rouse-image-" + std::string(info->name()) + std::to_string(::getpid()));
        std::filesystem::remove_all(root_);
        std::filesystem::create_directories(root_ / "images");
        auto environment = store::Environment::open(
            root_ / "lmdb", {.access = store::Access::read_write, .map_bytes = 64 << 20});
        ASSERT_TRUE(environment) << environment.error().message;
        environment_.emplace(std::move(*environment));
        auto txn = environment_->begin(store::Access::read_write);
        ASSERT_TRUE(txn);
        auto tables = store::Tables::open(*txn, true);
        ASSERT_TRUE(tables && txn->commit());
        tables_ = *tables;
    }
    void TearDown() override {
        environment_.reset();
        std::filesystem::remove_all(root_);
    }

    void write_file(const store::Sha256& hash, const std::string& bytes) {
        std::ofstream(image_path(directory(), hash), std::ios::binary) << bytes;
    }
    // As the management plane publishes an image: the file first, then its record.
    store::Sha256 publish(const std::string& bytes) {
        const auto hash = sha256(bytes);
        write_file(hash, bytes);
        name(hash, bytes.size());
        return hash;
    }
    void name(const store::Sha256& hash, std::uint64_t size) {
        auto txn = environment_->begin(store::Access::read_write);
        store::ImageRecord record;
        record.size = size;
        ASSERT_TRUE(txn->put(tables_.images, store::bytes_of(hash), store::bytes_of(record)));
        ASSERT_TRUE(txn->commit());
    }
    void forget(const store::Sha256& hash) {
        auto txn = environment_->begin(store::Access::read_write);
        ASSERT_TRUE(txn->remove(tables_.images, store::bytes_of(hash)));
        ASSERT_TRUE(txn->commit());
    }
    [[nodiscard]] std::string directory() const { return root_ / "images"; }

    std::filesystem::path root_;
    std::optional<store::Environment> environment_;
    store::Tables tables_{};
};

// The store's thread by hand, on a clock of the test's own, and one worker.
class KeeperFixture : public ImageTest {
  protected:
    void start(std::uint64_t budget) {
        keeper_ = std::make_unique<Keeper>(
            shared_, *environment_, tables_,
            ImageStore::Options{.directory = directory(),
                                .budget_bytes = budget,
                                .counters = counters_.get(),
                                .report = [this](const std::string& text) { reports_ += text + "\n"; }});
        seat_ = shared_.grace.take_seat();
    }
    void TearDown() override {
        keeper_.reset();
        ImageTest::TearDown();
    }
    bool round() {
        const bool more = keeper_->round(now_s_);
        shared_.grace.quiescent(*seat_);
        return more;
    }
    // Until there is nothing left to do.
    void rounds() {
        for (int i = 0, idle = 0; i < 1000 && idle < 2; ++i) idle = round() ? 0 : idle + 1;
    }
    // As ImageStore::Reader has it.
    const Image* find(const store::Sha256& hash) {
        const Image* image = shared_.catalogue.load()->find(ImageId::of(hash));
        if (image != nullptr) image->touch(now_s_);
        return image;
    }
    [[nodiscard]] std::uint64_t gauge(Gauge gauge) const { return counters_->get(gauge); }

    std::unique_ptr<CountersLayout> counters_ = std::make_unique<CountersLayout>();
    ImageStore::Shared shared_;
    std::unique_ptr<Keeper> keeper_;
    GracePeriod::Seat* seat_ = nullptr;
    std::uint64_t now_s_ = 100;
    std::string reports_;
};

}  // namespace rouse::image
