// The xdp port on a real (virtual) cable, in both modes.

#include "dataplane/port/interface.hpp"
#include "dataplane/port/open.hpp"
#include "shared/clock.hpp"
#include "tests/unit/port/veth_fixture.hpp"

#include <array>
#include <csignal>
#include <stdexcept>

#include <bpf/libbpf.h>
#include <net/if.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rouse::port {
namespace {

using ebpf::XdpMode;

std::uint32_t attached_program(const char* interface) {
    std::uint32_t id = 0;
    bpf_xdp_query_id(static_cast<int>(::if_nametoindex(interface)), 0, &id);
    return id;
}

class XdpPortTest : public OnVeth, public ::testing::WithParamInterface<XdpMode> {
  protected:
    void SetUp() override {
        OnVeth::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        wire_.emplace(Veth::kWire);
        ASSERT_TRUE(wire_->is_bound());
    }
    void open(XdpOptions options = {}) {
        options.mode = GetParam();
        auto device = XdpDevice::open(Veth::kPort, 1, options);
        if (!device) throw std::runtime_error(device.error().message);
        device_.emplace(std::move(*device));
        port_ = &device_->ports().front();
    }
    // The next frames, at least one, at most a burst; none when patience ends.
    std::span<Frame> receive() {
        std::size_t n = 0;
        eventually([&] {
            n = port_->receive(frames_);
            port_->flush();
            return n > 0;
        });
        return std::span(frames_).first(n);
    }
    // False when no transmit frame was free or the ring was full.
    bool send(const Bytes& bytes) {
        std::array<Frame, 1> frame;
        if (port_->allocate(frame) == 0) return false;
        std::copy(bytes.begin(), bytes.end(), frame[0].room().begin());
        frame[0].length = static_cast<std::uint32_t>(bytes.size());
        return port_->send(frame) == 1;
    }
    // How many transmit frames can be had at once, after everything sent has left.
    std::size_t count_transmit_frames(std::size_t expected) {
        std::vector<Frame> all;
        eventually([&] {
            std::array<Frame, 1> frame;
            while (port_->allocate(frame) == 1) all.push_back(frame[0]);
            port_->flush();
            return all.size() >= expected;
        });
        for (auto& frame : all) frame.length = 0;
        port_->send(all);
        return all.size();
    }

