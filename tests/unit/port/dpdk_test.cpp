// The dpdk port on devices made of software.

#include "shared/clock.hpp"
#include "tests/unit/port/dpdk_fixture.hpp"

#include <filesystem>
#include <mutex>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace rouse::port {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// A ring: what is sent comes back.
class DpdkRing : public ::testing::Test {
  protected:
    DpdkDevice device_ = open_or_throw("net_ring0");
    DpdkPort& port_ = device_.ports().front();
};

TEST_F(DpdkRing, CarriesFramesOfEverySizeUnchanged) {
    std::mt19937 random(1);
    for (std::size_t size = kShortest; size <= kLongest; size += 71) {
        Bytes bytes(size);
        for (auto& byte : bytes) byte = static_cast<std::byte>(random());
        ASSERT_TRUE(send_one(port_, bytes));
        port_.flush();
        const auto back = receive(port_, 1);
        ASSERT_EQ(back.size(), 1U);
        EXPECT_EQ(back[0], bytes);
    }
}

TEST_F(DpdkRing, NothingLeavesBeforeTheKickAndOrderStays) {
    for (std::uint32_t i = 0; i < kBurst - 1; ++i) ASSERT_TRUE(send_one(port_, numbered(i)));
    std::array<Frame, kBurst> frames;
    EXPECT_EQ(port_.receive(frames), 0U);
    port_.flush();
    const auto back = receive(port_, kBurst - 1);
    ASSERT_EQ(back.size(), kBurst - 1);
    for (std::uint32_t i = 0; i < back.size(); ++i) EXPECT_EQ(back[i], numbered(i));
}

