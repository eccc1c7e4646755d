// The thread and the workers together; meant for the thread sanitizer.

#include "tests/unit/image/image_fixture.hpp"

#include <chrono>
#include <random>
#include <thread>

namespace rouse::image {
namespace {

using namespace std::chrono_literals;

class ImageStoreTest : public ImageTest {};

const Image* wait_for(ImageStore::Reader& reader, const store::Sha256& hash) {
    for (int i = 0; i < 5000; ++i) {
        const Image* image = reader.find(ImageId::of(hash));
        if (image != nullptr && image->residency() != Residency::pending) return image;
        reader.quiescent();
        std::this_thread::sleep_for(1ms);
    }
    return nullptr;
}

TEST_F(ImageStoreTest, FollowsTheStore) {
    ImageStore store(*environment_, tables_, {.directory = directory(), .budget_bytes = 8 << 20});
    auto reader = store.reader();
    ASSERT_TRUE(reader);
    const auto bytes = pattern(123'456, 1);
    const auto hash = publish(bytes);
    const Image* image = wait_for(*reader, hash);
    ASSERT_NE(image, nullptr);
    EXPECT_EQ(text(*image), bytes);
    EXPECT_EQ(reader->followed(), environment_->last_transaction());
}

TEST_F(ImageStoreTest, HasASeatForEveryWorkerAndNoMore) {
    ImageStore store(*environment_, tables_, {.directory = directory(), .budget_bytes = 1 << 20});
    std::vector<ImageStore::Reader> readers;
    for (std::size_t i = 0; i < kMaxWorkers; ++i) readers.push_back(std::move(*store.reader()));
    EXPECT_FALSE(store.reader());
    readers.pop_back();
    EXPECT_TRUE(store.reader());
}

// Images come and go, the budget holds a few of them only, and workers read what they find: always right.
TEST_F(ImageStoreTest, WorkersReadRightBytesWhileImagesComeAndGo) {
    constexpr unsigned kImages = 12;
    std::vector<std::string> contents;
    std::vector<store::Sha256> hashes;
    for (unsigned i = 0; i < kImages; ++i) {
        contents.push_back(pattern(20'000 + i, i));
        hashes.push_back(publish(contents.back()));
    }
    ImageStore store(*environment_, tables_, {.directory = directory(), .budget_bytes = 200'000});
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> reads{0};
    std::atomic<std::uint64_t> wrong{0};
    const auto work = [&](unsigned seed) {
        auto reader = store.reader();
        std::mt19937 random(seed);
        const Image* held = nullptr;
        unsigned held_index = 0;
        while (!stop) {
            const auto index = static_cast<unsigned>(random() % kImages);
            const Image* image = reader->find(ImageId::of(hashes[index]));
            if (image != nullptr && image->residency() == Residency::resident) {
                wrong += text(*image) != contents[index];
                ++reads;
                if (held == nullptr) {
                    image->retain();
                    held = image;
                    held_index = index;
                }
            }
            reader->quiescent();
            if (held != nullptr && random() % 4 == 0) {
                wrong += text(*held) != contents[held_index];
                held->release();
                held = nullptr;
            }
        }
        if (held != nullptr) held->release();
    };
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < 3; ++i) workers.emplace_back(work, i);
    std::mt19937 random(42);
    const auto end = std::chrono::steady_clock::now() + 1500ms;
    while (std::chrono::steady_clock::now() < end) {
        const auto& hash = hashes[random() % kImages];
        forget(hash);
        std::this_thread::sleep_for(3ms);
        name(hash,
             contents[static_cast<std::size_t>(std::ranges::find(hashes, hash) - hashes.begin())].size());
        std::this_thread::sleep_for(3ms);
    }
    stop = true;
    workers.clear();
    EXPECT_GT(reads, 100U);
    EXPECT_EQ(wrong, 0U);
}

// The thread fills rings while workers read them at their own pace, go back within a window, and leave early.
TEST_F(ImageStoreTest, WorkersReadRightBytesFromStreamsWhileTheyAreFilled) {
    constexpr std::uint64_t kBudget = std::uint64_t{64} << 20;
    const auto bytes = pattern(60'000'000, 77);  // more than seven eighths of it
    const auto hash = publish(bytes);
    ImageStore store(*environment_, tables_, {.directory = directory(), .budget_bytes = kBudget});
    std::atomic<std::uint64_t> whole{0};
    std::atomic<std::uint64_t> wrong{0};
    const auto transfer = [&](unsigned seed) {
        auto reader = store.reader();
        std::mt19937 random(seed);
        const Image* image = wait_for(*reader, hash);
        ASSERT_TRUE(image != nullptr && image->residency() == Residency::streamed);
        image->retain();
        Stream* const stream = reader->open_stream(*image);
        ASSERT_NE(stream, nullptr);
        const std::uint64_t end = seed % 3 == 0 ? bytes.size() : bytes.size() / 8;
        std::vector<std::byte> block(65'000);
        const auto deadline = std::chrono::steady_clock::now() + 120s;
        std::uint64_t farthest = 0;  // back from there, not from where it went back to before
        for (std::uint64_t at = 0; at < end && std::chrono::steady_clock::now() < deadline;) {
            if (at > Stream::kBehind && random() % 64 == 0) at = farthest - random() % (Stream::kBehind / 2);
            const auto out = std::span(block).first(std::min<std::uint64_t>(1 + random() % 65'000, end - at));
            const ReadResult result = stream->read(at, out);
            reader->quiescent();
            if (result == ReadResult::later) {
                std::this_thread::yield();
                continue;
            }
            wrong +=
                result != ReadResult::done || std::memcmp(out.data(), bytes.data() + at, out.size()) != 0;
            farthest = std::max(farthest, at);
            at += out.size();
            if (at == end) ++whole;
        }
        stream->release();
        image->release();
    };
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < 6; ++i) workers.emplace_back(transfer, i);
    workers.clear();
    EXPECT_EQ(whole, 6U);
    EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace rouse::image
