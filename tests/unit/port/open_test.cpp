// Devices opened by name on a real (virtual) cable: what is chosen, what is refused and in which words, and
// several queues.

#include "dataplane/port/open.hpp"

#include "shared/clock.hpp"
#include "tests/unit/port/veth_fixture.hpp"

#include <array>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace rouse::port {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Gt;
using ::testing::HasSubstr;

std::string refusal(std::string_view spec, unsigned queues = 1) {
    const auto device = open_device(spec, queues);
    return device ? "opened" : device.error().message;
}

class OpenPort : public OnVeth {};

TEST_F(OpenPort, BadSpecsAreExplained) {
    EXPECT_THAT(refusal(""), HasSubstr("xdp:<interface>"));
    EXPECT_THAT(refusal("xdp"), HasSubstr("xdp:<interface>"));
    EXPECT_THAT(refusal("xdp:"), HasSubstr("xdp:<interface>"));
    EXPECT_THAT(refusal("pcap:eth0"), HasSubstr("no port of kind 'pcap'"));
    EXPECT_THAT(refusal("xdp:rouse0,fast"), HasSubstr("'fast' is neither"));
    EXPECT_THAT(refusal("xdp:,native"), HasSubstr("not an interface's name"));
    EXPECT_THAT(refusal("xdp:a-name-that-is-far-too-long"), HasSubstr("not an interface's name"));
    EXPECT_THAT(refusal("xdp:absent0"), HasSubstr("no interface absent0"));
    EXPECT_THAT(refusal("xdp:lo"), HasSubstr("does not carry Ethernet"));
}

TEST_F(OpenPort, AutoSaysWhatItChose) {
    const auto device = open_device("auto:rouse0", 1);
    ASSERT_TRUE(device) << device.error().message;
    const std::string text = std::visit([](const auto& d) { return d.describe(); }, *device);
    EXPECT_THAT(text, HasSubstr("xdp:rouse0, native mode, copy"));
    EXPECT_THAT(text, HasSubstr("auto"));
}

TEST_F(OpenPort, AutoTakesDpdkForWhatIsNoInterface) {
    DpdkOptions options;
    options.eal_arguments = "--no-huge";
    const auto device = open_device("auto:net_null0", 1, {}, options);
    ASSERT_TRUE(device) << device.error().message;
    EXPECT_THAT(std::get<DpdkDevice>(*device).describe(),
                HasSubstr("chosen by auto: a device of DPDK's own"));
    EXPECT_THAT(refusal("auto:0000:fe:1f.7"), HasSubstr("there is no PCI device 0000:fe:1f.7"));
}

TEST_F(OpenPort, ModeCanBeInsistedOn) {
    const auto device = open_device("xdp:rouse0,generic", 1);
    ASSERT_TRUE(device) << device.error().message;
    EXPECT_THAT(std::get<XdpDevice>(*device).describe(), HasSubstr("generic mode"));
}

TEST_F(OpenPort, InterfaceThatIsDown) {
    ASSERT_TRUE(test::run_command("ip link set rouse0 down"));
    EXPECT_THAT(refusal("xdp:rouse0"), HasSubstr("`ip link set dev rouse0 up`"));
}

class SeveralQueues : public OnVeth {
  protected:
    void SetUp() override {
        OnVeth::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        veth_.emplace("numrxqueues 3 numtxqueues 3", "numrxqueues 3 numtxqueues 3");
        ASSERT_EQ(veth_->error(), "");
    }
};

TEST_F(SeveralQueues, AllOfThemOrNone) {
    EXPECT_THAT(refusal("xdp:rouse0", 2),
                AllOf(HasSubstr("3 queues and 2 would be served"), HasSubstr("dataplane.workers"),
                      HasSubstr("`ethtool -L rouse0 rx 2 tx 2`")));
    EXPECT_EQ(refusal("xdp:rouse0", 3), "opened");
    EXPECT_EQ(refusal("xdp:rouse0", 0), "opened");
}

