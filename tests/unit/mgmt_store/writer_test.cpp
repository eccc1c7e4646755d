#include "mgmt/store/writer.hpp"

#include "mgmt/store/failure.hpp"
#include "shared/endian.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace rouse::store {
namespace {

class WriterTest : public StoreTest {
  protected:
    static Result<void> put(Batch& batch, std::uint64_t key) {
        return batch.put(batch.tables().rendered, bytes_of(be64(key)), bytes_of(std::string_view("x")));
    }
    bool has(std::uint64_t key) {
        return (*store_->snapshot()->txn().get(store_->tables().rendered, bytes_of(be64(key)))).has_value();
    }
    std::size_t stored() { return *store_->snapshot()->txn().count(store_->tables().rendered); }
};

TEST_F(WriterTest, AResultMeansDurable) {
    ASSERT_TRUE(writer_->run([](Batch& batch) { return put(batch, 1); }));
    EXPECT_TRUE(has(1));
    EXPECT_EQ(writer_->statistics().operations, 1U);
    EXPECT_EQ(writer_->statistics().commits, 1U);
}

TEST_F(WriterTest, ARefusalKeepsItsKindAndChangesNothing) {
    const auto refused =
        writer_->run([](Batch&) -> Outcome<int> { return refuse(Failure::Kind::conflict, "taken", "/mac"); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Failure::Kind::conflict);
    EXPECT_EQ(refused.error().pointer, "/mac");
    EXPECT_EQ(writer_->statistics().commits, 0U);
}

TEST_F(WriterTest, FailingAfterAWriteLeavesNothing) {
    const auto failed = writer_->run([](Batch& batch) -> Result<void> {
        if (auto written = put(batch, 1); !written) return written;
        return fail("changed my mind");
    });
    ASSERT_FALSE(failed);
    EXPECT_EQ(stored(), 0U);
}

TEST_F(WriterTest, AnExceptionIsAFailureOfThatOperationAlone) {
    const auto failed = writer_->run([](Batch& batch) -> Outcome<void> {
        if (auto written = put(batch, 1); !written) return pass_on(written.error());
        throw std::runtime_error("surprise");
    });
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().message.find("surprise"), std::string::npos);
    EXPECT_EQ(failed.error().kind, Failure::Kind::store);
    EXPECT_TRUE(writer_->run([](Batch& batch) { return put(batch, 2); }));
    EXPECT_EQ(stored(), 1U);
}

TEST_F(WriterTest, AFullMapFailsClearlyAndTheWriterLives) {
    writer_.reset();
    store_.reset();
    store_ = open_store(directory_.path() + "/small", std::size_t{1} << 20);
    writer_ = std::make_unique<Writer>(*store_);
    ASSERT_TRUE(writer_->run([](Batch& batch) { return put(batch, 1); }));
    const std::string big(std::size_t{2} << 20, 'x');
    const auto full = writer_->run([&big](Batch& batch) -> Result<void> {
        return batch.put(batch.tables().rendered, bytes_of(be64(2)), bytes_of(big));
    });
    ASSERT_FALSE(full);
    EXPECT_NE(full.error().message.find("store.map_size_gib"), std::string::npos);
    ASSERT_TRUE(writer_->run([](Batch& batch) { return put(batch, 3); }));
    EXPECT_TRUE(has(1) && has(3) && !has(2));
}

// Eight threads, every third operation fails: before writing, after writing, or by an exception. What was
// acknowledged is there, what failed is not, and a counter that all of them raise has no gap.
TEST_F(WriterTest, GoodOperationsSurviveBadNeighbours) {
    constexpr std::uint64_t kWriters = 8;
    constexpr std::uint64_t kEach = 600;
    std::atomic<std::uint64_t> succeeded{0};
    std::atomic<bool> wrong{false};
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < kWriters; ++t)
        threads.emplace_back([&, t] {
            for (std::uint64_t i = 0; i < kEach; ++i) {
                const std::uint64_t key = t * kEach + i;
                const auto kind = (key * 7919) % 9;
                const auto result = writer_->run([key, kind](Batch& batch) -> Result<std::uint64_t> {
                    if (kind == 0) return fail("before");
                    if (auto written = put(batch, key); !written) return tl::unexpected(written.error());
                    if (kind == 1) return fail("after");
                    if (kind == 2) throw std::runtime_error("thrown");
                    return batch.next_number("test");
                });
                if (result.has_value() != (kind > 2) || (result && !has(key))) wrong = true;
                if (result) ++succeeded;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_FALSE(wrong);
    EXPECT_EQ(stored(), succeeded);
    EXPECT_EQ(*writer_->run([](Batch& batch) { return batch.next_number("test"); }), succeeded + 1);
    EXPECT_EQ(writer_->statistics().operations, succeeded + 1);
    EXPECT_EQ(writer_->statistics().failures, kWriters * kEach - succeeded);
    EXPECT_LT(writer_->statistics().commits, succeeded) << "no commit was ever shared";
}

TEST_F(WriterTest, CoroutinesResumeOnTheirOwnThread) {
    boost::asio::io_context io;
    int finished = 0;
    const auto main_thread = std::this_thread::get_id();
    for (std::uint64_t i = 0; i < 200; ++i)
        boost::asio::co_spawn(
            io,
            [&, i]() -> boost::asio::awaitable<void> {
                const std::string text = std::to_string(i);
                const auto result = co_await writer_->submit([&, i](Batch& batch) -> Outcome<std::string> {
                    if (i % 10 == 0) return refuse(Failure::Kind::invalid, "no " + text);
                    if (auto written = put(batch, i); !written) return pass_on(written.error());
                    return text;
                });
                EXPECT_EQ(std::this_thread::get_id(), main_thread);
                EXPECT_EQ(result.has_value(), i % 10 != 0);
                EXPECT_EQ(result ? *result : result.error().message, result ? text : "no " + text);
                ++finished;
            },
            boost::asio::detached);
    io.run();
    EXPECT_EQ(finished, 200);
    EXPECT_EQ(stored(), 180U);
    EXPECT_LT(writer_->statistics().commits, 180U);
}

TEST_F(WriterTest, StoppingFinishesWhatWasSubmitted) {
    boost::asio::io_context io;
    for (std::uint64_t i = 0; i < 50; ++i)
        boost::asio::co_spawn(
            io,
            [&, i]() -> boost::asio::awaitable<void> {
                co_await writer_->submit([i](Batch& batch) { return put(batch, i); });
            },
            boost::asio::detached);
    io.poll();  // submits all, waits for none
    writer_.reset();
    EXPECT_EQ(stored(), 50U);
    io.run();
}

}  // namespace
}  // namespace rouse::store
