// The simulated rack against the product's own worker, and against servers that are slow, deaf or wrong.

#include "perf/load/rack.hpp"

#include "perf/load/echo.hpp"
#include "tests/support/worker_fixture.hpp"

#include <gtest/gtest.h>

namespace rouse::load {
namespace {

using test::must;
using Frame = std::vector<std::byte>;

const wire::Self kServer{.mac = test::kServerMac, .address = test::kServerAddress};

std::optional<Frame> answer_to(const Frame& frame) {
    Frame answer(frame.size());
    answer.resize(echo(frame, {.self = kServer}, 0, answer));
    return answer.empty() ? std::nullopt : std::optional(answer);
}

class RackTest : public ::testing::Test {
  protected:
    static RackOptions options(std::uint32_t machines, Scenario scenario = {}) {
        return {.machines = machines,
                .first_mac = test::ScratchStore::mac_of(0),
                .kinds = {must(find_machine_kind("ipxe-bios"))},
                .scenario = scenario};
    }
    // Runs the rack for a simulated time, 100 us a turn. SERVE(frame) -> what comes back, or nothing.
    template <typename Serve>
    Tally run(const RackOptions& with, std::uint64_t duration_ns, Serve&& serve) {
        Rack<port::MemoryPort> rack(port_, with, now_);
        for (const std::uint64_t end = now_ + duration_ns; now_ < end && !rack.is_done(now_);
             now_ += 100'000) {
            rack.turn(now_);
            for (const auto& frame : port_.take_sent())
                if (const auto answer = serve(frame)) port_.inject(*answer);
        }
        return rack.tally();
    }
    static constexpr std::uint64_t kMinute = 60 * kNanosPerSecond;

