// The dpdk port on devices made of software. EAL starts once per process, in ordinary pages.

#include "dataplane/port/dpdk_device.hpp"
#include "dataplane/port/eal.hpp"
#include "shared/clock.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace rouse::port {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using Bytes = std::vector<std::byte>;
namespace fs = std::filesystem;

constexpr std::size_t kShortest = 60;
constexpr std::size_t kLongest = DpdkPort::kFrameBytes;

DpdkOptions ordinary_pages() {
    DpdkOptions options;
    options.eal_arguments = "--no-huge -m 128";
    return options;
}

DpdkDevice open_or_throw(const std::string& device, unsigned queues = 1) {
    auto opened = DpdkDevice::open(device, queues, ordinary_pages());
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
}

std::string refusal_of(const std::string& device, unsigned queues = 1) {
    const auto opened = DpdkDevice::open(device, queues, ordinary_pages());
    return opened ? "" : opened.error().message;
}

Bytes numbered(std::uint32_t n, std::size_t size = kShortest) {
    Bytes bytes(size, static_cast<std::byte>(n * 31));
    std::memcpy(bytes.data(), &n, sizeof n);
    return bytes;
}

bool send_one(DpdkPort& port, const Bytes& bytes) {
    std::array<Frame, 1> frame;
    if (port.allocate(frame) == 0) return false;
    std::copy(bytes.begin(), bytes.end(), frame[0].room().begin());
    frame[0].length = static_cast<std::uint32_t>(bytes.size());
    return port.send(frame) == 1;
}

// What comes within five seconds, COUNT frames at most.
std::vector<Bytes> receive(DpdkPort& port, std::size_t count, DpdkPort* sender = nullptr) {
    std::vector<Bytes> received;
    for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
         received.size() < count && std::chrono::steady_clock::now() < end;) {
        std::array<Frame, kBurst> frames;
        const std::size_t n = port.receive(frames);
        for (std::size_t i = 0; i < n; ++i)
            received.emplace_back(frames[i].bytes().begin(), frames[i].bytes().end());
        port.release(std::span(frames).first(n));
        if (sender != nullptr) sender->flush();
        if (n == 0) std::this_thread::yield();
    }
    return received;
}

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

TEST(PciDevice, IsKnownByItsName) {
    EXPECT_TRUE(is_pci_device("0000:03:00.0"));
    EXPECT_TRUE(is_pci_device("03:00.1,representor=[0]"));
    EXPECT_FALSE(is_pci_device("net_tap0,mac=02:00:00:00:00:01"));
    EXPECT_FALSE(is_pci_device("eth0"));
    EXPECT_FALSE(is_pci_device(""));
}

class FakeSysfs : public ::testing::Test {
  protected:
    FakeSysfs() { fs::create_directories(device_); }
    ~FakeSysfs() override { fs::remove_all(root_); }
    void drive_by(const std::string& driver) { fs::create_symlink("/drivers/" + driver, device_ / "driver"); }
    std::string refusal() const {
        const auto usable = check_pci_device("03:00.0", root_);
        return usable ? "" : usable.error().message;
    }
    fs::path root_ = fs::temp_directory_path() / ("rouse-sysfs-" + std::to_string(::getpid()));
    fs::path device_ = root_ / "bus/pci/devices/0000:03:00.0";
};

TEST_F(FakeSysfs, APciDeviceIsUsableBehindAnIommu) {
    drive_by("vfio-pci");
    EXPECT_THAT(refusal(), HasSubstr("behind no IOMMU"));
    fs::create_directory(device_ / "iommu_group");
    EXPECT_EQ(refusal(), "");
}

TEST_F(FakeSysfs, ADeviceOfTheKernelsSaysHowToTakeItAway) {
    EXPECT_THAT(refusal(), HasSubstr("has no driver"));
    drive_by("ixgbe");
    EXPECT_THAT(refusal(), HasSubstr("(driver ixgbe); bind it: `modprobe vfio-pci && dpdk-devbind.py "
                                     "--bind=vfio-pci 0000:03:00.0`"));
}

TEST_F(FakeSysfs, ADriverThatSharesItsDeviceIsFine) {
    drive_by("mlx5_core");
    EXPECT_EQ(refusal(), "");
}

TEST(PciDevice, ThatIsNotThereIsAnError) {
    EXPECT_THAT(refusal_of("0000:fe:1f.7"), HasSubstr("there is no PCI device 0000:fe:1f.7 here"));
}

TEST(EalArguments, UseHugePagesWhereThereAreEnough) {
    const auto huge = eal_arguments({.device = "net_null0", .memory_mib = 32}, 32);
    ASSERT_TRUE(huge);
    EXPECT_THAT(*huge, Contains("--in-memory"));
    EXPECT_THAT(*huge, Not(Contains("--no-huge")));
    EXPECT_THAT(*huge, Contains("--no-pci"));
    const auto ordinary = eal_arguments({.device = "net_null0", .memory_mib = 32}, 30);
    ASSERT_TRUE(ordinary);
    EXPECT_THAT(*ordinary, Contains("--no-huge"));
    EXPECT_THAT(*ordinary, Not(Contains("--in-memory")));  // EAL refuses the two together
}

TEST(EalArguments, OfTheUserSayHowMuchMemoryIsNeeded) {
    const EalOptions options{.device = "net_null0", .memory_mib = 32, .arguments = "-m 64"};
    EXPECT_THAT(*eal_arguments(options, 62), Contains("--no-huge"));
    EXPECT_THAT(*eal_arguments(options, 64), Contains("--in-memory"));
}

TEST(EalArguments, HardwareNeedsHugePages) {
    const auto refused = eal_arguments({.device = "0000:03:00.0", .memory_mib = 32}, 30);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("nr_hugepages"));
    const auto taken = eal_arguments({.device = "0000:03:00.0", .memory_mib = 32}, 32);
    ASSERT_TRUE(taken);
    EXPECT_THAT(*taken, Not(Contains("--no-pci")));
    EXPECT_THAT(*taken, Contains("-a"));
}

TEST(EalArguments, OfTheUserComeLast) {
    const auto arguments = eal_arguments({.device = "net_null0", .arguments = " -m 64  --log-level=8 "}, 0);
    ASSERT_TRUE(arguments);
    ASSERT_GE(arguments->size(), 3U);
    EXPECT_EQ(std::vector(arguments->end() - 3, arguments->end()),
              (std::vector<std::string>{"-m", "64", "--log-level=8"}));
}

}  // namespace
}  // namespace rouse::port
