// kill -9 of the writing process at random instants: every acknowledged write is there, no half write.

#include "mgmt/store/documents.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rouse::store {
namespace {

constexpr int kThreads = 4;

struct Acknowledged {
    std::uint32_t number;
};

// Inserts machines as fast as it can and writes each acknowledged number to PIPE; ends only by a signal.
[[noreturn]] void write_until_killed(const std::string& directory, int pipe, std::uint32_t round) {
    auto store = open_store(directory);
    Writer writer(*store);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
            for (std::uint32_t i = 0;; ++i) {
                const Acknowledged done{round << 24 | static_cast<std::uint32_t>(t) << 20 | i};
                const std::string name = std::to_string(done.number);
                const auto made = writer.run([&name](Batch& batch) {
                    return insert(batch, kMachines, {{"hostname", "n" + name}, {"mac", name}});
                });
                if (!made || ::write(pipe, &done, sizeof done) != sizeof done) _exit(1);
            }
        });
    for (;;) pause();
}

std::vector<Acknowledged> run_and_kill(const std::string& directory, std::uint32_t round,
                                       std::chrono::microseconds life) {
    int pipes[2];
    EXPECT_EQ(::pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
        ::close(pipes[0]);
        write_until_killed(directory, pipes[1], round);
    }
    ::close(pipes[1]);
    std::vector<Acknowledged> acknowledged;
    Acknowledged next{};
    // The first acknowledgement shows that the child is in the middle of it.
    if (::read(pipes[0], &next, sizeof next) == sizeof next) acknowledged.push_back(next);
    std::thread killer([child, life] {
        std::this_thread::sleep_for(life);
        ::kill(child, SIGKILL);
    });
    while (::read(pipes[0], &next, sizeof next) == sizeof next) acknowledged.push_back(next);
    killer.join();
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    ::close(pipes[0]);
    return acknowledged;
}

TEST(WriterCrash, AcknowledgedWritesSurviveAndNothingIsHalfDone) {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/lmdb";
    std::mt19937 random(std::random_device{}());
    std::size_t total = 0;
    for (std::uint32_t round = 0; round < 25; ++round) {
        const auto acknowledged = run_and_kill(path, round, std::chrono::microseconds(random() % 60'000));
        ASSERT_FALSE(acknowledged.empty());
        total += acknowledged.size();

        const auto store = open_store(path);
        const auto snapshot = store->snapshot();
        for (const auto& done : acknowledged) {
            const auto found = find_by(*snapshot, kMachines, kMachineByMac, std::to_string(done.number));
            ASSERT_TRUE(found && *found) << "lost " << done.number;
        }
        // mac, hostname, scoped hostname, unplaced: every document with all of its index entries.
        const std::size_t machines = *count(*snapshot, kMachines);
        EXPECT_EQ(*snapshot->txn().count(store->own().indices), 4 * machines);
        EXPECT_GE(machines, total);
        // At most one operation of each thread and round was committed and not yet acknowledged.
        EXPECT_LE(machines, total + std::size_t{kThreads} * (round + 1));
    }
}

}  // namespace
}  // namespace rouse::store
