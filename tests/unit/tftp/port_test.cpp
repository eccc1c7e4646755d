// A port of ours per transfer (RFC 1350 4), from the worker's share; and port 69 for everything, the default.

#include "tests/unit/tftp/engine_fixture.hpp"

#include <set>

namespace rouse::tftp {
namespace {

using ::testing::IsEmpty;

constexpr PortRange kShare{50'000, 1000};

class PortTest : public EngineTest {
  protected:
    PortTest() { engine_ = Engine<test::TftpHost>({.sessions = 64, .seed = 7, .ports = kShare}); }

    DropReason receive_at(std::uint16_t server_port, const Packet& packet, std::uint16_t port = kPort) {
        Peer from = peer(port);
        from.server_port = server_port;
        return engine_.receive(now_ns_, from, packet, host_);
    }
    // The ports from which the engine sends in one turn.
    std::vector<std::uint16_t> sources() {
        engine_.run(now_ns_, host_, 64);
        std::vector<std::uint16_t> ports;
        for (const auto& packet : host_.take()) ports.push_back(packet.server_port);
        return ports;
    }
};

TEST_F(PortTest, ATransferStaysOnOnePortOfTheShare) {
    put("f", 2000);
    ASSERT_EQ(receive_at(69, rrq("f")), DropReason::none);
    const auto first = sources();
    ASSERT_EQ(first.size(), 1U);
    EXPECT_TRUE(kShare.contains(first[0])) << first[0];
    for (std::uint64_t block = 1; block <= 3; ++block) {
        ASSERT_EQ(receive_at(first[0], ack(block)), DropReason::none);
        EXPECT_EQ(sources(), first);
    }
    ASSERT_EQ(receive_at(first[0], ack(4)), DropReason::none);
    EXPECT_EQ(host_.counters().get(Counter::tftp_transfers_completed), 1U);
}

TEST_F(PortTest, TheRepeatedRequestIsAnsweredFromTheSamePort) {
    put("f", 2000);
    (void)receive_at(69, rrq("f"));
    const auto first = sources();
    EXPECT_EQ(receive_at(69, rrq("f")), DropReason::tftp_duplicate_request);
    EXPECT_EQ(sources(), first);
}

TEST_F(PortTest, AnotherPortIsNotTheTransfers) {
    put("f", 2000);
    (void)receive_at(69, rrq("f"));
    const auto first = sources();
    const auto other = static_cast<std::uint16_t>(first[0] == kShare.first ? first[0] + 1 : first[0] - 1);
    EXPECT_EQ(receive_at(69, ack(1)), DropReason::tftp_no_session);
    EXPECT_EQ(receive_at(other, ack(1)), DropReason::tftp_no_session);
    EXPECT_EQ(receive_at(other, error(wire::tftp::ErrorCode::not_defined, "closed")),
              DropReason::tftp_no_session);
    EXPECT_EQ(engine_.open_sessions(), 1U);
    EXPECT_EQ(receive_at(first[0], ack(1)), DropReason::none);
}

TEST_F(PortTest, RequestsGoToTheWellKnownPortOnly) {
    put("f", 2000);
    EXPECT_EQ(receive_at(kShare.first, rrq("f")), DropReason::tftp_no_session);
    EXPECT_EQ(receive_at(kShare.first, rrq("f", {}, "octet", wire::tftp::Opcode::wrq)),
              DropReason::tftp_no_session);
    EXPECT_THAT(sources(), IsEmpty());
}

TEST_F(PortTest, PortsAreSpreadOverTheShare) {
    put("f", 2000);
    std::set<std::uint16_t> seen;
    for (std::uint16_t client = 1; client <= 60; ++client) {
        (void)receive_at(69, rrq("f"), client);
        for (const std::uint16_t port : sources()) {
            EXPECT_TRUE(kShare.contains(port)) << port;
            seen.insert(port);
        }
    }
    EXPECT_GT(seen.size(), 50U);
}

TEST_F(EngineTest, SinglePortModeIsTheDefault) {
    put("f", 100);
    (void)receive(rrq("f"));
    engine_.run(now_ns_, host_, 8);
    const auto sent = host_.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].server_port, 69);
}

}  // namespace
}  // namespace rouse::tftp
