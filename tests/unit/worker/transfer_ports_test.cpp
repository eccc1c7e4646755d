// Transfers with ports of their own: frames in, frames out, and which ports there may be.

#include "dataplane/worker/transfer_ports.hpp"

#include "tests/support/worker_fixture.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace rouse::worker {
namespace {

using test::ScratchStore;
using Frame = std::vector<std::byte>;

constexpr std::uint32_t kMachine = 3;
constexpr std::uint16_t kClientPort = 2000;
constexpr PortRange kAll{61'440, 4096};
constexpr PortRange kShare = kAll.share(1, 4);

class TransferPortsTest : public ::testing::Test {
  protected:
    TransferPortsTest() {
        store_.add_network_and_profile();
        store_.add_machines(10);
        store_.add_image("f", std::string(1000, 'x'));
        fixture_ = std::make_unique<test::WorkerFixture>(
            store_, port::MemoryOptions{}, tftp::EngineOptions{.sessions = 16, .ports = kShare});
    }
    static Frame frame_to(std::uint16_t port, std::span<const std::byte> payload) {
        Frame frame(wire::kUdpFrameOverhead + payload.size());
        wire::store_bytes(frame, wire::kUdpFrameOverhead, payload);
        wire::UdpTemplate({.source_mac = ScratchStore::mac_of(kMachine),
                           .destination_mac = test::kServerMac,
                           .source = ScratchStore::address_of(kMachine),
                           .destination = test::kServerAddress,
                           .source_port = kClientPort,
                           .destination_port = port})
            .write(frame, payload.size());
        return frame;
    }
    static Frame request_to(std::uint16_t port) {
        Frame payload(64);
        payload.resize(wire::tftp::write_request(payload, wire::tftp::Opcode::rrq, "f", "octet", {}));
        return frame_to(port, payload);
    }
    static Frame ack_to(std::uint16_t port, std::uint16_t block) {
        Frame payload(4);
        payload.resize(wire::tftp::write_ack(payload, block));
        return frame_to(port, payload);
    }
    // The one answer, asked for until the image is in memory.
    wire::Datagram answer_to(const Frame& frame) {
        wire::Datagram datagram;
        fixture_->port.inject(frame);
        for (int tries = 0; tries < 5000; ++tries) {
            now_ns_ += 4 * kNanosPerMilli;
            fixture_->worker.turn(now_ns_, now_ns_);
            sent_ = fixture_->port.take_sent();
            if (!sent_.empty()) break;
            ::usleep(1000);
        }
        EXPECT_EQ(sent_.size(), 1U);
        const wire::Self client{.mac = ScratchStore::mac_of(kMachine),
                                .address = ScratchStore::address_of(kMachine),
                                .subnet = {}};
        if (!sent_.empty()) {
            EXPECT_EQ(wire::parse_datagram(sent_[0], client, datagram), DropReason::none);
        }
        return datagram;
    }

    ScratchStore store_;
    std::unique_ptr<test::WorkerFixture> fixture_;
    std::uint64_t now_ns_ = kNanosPerSecond;
    std::vector<Frame> sent_;
};

TEST_F(TransferPortsTest, ATransferIsAskedForAt69AndLivesInTheWorkersShare) {
    const auto first = answer_to(request_to(wire::tftp::kPort));
    EXPECT_EQ(wire::tftp::read_block(first.payload), 1);
    EXPECT_EQ(first.destination_port, kClientPort);
    ASSERT_TRUE(kShare.contains(first.source_port)) << first.source_port;
    const auto second = answer_to(ack_to(first.source_port, 1));
    EXPECT_EQ(wire::tftp::read_block(second.payload), 2);
    EXPECT_EQ(second.source_port, first.source_port);
    (void)fixture_->exchange(ack_to(first.source_port, 2), now_ns_);
    EXPECT_EQ(fixture_->counters->get(Counter::tftp_transfers_completed), 1U);
}

TEST_F(TransferPortsTest, PortsOfOtherWorkersAreNotOurs) {
    (void)answer_to(request_to(wire::tftp::kPort));
    for (const std::uint16_t port : {kAll.first, static_cast<std::uint16_t>(kShare.first - 1),
                                     static_cast<std::uint16_t>(kShare.last() + 1), kAll.last()}) {
        const auto before = fixture_->dropped(DropReason::udp_port_unknown);
        EXPECT_TRUE(fixture_->exchange(ack_to(port, 1), now_ns_).empty());
        EXPECT_EQ(fixture_->dropped(DropReason::udp_port_unknown), before + 1) << port;
    }
}

TEST_F(TransferPortsTest, RequestsToATransfersPortAreNobodys) {
    EXPECT_TRUE(fixture_->exchange(request_to(kShare.first), now_ns_).empty());
    EXPECT_EQ(fixture_->dropped(DropReason::tftp_no_session), 1U);
}

TEST_F(TransferPortsTest, InSinglePortModeThereAreNone) {
    test::WorkerFixture single(store_);
    EXPECT_TRUE(single.exchange(ack_to(kShare.first, 1)).empty());
    EXPECT_EQ(single.dropped(DropReason::udp_port_unknown), 1U);
}

TEST(EphemeralPorts, AreNotTakenFromTheKernel) {
    const auto file = std::filesystem::temp_directory_path() / ("rouse-ports-" + std::to_string(::getpid()));
    std::ofstream(file) << "32768\t60999\n";
    EXPECT_TRUE(refuse_ephemeral_ports(kAll, file));
    EXPECT_TRUE(refuse_ephemeral_ports({}, file)) << "single-port mode takes none";
    const auto refused = refuse_ephemeral_ports({60'000, 2000}, file);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("60000-61999"), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find("32768-60999"), std::string::npos) << refused.error().message;
    std::ofstream(file) << "what\n";
    EXPECT_FALSE(refuse_ephemeral_ports(kAll, file));
    std::filesystem::remove(file);
    EXPECT_FALSE(refuse_ephemeral_ports(kAll, file));
    EXPECT_TRUE(refuse_ephemeral_ports(kAll)) << "the default range, on a kernel as it comes";
}

}  // namespace
}  // namespace rouse::worker