    port::MemoryPort port_;
    std::uint64_t now_ = kNanosPerSecond;
};

TEST_F(RackTest, AnAvalancheIsOverWhenAllAreUp) {
    const Tally tally = run(options(1000), kMinute, answer_to);
    EXPECT_EQ(tally.begun, 1000U);
    EXPECT_EQ(tally.completed, 1000U);
    EXPECT_EQ(tally.discovers, 1000U);
    EXPECT_EQ(tally.requests, 1000U);
    EXPECT_EQ(tally.lost(), 0U);
    EXPECT_EQ(tally.exchange.total(), 1000U);
    EXPECT_EQ(tally.exchange.max(), 200'000U);  // two answers, each a turn after its question
}

TEST_F(RackTest, TheProductsWorkerServesEveryKind) {
    test::ScratchStore store;
    store.add_network_and_profile();
    store.add_machines(600);
    test::WorkerFixture server(store);
    auto with = options(600);
    with.kinds.clear();
    for (const auto& kind : machine_kinds()) with.kinds.push_back(&kind);
    Rack<port::MemoryPort> rack(port_, with, now_);
    for (int turn = 0; turn < 1000 && !rack.is_done(now_); ++turn, now_ += 100'000) {
        rack.turn(now_);
        port_.drain([&](wire::ConstBytes frame) { server.port.inject(frame); });
        while (server.worker.turn(now_, now_)) {
        }
        server.port.drain([&](wire::ConstBytes frame) { port_.inject(frame); });
    }
    const Tally tally = rack.tally();
    EXPECT_EQ(tally.completed, 600U);
    EXPECT_EQ(tally.lost(), 0U);
    EXPECT_EQ(tally.unreadable, 0U);
    EXPECT_EQ(server.counters->get(Counter::dhcp_acks), 600U);
}

TEST_F(RackTest, WhatGetsLostIsResentAtTheKindsOwnPace) {
    std::vector<std::uint64_t> sent;
    const Tally tally = run(options(1), kMinute, [&](const Frame& frame) {
        sent.push_back(now_);
        return sent.size() < 3 ? std::nullopt : answer_to(frame);
    });
    EXPECT_EQ(tally.completed, 1U);
    EXPECT_EQ(tally.resends, 2U);
    ASSERT_EQ(sent.size(), 4U);
    // To the millisecond.
    EXPECT_NEAR(static_cast<double>(sent[1] - sent[0]), 1e9, 2e6);
    EXPECT_NEAR(static_cast<double>(sent[2] - sent[1]), 2e9, 2e6);
    EXPECT_EQ(tally.offer.total(), 0U) << "a resent message's time says nothing about the server";
    EXPECT_EQ(tally.ack.total(), 1U);
}

TEST_F(RackTest, MachinesGiveUpAfterTheirLastTry) {
    const Tally tally = run(options(3), 10 * kMinute, [](const Frame&) { return std::optional<Frame>{}; });
    EXPECT_EQ(tally.failed, 3U);
    EXPECT_EQ(tally.under_way(), 0U);
    EXPECT_EQ(tally.discovers, 24U);
    EXPECT_EQ(tally.resends, 21U);
}

TEST_F(RackTest, ANakEndsAnExchange) {
    const Tally tally = run(options(1), kMinute, [](const Frame& frame) {
        auto answer = answer_to(frame);
        const std::size_t type = wire::kUdpFrameOverhead + sizeof(wire::DhcpHeader) + 2;
        if ((*answer)[type] == static_cast<std::byte>(wire::DhcpType::ack))
            (*answer)[type] = static_cast<std::byte>(wire::DhcpType::nak);
        return answer;
    });
    EXPECT_EQ(tally.naks, 1U);
    EXPECT_EQ(tally.failed, 1U);
    EXPECT_EQ(tally.completed, 0U);
}

TEST_F(RackTest, AnswersToOthersAndDoubledOnesAreStray) {
    auto with = options(1);
    Rack<port::MemoryPort> rack(port_, with, now_);
    rack.turn(now_);
    const auto sent = port_.take_sent();
    ASSERT_EQ(sent.size(), 1U);
    auto other = *answer_to(sent[0]);
    wire::store(other, wire::kUdpFrameOverhead + offsetof(wire::DhcpHeader, transaction), be32(0));
    port_.inject(other);
    port_.inject(*answer_to(sent[0]));
    port_.inject(*answer_to(sent[0]));
    rack.turn(now_ + 1);
    EXPECT_EQ(rack.tally().stray, 2U);
    EXPECT_EQ(rack.tally().requests, 1U);
}

// Every cut and every changed byte of an answer: read as what it is or refused, never beyond its end.
TEST_F(RackTest, BrokenAnswersAreCountedAndChangeNothing) {
    Rack<port::MemoryPort> rack(port_, options(1), now_);
    rack.turn(now_);
    auto answer = *answer_to(port_.take_sent().at(0));
    wire::add_udp_checksum(answer);
    for (std::size_t length = 0; length < answer.size(); ++length) {
        port_.inject(std::span(answer).first(length));
        rack.turn(now_ + 1);
    }
    EXPECT_EQ(rack.tally().unreadable, answer.size());
    EXPECT_EQ(rack.tally().requests, 0U);
    // A changed byte is never taken for what was sent: the checksums see it, or it is nobody's. Those of the
    // Ethernet header alone are under none, but for the type.
    std::uint64_t refused = 0;
    for (std::size_t at = sizeof(wire::EthernetHeader); at < answer.size(); ++at)
        for (const int flip : {0x01, 0x80, 0xff}) {
            Frame changed = answer;
            changed[at] ^= static_cast<std::byte>(flip);
            port_.inject(changed);
            rack.turn(now_ + 1);
            ASSERT_EQ(rack.tally().requests, 0U) << "byte " << at;
            ++refused;
        }
    EXPECT_EQ(rack.tally().unreadable + rack.tally().stray, answer.size() + refused);
    port_.inject(answer);
    rack.turn(now_ + 1);
    EXPECT_EQ(rack.tally().requests, 1U);
}

// Without a checksum, as from many a server, whatever it says is read: never beyond its end, and never so
// that the rack breaks.
TEST_F(RackTest, AnswersWithoutAChecksumMaySayAnything) {
    std::uint64_t heard = 0;
    for (std::size_t at = wire::kUdpFrameOverhead;; ++at) {
        Rack<port::MemoryPort> rack(port_, options(1), now_);
        rack.turn(now_);
        Frame answer = *answer_to(port_.take_sent().at(0));
        if (at >= answer.size()) break;
        wire::store(answer, wire::UdpTemplate::kUdpOffset + offsetof(wire::UdpHeader, checksum),
                    std::uint16_t{0});
        answer[at] ^= std::byte{0xff};
        port_.inject(answer);
        rack.turn(now_ + 1);
        const Tally tally = rack.tally();
        EXPECT_EQ(tally.requests + tally.unreadable + tally.stray, 1U) << "byte " << at;
        heard += tally.requests;
        (void)port_.take_sent();
    }
    EXPECT_GT(heard, 100U) << "most of its bytes are padding";
}

TEST_F(RackTest, ARateIsKeptWhateverTheServerDoes) {
    const Scenario scenario{
        .kind = Scenario::Kind::rate, .per_second = 2000, .duration_ns = 2 * kNanosPerSecond};
    const Tally deaf = run(options(5000, scenario), 2 * kNanosPerSecond,
                           [](const Frame&) { return std::optional<Frame>{}; });
    EXPECT_NEAR(static_cast<double>(deaf.begun), 4000, 2);
    const Tally good = run(options(100, scenario), kMinute, answer_to);
    EXPECT_EQ(good.begun, 4000U) << "machines begin anew";
    EXPECT_EQ(good.completed, 4000U);
    EXPECT_NEAR(good.per_second(good.leases), 2000, 2);
    EXPECT_EQ(good.lost(), 0U);
}

TEST_F(RackTest, ARateThatNeedsMoreMachinesThanThereAreSaysSo) {
    const Scenario scenario{.kind = Scenario::Kind::rate, .per_second = 2000, .duration_ns = kNanosPerSecond};
    const Tally tally =
        run(options(100, scenario), kNanosPerSecond, [](const Frame&) { return std::optional<Frame>{}; });
    EXPECT_EQ(tally.begun, 100U);
    EXPECT_GT(tally.none_free, 0U);
}

TEST_F(RackTest, AClosedLoopKeepsSoManyUnderWay) {
    const Scenario scenario{
        .kind = Scenario::Kind::closed, .outstanding = 20, .duration_ns = kNanosPerSecond};
    Rack<port::MemoryPort> rack(port_, options(100, scenario), now_);
    for (int turn = 0; turn < 1000; ++turn, now_ += 100'000) {
        rack.turn(now_);
        EXPECT_EQ(rack.tally().under_way(), 20U);
        for (const auto& frame : port_.take_sent()) port_.inject(*answer_to(frame));
    }
    // Two turns an exchange.
    EXPECT_NEAR(static_cast<double>(rack.tally().completed), 20 * 500, 25);
}

TEST_F(RackTest, TheSameSeedSendsTheSameFrames) {
    std::vector<std::vector<Frame>> runs(2);
    for (auto& frames : runs) {
        port::MemoryPort port;
        Rack<port::MemoryPort> rack(port, options(50), 0);
        rack.turn(1);
        frames = port.take_sent();
    }
    EXPECT_EQ(runs[0], runs[1]);
    EXPECT_FALSE(runs[0].empty());
}

}  // namespace
}  // namespace rouse::load