TEST_F(DpdkRing, FramesAreNotLostHoweverManyPass) {
    std::uint32_t next = 0;
    std::uint32_t expected = 0;
    for (int turn = 0; turn < 20'000; ++turn) {
        while (next - expected < kBurst && send_one(port_, numbered(next))) ++next;
        port_.flush();
        for (const Bytes& bytes : receive(port_, next - expected)) ASSERT_EQ(bytes, numbered(expected++));
    }
    EXPECT_EQ(expected, 20'000 * kBurst);
}

TEST_F(DpdkRing, AFrameOfNoLengthGoesBackUnsent) {
    for (int i = 0; i < 10'000; ++i) {
        std::array<Frame, kBurst> frames;
        ASSERT_EQ(port_.allocate(frames), kBurst);
        EXPECT_EQ(port_.send(frames), 0U);
    }
    port_.flush();
    std::array<Frame, kBurst> frames;
    EXPECT_EQ(port_.receive(frames), 0U);
}

// The ring takes about a thousand; the rest waits, and then allocate() says so.
TEST_F(DpdkRing, WhatTheDeviceHasNoRoomForWaitsAndNoneIsLost) {
    std::uint32_t sent = 0;
    for (; sent < 100'000 && send_one(port_, numbered(sent)); ++sent) port_.flush();
    EXPECT_GT(sent, 1500U);
    EXPECT_LT(sent, 4000U);
    const auto back = receive(port_, sent, &port_);
    ASSERT_EQ(back.size(), sent);
    for (std::uint32_t i = 0; i < sent; ++i) ASSERT_EQ(back[i], numbered(i));
    EXPECT_TRUE(send_one(port_, numbered(0)));
}

TEST_F(DpdkRing, WaitingEndsWithTimeAFrameOrTheDescriptor) {
    const auto waits = [this](std::uint64_t nanoseconds, int wake_fd) {
        const std::uint64_t start = monotonic_ns();
        port_.wait(nanoseconds, wake_fd);
        return monotonic_ns() - start;
    };
    EXPECT_GE(waits(20 * kNanosPerMilli, -1), 20 * kNanosPerMilli);
    const int wake = ::eventfd(1, EFD_CLOEXEC);
    EXPECT_LT(waits(20 * kNanosPerSecond, wake), 10 * kNanosPerSecond);
    ::close(wake);
    ASSERT_TRUE(send_one(port_, numbered(7)));
    port_.flush();
    EXPECT_LT(waits(20 * kNanosPerSecond, -1), 10 * kNanosPerSecond);
    EXPECT_EQ(receive(port_, 1).at(0), numbered(7));
}

TEST_F(DpdkRing, SaysWhatItIs) {
    EXPECT_THAT(device_.describe(), HasSubstr("dpdk:net_ring0, driver net_ring, 1 queue, ordinary pages"));
    EXPECT_EQ(port_.mtu(), 1500U);
    EXPECT_FALSE(port_.hardware_address().is_group());
}

TEST_F(DpdkRing, ADeviceIsOpenOnce) {
    EXPECT_THAT(refusal_of("net_ring0"), HasSubstr("is open already"));
}

TEST(DpdkDevice, IsThereAgainAfterItWasClosed) {
    for (int i = 0; i < 5; ++i) {
        auto device = open_or_throw("net_ring0");
        ASSERT_TRUE(send_one(device.ports().front(), numbered(1)));
    }
}

// Two ends of shared memory, as between two processes.
class DpdkMemif : public ::testing::Test {
  protected:
    DpdkMemif() { fs::remove(socket_); }
    ~DpdkMemif() override { fs::remove(socket_); }
    std::string device(const std::string& name, const std::string& role) const {
        return name + ",role=" + role + ",socket=" + socket_ + ",socket-abstract=no";
    }
    // Both ends find each other on a thread of DPDK's: until then what is sent is lost.
    static bool meet(DpdkPort& server, DpdkPort& client) {
        for (int tries = 0; tries < 500; ++tries) {
            (void)send_one(server, numbered(0));
            server.flush();
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            std::array<Frame, kBurst> frames;
            const std::size_t n = client.receive(frames);
            client.release(std::span(frames).first(n));
            if (n > 0) return true;
        }
        return false;
    }
    std::string socket_ = fs::temp_directory_path() / ("rouse-memif-" + std::to_string(::getpid()));
};

TEST_F(DpdkMemif, TwoEndsExchangeFramesBothWays) {
    auto servers = open_or_throw(device("net_memif0", "server"));
    auto clients = open_or_throw(device("net_memif1", "client"));
    DpdkPort& server = servers.ports().front();
    DpdkPort& client = clients.ports().front();
    ASSERT_TRUE(meet(server, client));
    for (std::uint32_t i = 1; i < 5000; ++i) {
        ASSERT_TRUE(send_one(client, numbered(i, 1474)));
        client.flush();
        ASSERT_EQ(receive(server, 1).at(0), numbered(i, 1474));
        ASSERT_TRUE(send_one(server, numbered(i, kShortest)));
        server.flush();
        ASSERT_EQ(receive(client, 1).at(0), numbered(i, kShortest));
    }
}

TEST_F(DpdkMemif, ASocketLeftBehindIsNoObstacleAndOneInUseIs) {
    const int left = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    socket_.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(left, 1), 0);
    EXPECT_THAT(refusal_of(device("net_memif2", "server")), HasSubstr("in use"));
    ::close(left);
    EXPECT_EQ(refusal_of(device("net_memif3", "server")), "");
}

TEST_F(DpdkMemif, WithoutALinkFramesAreGivenUpAndCounted) {
    auto servers = open_or_throw(device("net_memif0", "server"));
    DpdkPort& server = servers.ports().front();
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        ASSERT_TRUE(send_one(server, numbered(i)));
        server.flush();
    }
    EXPECT_EQ(server.statistics().transmit_dropped, 10'000U);
}

TEST_F(DpdkMemif, LinkChangesAreToldAndSeen) {
    std::mutex mutex;
    std::vector<std::string> told;
    DpdkOptions options = ordinary_pages();
    options.report = [&](const std::string& text) {
        const std::lock_guard lock(mutex);
        if (text.starts_with("link of")) told.push_back(text);
    };
    auto servers = open_or_throw(device("net_memif0", "server"), 1, options);
    const auto becomes = [&](bool is_up) {
        for (int tries = 0; tries < 500 && servers.has_link() != is_up; ++tries)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return servers.has_link() == is_up;
    };
    ASSERT_TRUE(becomes(false));
    {
        auto clients = open_or_throw(device("net_memif1", "client"));
        ASSERT_TRUE(becomes(true));
    }
    ASSERT_TRUE(becomes(false));
    const std::lock_guard lock(mutex);
    EXPECT_THAT(told, ElementsAre(HasSubstr("net_memif0 is down"), HasSubstr("net_memif0 is up"),
                                  HasSubstr("net_memif0 is down")));
}

TEST(DpdkDevice, ThatNobodyKnowsIsAnError) {
    const std::string refusal = refusal_of("net_bogus0");
    EXPECT_THAT(refusal, HasSubstr("cannot make a device of 'net_bogus0'"));
    EXPECT_THAT(refusal, HasSubstr("DPDK says"));
}

TEST(DpdkDevice, TellsADriversReasonAndTheNextOneOpens) {
    EXPECT_THAT(refusal_of("net_af_packet0,iface=nowhere0"), HasSubstr("No such device"));
    EXPECT_EQ(refusal_of("net_null0"), "");
}

TEST(DpdkDevice, HasAPortForEachOfItsQueues) {
    auto device = open_or_throw("net_null0", 4);
    ASSERT_EQ(device.ports().size(), 4U);
    std::vector<std::thread> workers;
    for (DpdkPort& port : device.ports())
        workers.emplace_back([&port] {
            port.enter_thread();
            for (int i = 0; i < 10'000; ++i) {
                std::array<Frame, kBurst> frames;
                ASSERT_EQ(port.receive(frames), kBurst);
                port.release(frames);
                ASSERT_TRUE(send_one(port, numbered(1)));
                port.flush();
            }
        });
    for (std::thread& worker : workers) worker.join();
}

TEST(DpdkDevice, HasAsManyQueuesAsSuitItIfNobodyCares) {
    EXPECT_EQ(open_or_throw("net_null0", 0).ports().size(), std::thread::hardware_concurrency());
    EXPECT_EQ(open_or_throw("net_ring0", 0).ports().size(), 1U);
}

TEST(DpdkDevice, HasNoMoreQueuesThanThereAre) {
    EXPECT_THAT(refusal_of("net_null0", 4000), HasSubstr("4000 are wanted"));
}

TEST(DpdkDevice, HasTheFramesThatItWasGiven) {
    DpdkOptions options = ordinary_pages();
    options.receive_descriptors = options.transmit_descriptors = 64;
    options.transmit_frames = 128;
    auto device = open_or_throw("net_ring0", 1, options);
    DpdkPort& port = device.ports().front();
    std::array<Frame, kBurst> frames;
    std::size_t had = 0;
    while (const std::size_t n = port.allocate(frames)) had += n;
    EXPECT_EQ(had, 128U);
}

}  // namespace
}  // namespace rouse::port
