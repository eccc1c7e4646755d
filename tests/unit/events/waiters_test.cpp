#include "mgmt/events/waiters.hpp"

#include "shared/clock.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace rouse::events {
namespace {

namespace asio = boost::asio;

class WaitersTest : public ::testing::Test {
  protected:
    // Waits on its own and leaves what it was told.
    void wait(asio::io_context& io, store::Id machine, std::uint64_t after, std::uint64_t until_ns) {
        asio::co_spawn(
            io,
            [this, machine, after, until_ns]() -> asio::awaitable<void> {
                const bool grew = co_await waiters_.wait(machine, after, until_ns);
                ++(grew ? grew_ : timed_out_);
            },
            asio::detached);
    }
    std::atomic<std::uint64_t> stored_{0};
    Waiters waiters_{[this](const store::Id&) { return stored_.load(); }};
    std::atomic<int> grew_{0};
    std::atomic<int> timed_out_{0};
    store::Id machine_ = store::Id::make();
};

TEST_F(WaitersTest, WakesWhoWaitsForThatMachineAndSequence) {
    asio::io_context io;
    wait(io, machine_, 5, UINT64_MAX);
    wait(io, machine_, 9, UINT64_MAX);
    wait(io, store::Id::make(), 0, UINT64_MAX);
    io.poll();
    EXPECT_EQ(waiters_.size(), 3U);
    waiters_.publish(machine_, 5);
    EXPECT_EQ(waiters_.size(), 3U);
    waiters_.publish(machine_, 6);
    io.poll();
    EXPECT_EQ(grew_, 1);
    EXPECT_EQ(waiters_.size(), 2U);
    waiters_.close();
    io.run();
    EXPECT_EQ(timed_out_, 2);
}

TEST_F(WaitersTest, WhatIsInTheStoreAlreadyIsNotWaitedFor) {
    asio::io_context io;
    stored_ = 7;
    wait(io, machine_, 6, UINT64_MAX);
    io.run();
    EXPECT_EQ(grew_, 1);
    EXPECT_EQ(waiters_.size(), 0U);
}

TEST_F(WaitersTest, TheirTimeEnds) {
    asio::io_context io;
    wait(io, machine_, 0, 1000);
    wait(io, machine_, 0, 2000);
    io.poll();
    waiters_.expire(999);
    EXPECT_EQ(waiters_.size(), 2U);
    waiters_.expire(1000);
    io.poll();
    EXPECT_EQ(timed_out_, 1);
    waiters_.expire(2000);
    io.run();
    EXPECT_EQ(timed_out_, 2);
}

TEST_F(WaitersTest, NobodyWaitsOnceClosed) {
    asio::io_context io;
    waiters_.close();
    wait(io, machine_, 0, UINT64_MAX);
    io.run();
    EXPECT_EQ(timed_out_, 1);
}

TEST_F(WaitersTest, AnIoContextMayEndWithWaitersInIt) {
    auto io = std::make_unique<asio::io_context>();
    wait(*io, machine_, 0, UINT64_MAX);
    io->poll();
    EXPECT_EQ(waiters_.size(), 1U);
    waiters_.close();  // posts; nobody runs it any more
    io.reset();
    EXPECT_EQ(grew_ + timed_out_, 0);
}

TEST_F(WaitersTest, ManyThreadsLoseNoWakeUp) {
    asio::io_context io;
    auto work = asio::make_work_guard(io);
    constexpr int kCoroutines = 50;
    constexpr std::uint64_t kLast = 200;
    std::atomic<int> done{0};
    for (int i = 0; i < kCoroutines; ++i)
        asio::co_spawn(
            io,
            [&]() -> asio::awaitable<void> {
                // Each follows the timeline from its beginning to its end.
                for (std::uint64_t seen = 0; seen < kLast; seen = stored_.load())
                    static_cast<void>(co_await waiters_.wait(machine_, seen, UINT64_MAX));
                ++done;
            },
            asio::detached);
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) threads.emplace_back([&] { io.run(); });
    for (std::uint64_t i = 1; i <= kLast; ++i) {
        stored_ = i;
        waiters_.publish(machine_, i);
        if (i % 10 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (done < kCoroutines && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(done, kCoroutines);
    waiters_.close();
    work.reset();
    io.stop();
    for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace rouse::events
