// The dpdk port with drivers that others' programs are at the other end of: a kernel (TAP), a virtual machine
// (vhost-user). And what a device with offloads does for us.

#include "dataplane/port/eal.hpp"
#include "dataplane/wire/udp6.hpp"
#include "tests/support/privileges.hpp"
#include "tests/support/veth.hpp"
#include "tests/unit/port/dpdk_fixture.hpp"

#include <filesystem>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::port {
namespace {

using test::PacketBuilder;
using ::testing::HasSubstr;

constexpr std::uint64_t kNeededMib = 64;

bool has_huge_pages() {
    static const bool has = read_huge_pages().free_mib >= kNeededMib;
    return has;
}

// Memory that another process could map, where there is any.
DpdkOptions shared_pages() {
    DpdkOptions options;
    options.eal_arguments = has_huge_pages() ? "-m 64 --base-virtaddr=0x200000000000" : "--no-huge -m 128";
    return options;
}

class DpdkTap : public ::testing::Test {
  protected:
    static constexpr const char* kName = "tap9";
    void SetUp() override {
        ROUSE_NEEDS_PRIVILEGES(::unshare(CLONE_NEWNET) == 0, "cannot make a network namespace");
        std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << 1;
        device_.emplace(open_or_throw(std::string("net_tap0,iface=") + kName, 1, shared_pages()));
        wire_.emplace(kName);
        ASSERT_TRUE(wire_->is_bound());
    }
    [[nodiscard]] DpdkPort& port() { return device_->ports().front(); }
    // The frame that comes next, as the device describes it.
    struct Received {
        Bytes bytes;
        bool device_sums = false;
    };
    Received next() {
        for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
             std::chrono::steady_clock::now() < end;) {
            std::array<Frame, 1> frame;
            if (port().receive(frame) == 0) continue;
            Received received{{frame[0].bytes().begin(), frame[0].bytes().end()}, frame[0].device_sums};
            port().release(frame);
            return received;
        }
        return {};
    }
    static PacketBuilder request(const test::Udp& udp) {
        return PacketBuilder()
            .eth()
            .ipv4({.source = *Ipv4Address::parse("10.0.0.9"), .destination = *Ipv4Address::parse("10.0.0.1")})
            .udp(udp)
            .payload(std::string_view("\0\1file\0octet\0", 13));
    }
    std::optional<DpdkDevice> device_;
    std::optional<test::PacketSocket> wire_;
};

TEST_F(DpdkTap, TheKernelAtTheOtherEndHearsAndIsHeard) {
    for (std::uint32_t i = 1; i <= 500; ++i) {
        // Its type is nobody's, so that the kernel answers nothing.
        Bytes bytes = numbered(i, kShortest + i);
        bytes[0] = std::byte{2};
        bytes[12] = bytes[13] = std::byte{0x88};
        ASSERT_TRUE(send_one(port(), bytes));
        port().flush();
        ASSERT_EQ(wire_->receive(), bytes);
        ASSERT_TRUE(wire_->send(bytes));
        ASSERT_EQ(next().bytes, bytes);
    }
}

TEST_F(DpdkTap, ReceivedChecksumsAreTheDevicesToCheck) {
    const Bytes good = request({.source_port = 2000, .destination_port = 69}).build();
    ASSERT_TRUE(wire_->send(good));
    Received received = next();
    EXPECT_EQ(received.bytes, good);
    EXPECT_TRUE(received.device_sums);
    ASSERT_TRUE(wire_->send(
        request({.source_port = 2000, .destination_port = 69, .checksum = std::uint16_t{0x1234}}).build()));
    received = next();
    EXPECT_FALSE(received.bytes.empty());
    EXPECT_FALSE(received.device_sums) << "so that it is looked at";
}

TEST_F(DpdkTap, SentChecksumsAreTheDevicesToComplete) {
    ASSERT_TRUE(port().sums_udp());
    const wire::Udp6Template headers({.ends = {.source_mac = port().hardware_address(),
                                               .destination_mac = {{2, 0, 0, 0, 0, 9}},
                                               .source = *Ipv6Address::parse("fd00::1"),
                                               .destination = *Ipv6Address::parse("fd00::9")},
                                      .source_port = 69,
                                      .destination_port = 2000});
    for (const std::size_t payload : {std::size_t{0}, std::size_t{1}, std::size_t{512}, std::size_t{1428}}) {
        Bytes whole(wire::kUdp6FrameOverhead + payload, std::byte{0x5a});
        headers.write(whole, payload);
        std::array<Frame, 1> frame;
        ASSERT_EQ(port().allocate(frame), 1U);
        std::fill_n(frame[0].data, whole.size(), std::byte{0x5a});
        frame[0].length =
            static_cast<std::uint32_t>(headers.write(frame[0].room(), payload, wire::UdpChecksum::device));
        EXPECT_NE(Bytes(frame[0].bytes().begin(), frame[0].bytes().end()), whole);
        frame[0].device_sums = true;
        ASSERT_EQ(port().send(frame), 1U);
        port().flush();
        EXPECT_EQ(wire_->receive(), whole) << payload;
    }
}

TEST(DpdkOffloads, ADeviceThatHasNoneLeavesItToUs) {
    auto device = open_or_throw("net_ring0", 1, shared_pages());
    EXPECT_FALSE(device.ports().front().sums_udp());
}

TEST(DpdkVhost, AVirtioCardExchangesFramesBothWays) {
    const std::string socket =
        std::filesystem::temp_directory_path() / ("rouse-vhost-" + std::to_string(::getpid()));
    auto hosts = open_or_throw("net_vhost0,iface=" + socket, 0, shared_pages());
    auto guests = open_or_throw("net_virtio_user0,path=" + socket + ",queue_size=256", 1, shared_pages());
    DpdkPort& host = hosts.ports().front();
    DpdkPort& guest = guests.ports().front();
    EXPECT_THAT(hosts.describe(),
                HasSubstr(has_huge_pages() ? "1 queue, huge pages" : "1 queue, ordinary pages"));
    const auto take_some = [&host] {
        std::array<Frame, kBurst> frames;
        const std::size_t n = host.receive(frames);
        host.release(std::span(frames).first(n));
        return n > 0;
    };
    bool has_met = false;
    for (int tries = 0; tries < 500 && !has_met; ++tries) {
        (void)send_one(guest, numbered(0));
        guest.flush();
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        has_met = take_some();
    }
    ASSERT_TRUE(has_met);
    while (take_some()) {
    }  // all that was sent before they met
    for (std::uint32_t i = 1; i < 1000; ++i) {
        ASSERT_TRUE(send_one(host, numbered(i, 1474)));
        host.flush();
        ASSERT_EQ(receive(guest, 1).at(0), numbered(i, 1474));
        ASSERT_TRUE(send_one(guest, numbered(i)));
        guest.flush();
        ASSERT_EQ(receive(host, 1).at(0), numbered(i));
    }
}

}  // namespace
}  // namespace rouse::port