// veth takes the sender's transmit queue for the receive queue, and a packet socket's by the flow's hash.
TEST_F(SeveralQueues, EveryFrameComesByOneOfThePortsAndAnswersLeaveByEach) {
    constexpr std::uint32_t kFlows = 64;
    auto device = XdpDevice::open(Veth::kPort);
    ASSERT_TRUE(device) << device.error().message;
    ASSERT_EQ(device->ports().size(), 3U);
    EXPECT_FALSE(device->keeps_flows_together());
    EXPECT_THAT(device->describe(), HasSubstr("3 queues, sorted in software"));
    const PacketSocket wire(Veth::kWire);
    for (std::uint32_t i = 0; i < kFlows; ++i) {
        const auto source = Ipv4Address::from_host(0x0a000100 + i);
        ASSERT_TRUE(wire.send(PacketBuilder()
                                  .eth()
                                  .ipv4({.source = source})
                                  .udp({.destination_port = 69})
                                  .payload(20, std::byte{1})
                                  .build()));
    }
    std::array<std::uint32_t, 3> received{};
    EXPECT_TRUE(eventually([&] {
        std::array<Frame, kBurst> burst;
        for (std::size_t i = 0; i < received.size(); ++i) {
            XdpPort& port = device->ports()[i];
            const std::size_t n = port.receive(burst);
            received[i] += static_cast<std::uint32_t>(n);
            port.release(std::span(burst).first(n));
            port.flush();
        }
        return received[0] + received[1] + received[2] == kFlows;
    }));
    EXPECT_THAT(received, Each(Gt(0U)));
    for (XdpPort& port : device->ports()) {
        const Bytes bytes = request(7, 60);
        std::array<Frame, 1> frame;
        ASSERT_EQ(port.allocate(frame), 1U);
        std::copy(bytes.begin(), bytes.end(), frame[0].room().begin());
        frame[0].length = 60;
        ASSERT_EQ(port.send(frame), 1U);
        port.flush();
        EXPECT_EQ(wire.receive(), bytes);
    }
}

TEST_F(SeveralQueues, WaitEndsByDescriptorOrTime) {
    auto device = XdpDevice::open(Veth::kPort);
    ASSERT_TRUE(device) << device.error().message;
    const int wake = ::eventfd(1, EFD_CLOEXEC);
    const std::uint64_t start = monotonic_ns();
    device->ports()[1].wait(10 * kNanosPerSecond, wake);
    EXPECT_LT(monotonic_ns() - start, 5 * kNanosPerSecond);
    device->ports()[1].wait(kNanosPerMilli, -1);
    EXPECT_GE(monotonic_ns() - start, kNanosPerMilli);
    EXPECT_LT(monotonic_ns() - start, 5 * kNanosPerSecond);
    ::close(wake);
}

TEST_F(OpenPort, SecondPortOnTheInterface) {
    const auto first = open_device("xdp:rouse0", 1);
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_THAT(refusal("xdp:rouse0"), HasSubstr("bpftool link detach id"));
}

TEST_F(OpenPort, ForeignProgramOnTheInterface) {
    const auto program = ebpf::XdpProgram::load();
    ASSERT_TRUE(program) << program.error().message;
    const auto index = static_cast<int>(::if_nametoindex(Veth::kPort));
    ASSERT_EQ(bpf_xdp_attach(index, program->program_fd(), XDP_FLAGS_SKB_MODE, nullptr), 0);
    EXPECT_THAT(refusal("xdp:rouse0"), HasSubstr("`ip link set dev rouse0 xdpgeneric off`"));
    ASSERT_TRUE(test::run_command("ip link set dev rouse0 xdpgeneric off"));
    ASSERT_EQ(bpf_xdp_attach(index, program->program_fd(), XDP_FLAGS_DRV_MODE, nullptr), 0);
    EXPECT_THAT(refusal("xdp:rouse0"), HasSubstr("`ip link set dev rouse0 xdpdrv off`"));
    ASSERT_TRUE(test::run_command("ip link set dev rouse0 xdpdrv off"));
    EXPECT_EQ(refusal("xdp:rouse0"), "opened");
}

// Jumbo frames do not fit a page with XDP's headroom, so the driver refuses native mode.
TEST_F(OpenPort, NativeRefusedFallsBackToGenericAndSaysWhy) {
    ASSERT_TRUE(test::run_command("ip link set rouse0 mtu 9000 && ip link set wire0 mtu 9000"));
    auto device = XdpDevice::open(Veth::kPort);
    ASSERT_TRUE(device) << device.error().message;
    EXPECT_THAT(device->describe(),
                HasSubstr("generic mode, copy; no native mode: the driver refuses it at this MTU"));
    EXPECT_EQ(device->ports().front().mtu(), XdpPort::kMaxMtu);
    EXPECT_THAT(refusal("xdp:rouse0,native"), HasSubstr("already has"));
}

TEST_F(OpenPort, InsistingOnNativeThatIsRefused) {
    ASSERT_TRUE(test::run_command("ip link set rouse0 mtu 9000 && ip link set wire0 mtu 9000"));
    EXPECT_THAT(refusal("xdp:rouse0,native"), HasSubstr("in native mode: the driver refuses it"));
}

}  // namespace
}  // namespace rouse::port
