#include "mgmt/store/change_hub.hpp"

#include "mgmt/store/documents.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace rouse::store {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

class ChangeHubTest : public StoreTest {
  protected:
    void add(const std::string& name) {
        const auto made = writer_->run([&name](Batch& batch) {
            return insert(batch, kClusters, {{"name", name}});
        });
        if (!made) throw std::runtime_error(made.error().message);
    }
    void wait(std::uint64_t after, std::chrono::milliseconds longest, std::optional<bool>& outcome) {
        asio::co_spawn(
            io_,
            [&hub = writer_->changes(), after, longest, &outcome]() -> asio::awaitable<void> {
                outcome = co_await hub.wait(after, longest);
            },
            asio::detached);
    }
    asio::io_context io_;
};

TEST_F(ChangeHubTest, ListenersHearOfEveryCommitUntilTheyLeave) {
    std::vector<std::uint64_t> first;
    std::vector<std::uint64_t> second;
    const auto hear = [](std::vector<std::uint64_t>& into) {
        return [&into](std::span<const Change> changes) {
            for (const Change& change : changes) into.push_back(change.sequence);
        };
    };
    const auto stays = writer_->changes().subscribe(hear(first));
    {
        auto leaves = writer_->changes().subscribe(hear(second));
        add("a");
        leaves = {};
        add("b");
    }
    EXPECT_EQ(first, (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(second, (std::vector<std::uint64_t>{1}));
    EXPECT_EQ(writer_->changes().last(), 2U);
}

TEST_F(ChangeHubTest, AWaitEndsWithAChangeAndNotBefore) {
    std::optional<bool> outcome;
    wait(0, 10s, outcome);
    std::thread writing([this] {
        std::this_thread::sleep_for(20ms);
        add("a");
    });
    const auto began = std::chrono::steady_clock::now();
    io_.run();
    writing.join();
    EXPECT_EQ(outcome, true);
    EXPECT_GE(std::chrono::steady_clock::now() - began, 20ms);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST_F(ChangeHubTest, WhatIsThereAlreadyIsNotWaitedFor) {
    add("a");
    std::optional<bool> outcome;
    wait(0, 10s, outcome);
    const auto began = std::chrono::steady_clock::now();
    io_.run();
    EXPECT_EQ(outcome, true);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST_F(ChangeHubTest, WaitsEndWithTheirTimeOrTheProcess) {
    std::optional<bool> brief;
    std::optional<bool> waiting;
    std::optional<bool> late;
    wait(0, 5ms, brief);
    wait(0, 10s, waiting);
    std::thread closing([this] {
        std::this_thread::sleep_for(30ms);
        writer_->changes().close();
    });
    const auto began = std::chrono::steady_clock::now();
    io_.run();
    closing.join();
    EXPECT_EQ(brief, false);
    EXPECT_EQ(waiting, false);
    wait(0, 10s, late);
    io_.restart();
    io_.run();
    EXPECT_EQ(late, false);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

}  // namespace
}  // namespace rouse::store