    std::optional<PacketSocket> wire_;
    std::optional<XdpDevice> device_;
    XdpPort* port_ = nullptr;  // its only one
    std::array<Frame, kBurst> frames_;
};
INSTANTIATE_TEST_SUITE_P(Modes, XdpPortTest, ::testing::Values(XdpMode::native, XdpMode::generic),
                         [](const auto& mode) { return to_string(mode.param); });

TEST_P(XdpPortTest, ReceivesByteForByte) {
    open();
    for (std::size_t size = 60; size <= 1514; ++size) {
        const Bytes sent = request(static_cast<std::uint32_t>(size), size);
        ASSERT_TRUE(wire_->send(sent));
        const auto frames = receive();
        ASSERT_EQ(frames.size(), 1U) << size;
        EXPECT_EQ(Bytes(frames[0].bytes().begin(), frames[0].bytes().end()), sent) << size;
        EXPECT_GE(frames[0].capacity, kMaxFrameBytes);
        port_->release(frames);
    }
}

TEST_P(XdpPortTest, SendsByteForByte) {
    open();
    for (std::size_t size = 60; size <= 1514; ++size) {
        const Bytes sent = request(static_cast<std::uint32_t>(size), size);
        ASSERT_TRUE(send(sent));
        port_->flush();
        const auto arrived = wire_->receive();
        ASSERT_TRUE(arrived) << size;
        EXPECT_EQ(*arrived, sent) << size;
    }
    EXPECT_EQ(port_->statistics().transmit_dropped, 0U);
}

TEST_P(XdpPortTest, NothingLeavesBeforeTheKick) {
    open();
    ASSERT_TRUE(send(request(1, 60)));
    EXPECT_FALSE(wire_->receive(std::chrono::milliseconds(50)));
    port_->flush();
    EXPECT_TRUE(wire_->receive());
}

TEST_P(XdpPortTest, WhatIsNotOursStaysWithTheKernel) {
    open();
    const PacketSocket kernel(Veth::kPort);
    ASSERT_TRUE(kernel.is_bound());
    const Bytes other = PacketBuilder().eth().ipv4().udp({.destination_port = 5000}).payload(100).build();
    ASSERT_TRUE(wire_->send(other));
    EXPECT_EQ(kernel.receive(), other);
    EXPECT_EQ(port_->receive(frames_), 0U);
    ASSERT_TRUE(wire_->send(request(1, 60)));
    port_->release(receive());
    EXPECT_FALSE(kernel.receive(std::chrono::milliseconds(50)));
    const auto counters = device_->program().counters();
    ASSERT_TRUE(counters);
    EXPECT_EQ(counters->redirected, 1U);
    EXPECT_EQ(counters->passed, 1U);
    EXPECT_EQ(counters->without_socket, 0U);
}

TEST_P(XdpPortTest, HundredThousandFramesLeaveNoneBehind) {
    constexpr std::uint32_t kFrames = 100'000;
    constexpr std::uint32_t kOwn = 256;  // so few that any leak would show at once
    open({.receive_frames = kOwn, .transmit_frames = kOwn});
    std::uint32_t echoed = 0;
    for (std::uint32_t sent = 0; sent < kFrames;) {
        const std::uint32_t batch = sent;
        for (; sent < batch + kBurst; ++sent) ASSERT_TRUE(wire_->send(request(sent, 60 + sent % 1400)));
        for (std::uint32_t received = batch; received < sent;) {
            const auto frames = receive();
            ASSERT_FALSE(frames.empty()) << received;
            std::array<Frame, kBurst> replies;
            ASSERT_EQ(port_->allocate(std::span(replies).first(frames.size())), frames.size()) << received;
            for (std::size_t i = 0; i < frames.size(); ++i, ++received) {
                replies[i].length = frames[i].length;
                std::memcpy(replies[i].data, frames[i].data, frames[i].length);
            }
            ASSERT_EQ(port_->send(std::span(replies).first(frames.size())), frames.size());
            port_->release(frames);
            port_->flush();
        }
        for (; echoed < sent; ++echoed) ASSERT_EQ(wire_->receive(), request(echoed, 60 + echoed % 1400));
    }
    EXPECT_EQ(port_->statistics().receive_dropped, 0U);
    EXPECT_EQ(count_transmit_frames(kOwn), kOwn);
    for (std::uint32_t i = 0; i < kOwn; ++i) ASSERT_TRUE(wire_->send(request(i, 60)));
    for (std::size_t waiting = kOwn; waiting > 0;) {
        const auto frames = receive();
        ASSERT_FALSE(frames.empty()) << waiting << " receive frames are missing";
        waiting -= frames.size();
        port_->release(frames);
    }
}

TEST_P(XdpPortTest, TransmitFramesRunOutAndComeBack) {
    constexpr std::uint32_t kOwn = 64;
    open({.transmit_frames = kOwn});
    for (int round = 0; round < 10; ++round) {
        for (std::uint32_t i = 0; i < kOwn; ++i) ASSERT_TRUE(send(request(i, 1514)));
        ASSERT_FALSE(send(request(kOwn, 1514)));
        ASSERT_EQ(count_transmit_frames(kOwn), kOwn);
        for (std::uint32_t i = 0; i < kOwn; ++i) ASSERT_EQ(wire_->receive(), request(i, 1514));
    }
}

TEST_P(XdpPortTest, AbsentWorkerLosesWhatExceedsItsFramesAndCountsIt) {
    constexpr std::uint32_t kOwn = 64;
    constexpr std::uint32_t kTooMany = 36;
    open({.receive_frames = kOwn});
    for (std::uint32_t i = 0; i < kOwn + kTooMany; ++i) ASSERT_TRUE(wire_->send(request(i, 60)));
    ASSERT_TRUE(eventually([&] { return port_->statistics().receive_dropped >= kTooMany; }));
    EXPECT_EQ(port_->statistics().receive_dropped, kTooMany);
    for (std::uint32_t i = 0; i < kOwn;) {
        const auto frames = receive();
        ASSERT_FALSE(frames.empty());
        for (const Frame& frame : frames) {
            EXPECT_EQ(Bytes(frame.bytes().begin(), frame.bytes().end()), request(i, 60));
            ++i;
        }
        port_->release(frames);
    }
    ASSERT_TRUE(wire_->send(request(7, 60)));
    EXPECT_EQ(receive().size(), 1U);
}

TEST_P(XdpPortTest, KnowsItsInterface) {
    ASSERT_TRUE(test::run_command("ip link set rouse0 address 02:00:00:00:12:34 mtu 1400"));
    open();
    EXPECT_EQ(port_->hardware_address().to_string(), "02:00:00:00:12:34");
    EXPECT_EQ(port_->mtu(), 1400U);
    EXPECT_EQ(device_->describe(), std::string("xdp:rouse0, ") + to_string(GetParam()) + " mode, copy");
}

TEST_P(XdpPortTest, InterfaceGoesDownAndUpAgain) {
    constexpr std::uint32_t kOwn = 64;
    open({.transmit_frames = kOwn});
    ASSERT_TRUE(test::run_command("ip link set rouse0 down"));
    ASSERT_TRUE(send(request(1, 60)));
    port_->flush();
    EXPECT_EQ(port_->statistics().kicks_unfinished, 1U);
    ASSERT_TRUE(test::run_command("ip link set rouse0 up"));
    // The kernel lets frames through only when it has noticed the carrier, a moment after the command has
    // returned.
    std::size_t received = 0;
    EXPECT_TRUE(eventually([&] {
        static_cast<void>(wire_->send(request(2, 60)));
        received = port_->receive(frames_);
        port_->flush();
        return received > 0;
    }));
    port_->release(std::span(frames_).first(received));
    EXPECT_EQ(count_transmit_frames(kOwn), kOwn);
}

TEST_P(XdpPortTest, ClosingGivesTheInterfaceBack) {
    open();
    EXPECT_NE(attached_program(Veth::kPort), 0U);
    XdpDevice moved = std::move(*device_);
    device_.reset();
    EXPECT_NE(attached_program(Veth::kPort), 0U);
    { const XdpDevice closed = std::move(moved); }
    EXPECT_TRUE(eventually([] { return attached_program(Veth::kPort) == 0; }));
    open();
}

TEST_P(XdpPortTest, KilledProcessLeavesNothingAttached) {
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe(ready.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const auto device = XdpDevice::open(Veth::kPort, 1, {.mode = GetParam()});
        const char opened = device ? 'y' : 'n';
        if (::write(ready[1], &opened, 1) == 1) ::pause();
        ::_exit(1);
    }
    char opened = 0;
    ASSERT_EQ(::read(ready[0], &opened, 1), 1);
    ASSERT_EQ(opened, 'y');
    EXPECT_NE(attached_program(Veth::kPort), 0U);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(ready[0]);
    ::close(ready[1]);
    EXPECT_TRUE(eventually([] { return attached_program(Veth::kPort) == 0; }));
    open();
    ASSERT_TRUE(wire_->send(request(1, 60)));
    EXPECT_EQ(receive().size(), 1U);
}

}  // namespace
}  // namespace rouse::port
