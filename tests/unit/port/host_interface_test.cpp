// The host's interface beside a device: what the host says comes out, what is given goes in. Needs root.

#include "dataplane/port/host_interface.hpp"

#include "dataplane/port/interface.hpp"
#include "dataplane/wire/udp.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/privileges.hpp"
#include "tests/support/veth.hpp"

#include <chrono>
#include <optional>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

namespace rouse::port {
namespace {

using ::testing::HasSubstr;

constexpr MacAddress kOurs{{0x02, 0, 0, 0, 0, 0x11}};
constexpr MacAddress kTheirs{{0x02, 0, 0, 0, 0, 0x22}};
constexpr std::uint16_t kPort = 5000;
constexpr int kPatienceMs = 5000;

sockaddr_in address(const char* text, std::uint16_t port) {
    sockaddr_in filled{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
    ::inet_pton(AF_INET, text, &filled.sin_addr);
    return filled;
}

class HostInterfaceTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ROUSE_NEEDS_PRIVILEGES(::unshare(CLONE_NEWNET) == 0, "cannot make a network namespace");
        auto opened = HostInterface::open({.name = "rouse9", .addresses = {"10.9.0.1/24", "fd00:9::1/64"}},
                                          kOurs, 1400, 2);
        ASSERT_TRUE(opened) << opened.error().message;
        host_ = std::move(*opened);
    }
    void TearDown() override {
        if (socket_ >= 0) ::close(socket_);
    }
    void open_socket() {
        socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const sockaddr_in own = address("10.9.0.1", kPort);
        ASSERT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    }
    // A datagram to the socket, as it comes from the wire.
    static test::Bytes datagram(std::byte content, std::size_t size = 100) {
        return test::PacketBuilder()
            .eth({.destination = kOurs, .source = kTheirs})
            .ipv4({.source = *Ipv4Address::parse("10.9.0.2"), .destination = *Ipv4Address::parse("10.9.0.1")})
            .udp({.source_port = 7, .destination_port = kPort})
            .payload(size, content)
            .build();
    }
    // The first byte of the next datagram; nothing when none comes in time.
    std::optional<std::byte> hear() {
        pollfd event{.fd = socket_, .events = POLLIN, .revents = 0};
        std::array<std::byte, 2048> buffer;
        if (::poll(&event, 1, kPatienceMs) != 1) return {};
        return ::recv(socket_, buffer.data(), buffer.size(), 0) > 0 ? std::optional(buffer[0]) : std::nullopt;
    }
    // The next frame of ETHER_TYPE that the host sends.
    std::optional<test::Bytes> next_frame(std::uint16_t ether_type) {
        for (const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
             std::chrono::steady_clock::now() < end;) {
            host_->worker_bell().prepare();
            if (host_->is_quiet()) {
                pollfd event{.fd = host_->worker_bell().fd(), .events = POLLIN, .revents = 0};
                ::poll(&event, 1, kPatienceMs);
            }
            host_->worker_bell().done();
            std::array<Frame, 1> said;
            if (host_->take(said) == 0) continue;
            test::Bytes frame(said[0].bytes().begin(), said[0].bytes().end());
            host_->release(1);
            const auto type = wire::load<be16>(frame, offsetof(wire::EthernetHeader, type));
            if (type && type->host() == ether_type) return frame;
        }
        return {};
    }
    std::unique_ptr<HostInterface> host_;
    int socket_ = -1;
};

TEST_F(HostInterfaceTest, LooksLikeTheDevice) {
    const auto interface = query_interface("rouse9");
    ASSERT_TRUE(interface) << interface.error().message;
    EXPECT_EQ(interface->hardware_address, kOurs);
    EXPECT_EQ(interface->mtu, 1400U);
    EXPECT_TRUE(interface->is_up);
}

TEST_F(HostInterfaceTest, IsGoneWithItsOwner) {
    host_.reset();
    EXPECT_FALSE(query_interface("rouse9"));
}

TEST_F(HostInterfaceTest, TheHostHearsWhatAnyWorkerGives) {
    open_socket();
    for (const unsigned worker : {0U, 1U}) {
        ASSERT_TRUE(host_->give(worker, datagram(static_cast<std::byte>(worker + 1))));
        host_->kick(worker);
        EXPECT_EQ(hear(), static_cast<std::byte>(worker + 1));
    }
}

TEST_F(HostInterfaceTest, ManyFramesArriveInOrderAndNoneTwice) {
    open_socket();
    const int room = 4 << 20;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    unsigned heard = 0;
    for (unsigned sent = 0; sent < 2000;) {
        while (sent < 2000 && host_->give(0, datagram(static_cast<std::byte>(sent)))) ++sent;
        host_->kick(0);
        for (; heard < sent; ++heard) ASSERT_EQ(hear(), static_cast<std::byte>(heard));
    }
    EXPECT_EQ(heard, 2000U);
}

TEST_F(HostInterfaceTest, AHostThatDoesNotKeepUpRefuses) {
    unsigned taken = 0;
    while (taken < 100'000 && host_->give(0, datagram(std::byte{1}))) ++taken;
    EXPECT_EQ(taken, HostInterface::Ring::kSlots);  // nobody sees them before the kick
    EXPECT_FALSE(host_->give(0, test::Bytes(HostInterface::Ring::kMaxFrameBytes + 1)));
}

TEST_F(HostInterfaceTest, WhatTheKernelRefusesIsCounted) {
    ASSERT_TRUE(test::run_command("ip link set rouse9 down"));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(host_->give(0, datagram(std::byte{1})));
    host_->kick(0);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
    while (host_->lost() < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ(host_->lost(), 3U);
}

TEST_F(HostInterfaceTest, WhatTheHostSaysComesOut) {
    open_socket();
    const sockaddr_in peer = address("10.9.0.2", 7);
    ASSERT_EQ(::sendto(socket_, "hello", 5, 0, reinterpret_cast<const sockaddr*>(&peer), sizeof peer), 5);
    const auto arp = next_frame(wire::kEtherTypeArp);
    ASSERT_TRUE(arp);
    const auto ethernet = wire::load<wire::EthernetHeader>(*arp);
    EXPECT_EQ(ethernet->source, kOurs);
    EXPECT_EQ(ethernet->destination, kBroadcastMac);
}

TEST(HostInterface, RefusesWhatIsNoAddress) {
    ROUSE_NEEDS_PRIVILEGES(::unshare(CLONE_NEWNET) == 0, "cannot make a network namespace");
    const auto refusal = [](std::vector<std::string> addresses, std::string name = "rouse9") {
        const auto opened = HostInterface::open({std::move(name), std::move(addresses)}, kOurs, 1500, 1);
        return opened ? "" : opened.error().message;
    };
    EXPECT_THAT(refusal({}), HasSubstr("set dataplane.address"));
    for (const char* text :
         {"10.9.0.1", "10.9.0.1/", "10.9.0.1/33", "10.9.0/24", "fd00::1/129", "/24", "x/8"})
        EXPECT_THAT(refusal({text}), HasSubstr("is not an address with its prefix length")) << text;
    EXPECT_THAT(refusal({"10.9.0.1/24"}, "a-name-that-is-far-too-long"), HasSubstr("too long"));
    EXPECT_EQ(refusal({"10.9.0.1/24"}), "");
}

}  // namespace
}  // namespace rouse::port
