// The table of sessions, its lists and its wheel, each against a simple model.

#include "dataplane/tftp/session.hpp"
#include "dataplane/tftp/token_bucket.hpp"

#include <list>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace rouse::tftp {
namespace {

struct Route {
    std::array<std::byte, kMaxRouteBytes> header{};
};

SessionKey key_of(std::uint32_t n) {
    return {Ipv4Address::from_host(0x0a000001), Ipv4Address::from_host(0x0a4d0000 + n / 7),
            static_cast<std::uint16_t>(n % 7 + 1024)};
}

TEST(SessionTable, ASessionIsFourCacheLines) {
    EXPECT_EQ(sizeof(Session<Route>), 256U);
    EXPECT_EQ(alignof(Session<Route>), 64U);
}

// Full, half empty, full again, many times: everything is found, nothing else is, and the table does not
// decay.
TEST(SessionTable, RandomInsertionAndDeletionAgainstAMap) {
    constexpr std::uint32_t kCapacity = 500;
    SessionTable<Route> table(kCapacity, 99);
    std::map<std::uint32_t, std::uint32_t> model;  // key number, session
    std::vector<std::uint32_t> unused;
    for (std::uint32_t i = 0; i < kCapacity; ++i) unused.push_back(i);
    std::mt19937 random(5);
    for (int step = 0; step < 200'000; ++step) {
        const auto n = static_cast<std::uint32_t>(random() % 1000);
        const auto found = model.find(n);
        ASSERT_EQ(table.find(key_of(n)), found == model.end() ? SessionTable<Route>::kNone : found->second);
        if (found != model.end()) {
            table.erase(found->second);
            unused.push_back(found->second);
            model.erase(found);
        } else if (!unused.empty()) {
            const std::uint32_t index = unused.back();
            unused.pop_back();
            table[index].key = key_of(n);
            table.insert(index);
            model[n] = index;
        }
    }
    for (std::uint32_t n = 0; n < 1000; ++n)
        EXPECT_EQ(table.find(key_of(n)) != SessionTable<Route>::kNone, model.contains(n));
}

TEST(SessionTable, OfOneOrNoSession) {
    SessionTable<Route> table(0, 1);
    EXPECT_EQ(table.capacity(), 1U);
    EXPECT_EQ(table.find(key_of(1)), SessionTable<Route>::kNone);
    table[0].key = key_of(1);
    table.insert(0);
    EXPECT_EQ(table.find(key_of(1)), 0U);
    table.erase(0);
    EXPECT_EQ(table.find(key_of(1)), SessionTable<Route>::kNone);
}

TEST(IndexLists, AgainstStandardLists) {
    constexpr std::uint32_t kNodes = 50;
    constexpr std::uint32_t kLists = 4;
    IndexLists lists(kNodes, kLists);
    std::array<std::list<std::uint32_t>, kLists> model;
    std::array<std::uint32_t, kNodes> where;
    where.fill(kLists);
    std::mt19937 random(11);
    for (int step = 0; step < 100'000; ++step) {
        const auto node = static_cast<std::uint32_t>(random() % kNodes);
        const auto list = static_cast<std::uint32_t>(random() % kLists);
        const auto other = static_cast<std::uint32_t>((list + 1 + random() % (kLists - 1)) % kLists);
        switch (random() % 8) {
            case 0:
                lists.splice(list, other);
                for (const auto moved : model[other]) where[moved] = list;
                model[list].splice(model[list].end(), model[other]);
                break;
            case 1:
            case 2:
            case 3:
                lists.remove(node);
                if (where[node] < kLists) model[where[node]].remove(node);
                where[node] = kLists;
                break;
            default:
                if (where[node] < kLists) break;
                lists.push_back(list, node);
                model[list].push_back(node);
                where[node] = list;
        }
        ASSERT_EQ(lists.linked(node), where[node] < kLists);
        for (std::uint32_t i = 0; i < kLists; ++i) {
            ASSERT_EQ(lists.empty(i), model[i].empty());
            if (model[i].empty()) continue;
            ASSERT_EQ(lists.front(i), model[i].front());
        }
    }
}

// Deadlines that are moved back and forth, time that jumps, across the wrap of the clock: every timer goes
// off in the first turn at or after its deadline, once.
TEST(TimerWheel, AgainstASet) {
    constexpr std::uint32_t kNodes = 100;
    TimerWheel wheel(kNodes);
    std::array<Timer, kNodes> timers{};
    std::map<std::uint32_t, Tick> model;
    std::mt19937 random(13);
    Tick now = ~Tick{0} - 20'000;
    for (int step = 0; step < 50'000; ++step) {
        const auto node = static_cast<std::uint32_t>(random() % kNodes);
        if (random() % 4 == 0) {
            wheel.disarm(node, timers[node]);
            model.erase(node);
        } else {
            const Tick deadline = now + 1 + static_cast<Tick>(random() % (random() % 8 == 0 ? 20'000 : 100));
            wheel.arm(node, timers[node], deadline);
            model[node] = deadline;
        }
        now += static_cast<Tick>(random() % (random() % 500 == 0 ? 9000 : 3));
        std::set<std::uint32_t> gone_off;
        wheel.turn(
            now, 10'000, [&](std::uint32_t n) -> Timer& { return timers[n]; },
            [&](std::uint32_t n) { ASSERT_TRUE(gone_off.insert(n).second); });
        std::set<std::uint32_t> due;
        std::erase_if(model, [&](const auto& entry) {
            if (is_before(now, entry.second)) return false;
            due.insert(entry.first);
            return true;
        });
        ASSERT_EQ(gone_off, due) << "step " << step;
    }
}

TEST(TimerWheel, ATurnLooksAtSoManyAndTheNextAtTheRest) {
    TimerWheel wheel(1000);
    std::vector<Timer> timers(1000);
    for (std::uint32_t i = 0; i < 1000; ++i) wheel.arm(i, timers[i], 50);
    std::size_t gone_off = 0;
    const auto turn = [&] {
        wheel.turn(
            60, 300, [&](std::uint32_t n) -> Timer& { return timers[n]; },
            [&](std::uint32_t) { ++gone_off; });
        return gone_off;
    };
    EXPECT_EQ(turn(), 300U);
    EXPECT_EQ(turn(), 600U);
    EXPECT_EQ(turn(), 900U);
    EXPECT_EQ(turn(), 1000U);
    EXPECT_EQ(turn(), 1000U);
}

TEST(TokenBucket, ABurstThenARate) {
    TokenBucket bucket(10, 5);
    const auto taken = [&](std::uint64_t now_ms) {
        int n = 0;
        while (bucket.take(now_ms * kNanosPerMilli)) ++n;
        return n;
    };
    EXPECT_EQ(taken(10'000), 5);
    EXPECT_EQ(taken(10'099), 0);
    EXPECT_EQ(taken(10'100), 1);
    EXPECT_EQ(taken(10'350), 2);
    EXPECT_EQ(taken(99'000), 5);
    TokenBucket young(10, 5);
    EXPECT_TRUE(young.take(kNanosPerSecond)) << "soon after the machine started";
}

}  // namespace
}  // namespace rouse::tftp
