#include "dataplane/port/memory.hpp"

#include <deque>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>
#include <pcap/pcap.h>
#include <unistd.h>

namespace rouse::port {
namespace {

using Bytes = std::vector<std::byte>;

Bytes numbered(std::uint32_t n, std::size_t size = 60) {
    Bytes bytes(size, static_cast<std::byte>(n));
    std::memcpy(bytes.data(), &n, sizeof n);
    return bytes;
}

Bytes copy_of(const Frame& frame) {
    return {frame.bytes().begin(), frame.bytes().end()};
}

// Sends one frame with these bytes; returns what send() said.
std::size_t send_one(MemoryPort& port, const Bytes& bytes) {
    std::array<Frame, 1> frame;
    if (port.allocate(frame) == 0) return 0;
    std::copy(bytes.begin(), bytes.end(), frame[0].room().begin());
    frame[0].length = static_cast<std::uint32_t>(bytes.size());
    return port.send(frame);
}

TEST(MemoryPort, ReceivesWhatWasInjectedInOrder) {
    MemoryPort port;
    for (std::uint32_t i = 0; i < 40; ++i) ASSERT_TRUE(port.inject(numbered(i, 60 + i)));
    std::array<Frame, kBurst> frames;
    ASSERT_EQ(port.receive(frames), kBurst);
    for (std::uint32_t i = 0; i < kBurst; ++i) EXPECT_EQ(copy_of(frames[i]), numbered(i, 60 + i));
    port.release(frames);
    ASSERT_EQ(port.receive(frames), 40 - kBurst);
    EXPECT_EQ(copy_of(frames[0]), numbered(kBurst, 60 + kBurst));
}

TEST(MemoryPort, NothingLeavesBeforeTheKick) {
    MemoryPort port;
    ASSERT_EQ(send_one(port, numbered(1)), 1U);
    EXPECT_TRUE(port.take_sent().empty());
    port.flush();
    ASSERT_EQ(send_one(port, numbered(2)), 1U);
    EXPECT_EQ(port.take_sent(), std::vector<Bytes>{numbered(1)});
    port.flush();
    EXPECT_EQ(port.take_sent(), std::vector<Bytes>{numbered(2)});
    EXPECT_EQ(port.flushes(), 2U);
}

TEST(MemoryPort, FullReceiveRingDropsAndCounts) {
    MemoryPort port({.receive_frames = 8, .receive_ring = 3});
    for (std::uint32_t i = 0; i < 3; ++i) ASSERT_TRUE(port.inject(numbered(i)));
    EXPECT_FALSE(port.inject(numbered(3)));
    Bytes foreign = numbered(4);
    EXPECT_FALSE(port.inject_in_place(foreign));
    EXPECT_EQ(port.statistics().receive_dropped, 2U);
    EXPECT_EQ(port.free_receive_frames(), 5U);
}

TEST(MemoryPort, FramesThatTheWorkerKeepsAreMissingForReceiving) {
    MemoryPort port({.receive_frames = 2});
    std::array<Frame, 2> frames;
    ASSERT_TRUE(port.inject(numbered(0)));
    ASSERT_TRUE(port.inject(numbered(1)));
    ASSERT_EQ(port.receive(frames), 2U);
    EXPECT_FALSE(port.inject(numbered(2)));
    port.release(std::span(frames).first(1));
    EXPECT_TRUE(port.inject(numbered(3)));
    EXPECT_EQ(port.statistics().receive_dropped, 1U);
}

TEST(MemoryPort, OversizedFrameIsRefused) {
    MemoryPort port;
    EXPECT_TRUE(port.inject(Bytes(MemoryPort::kFrameCapacity)));
    EXPECT_FALSE(port.inject(Bytes(MemoryPort::kFrameCapacity + 1)));
    EXPECT_EQ(port.statistics().receive_dropped, 1U);
}

TEST(MemoryPort, EmptyFrameIsReceivedAsEmpty) {
    MemoryPort port;
    ASSERT_TRUE(port.inject({}));
    std::array<Frame, 1> frame;
    ASSERT_EQ(port.receive(frame), 1U);
    EXPECT_EQ(frame[0].length, 0U);
    port.release(frame);
    EXPECT_EQ(port.held(), 0U);
}

TEST(MemoryPort, AllocatesNoMoreThanItHasUntilDrained) {
    MemoryPort port({.transmit_frames = 4});
    std::array<Frame, 6> frames;
    ASSERT_EQ(port.allocate(frames), 4U);
    EXPECT_EQ(port.allocate(frames), 0U);
    for (auto& frame : frames) {
        EXPECT_TRUE(&frame - frames.data() >= 4 || frame.capacity == MemoryPort::kFrameCapacity);
        frame.length = 60;
    }
    ASSERT_EQ(port.send(std::span(frames).first(4)), 4U);
    port.flush();
    EXPECT_EQ(port.allocate(frames), 0U);
    EXPECT_EQ(port.drain(), 4U);
    EXPECT_EQ(port.allocate(frames), 4U);
}

TEST(MemoryPort, FullTransmitRingFreesTheRest) {
    MemoryPort port({.transmit_frames = 8, .transmit_ring = 3});
    std::array<Frame, 5> frames;
    ASSERT_EQ(port.allocate(frames), 5U);
    for (auto& frame : frames) frame.length = 60;
    EXPECT_EQ(port.send(frames), 3U);
    EXPECT_EQ(port.held(), 0U);
    EXPECT_EQ(port.free_transmit_frames(), 5U);
}

TEST(MemoryPort, LengthZeroGivesTheFrameBackUnsent) {
    MemoryPort port({.transmit_frames = 2});
    std::array<Frame, 2> frames;
    ASSERT_EQ(port.allocate(frames), 2U);
    frames[1].length = 60;
    EXPECT_EQ(port.send(frames), 1U);
    EXPECT_EQ(port.free_transmit_frames(), 1U);
}

TEST(MemoryPort, InPlaceInjectionHandsOverTheVeryBytes) {
    MemoryPort port({.receive_frames = 0});
    Bytes bytes = numbered(7);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(port.inject_in_place(bytes));
    std::array<Frame, kBurst> frames;
    ASSERT_EQ(port.receive(frames), 3U);
    EXPECT_EQ(frames[2].data, bytes.data());
    EXPECT_EQ(port.held(), 3U);
    port.release(std::span(frames).first(3));
    EXPECT_EQ(port.held(), 0U);
}

// Read back by libpcap itself, as the tools that people use do.
TEST(MemoryPort, CapturesBothDirectionsInOrder) {
    const std::string path = ::testing::TempDir() + "rouse-capture-" + std::to_string(::getpid()) + ".pcap";
    {
        auto capture = Capture::open(path);
        ASSERT_TRUE(capture) << capture.error().message;
        MemoryPort port;
        port.capture_to(&*capture);
        ASSERT_TRUE(port.inject(numbered(1, 60)));
        ASSERT_EQ(send_one(port, numbered(2, 1514)), 1U);
        Bytes in_place = numbered(3, 61);
        ASSERT_TRUE(port.inject_in_place(in_place));
        port.flush();  // what was sent is on the wire only now
        port.flush();
        ASSERT_EQ(port.drain(), 1U);
    }
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    pcap_t* file = pcap_open_offline(path.c_str(), error.data());
    ASSERT_NE(file, nullptr) << error.data();
    EXPECT_EQ(pcap_datalink(file), DLT_EN10MB);
    for (const Bytes& expected : {numbered(1, 60), numbered(3, 61), numbered(2, 1514)}) {
        pcap_pkthdr* header = nullptr;
        const u_char* data = nullptr;
        ASSERT_EQ(pcap_next_ex(file, &header, &data), 1);
        const auto bytes = std::as_bytes(std::span(data, header->caplen));
        EXPECT_EQ(Bytes(bytes.begin(), bytes.end()), expected);
        EXPECT_EQ(header->len, expected.size());
    }
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    EXPECT_EQ(pcap_next_ex(file, &header, &data), PCAP_ERROR_BREAK);
    pcap_close(file);
    std::filesystem::remove(path);
}

TEST(MemoryPort, CaptureThatCannotBeWrittenIsRefused) {
    const auto capture = Capture::open("/nowhere/capture.pcap");
    ASSERT_FALSE(capture);
    EXPECT_NE(capture.error().message.find("/nowhere/capture.pcap"), std::string::npos);
}

// Whatever the order of the calls, frames are neither lost nor doubled, and bytes stay with their frame.
TEST(MemoryPort, AccountingIsExactUnderRandomUse) {
    constexpr std::uint32_t kReceive = 37;
    constexpr std::uint32_t kTransmit = 23;
    MemoryPort port(
        {.receive_frames = kReceive, .transmit_frames = kTransmit, .receive_ring = 29, .transmit_ring = 11});
    std::mt19937 random(1);
    std::deque<Frame> received;
    std::deque<Frame> allocated;
    std::deque<Bytes> expected;  // injected and not yet received
    std::deque<Bytes> sent;      // in the transmit ring
    std::uint64_t refused = 0;
    for (std::uint32_t step = 0; step < 200'000; ++step) {
        std::array<Frame, kBurst> frames;
        const std::size_t want = random() % kBurst + 1;
        switch (random() % 6) {
            case 0:
                for (std::size_t i = 0; i < want; ++i) {
                    if (port.inject(numbered(step)))
                        expected.push_back(numbered(step));
                    else
                        ++refused;
                }
                break;
            case 1:
                for (std::size_t i = 0, n = port.receive(std::span(frames).first(want)); i < n; ++i) {
                    ASSERT_EQ(copy_of(frames[i]), expected.front());
                    expected.pop_front();
                    received.push_back(frames[i]);
                }
                break;
            case 2:
                for (std::size_t i = 0; i < want && !received.empty(); ++i) {
                    port.release(std::span(&received.back(), 1));  // not in the order of their arrival
                    received.pop_back();
                }
                break;
            case 3: {
                const std::size_t n = port.allocate(std::span(frames).first(want));
                allocated.insert(allocated.end(), frames.begin(),
                                 frames.begin() + static_cast<std::ptrdiff_t>(n));
                break;
            }
            case 4: {
                if (allocated.empty()) break;
                Frame frame = allocated.front();
                allocated.pop_front();
                const Bytes bytes = numbered(step);
                std::copy(bytes.begin(), bytes.end(), frame.data);
                frame.length = random() % 4 == 0 ? 0 : static_cast<std::uint32_t>(bytes.size());
                if (port.send(std::span(&frame, 1)) == 1) sent.push_back(bytes);
                break;
            }
            case 5:
                if (random() % 8 != 0) break;
                port.flush();
                ASSERT_EQ(port.take_sent(), std::vector<Bytes>(sent.begin(), sent.end()));
                sent.clear();
                break;
        }
        ASSERT_EQ(port.held(), received.size() + allocated.size());
        ASSERT_EQ(port.free_receive_frames() + port.waiting() + received.size(), kReceive);
        ASSERT_EQ(port.free_transmit_frames() + allocated.size() + sent.size(), kTransmit);
    }
    EXPECT_EQ(port.statistics().receive_dropped, refused);
    EXPECT_GT(refused, 0U);
}

#ifndef NDEBUG
TEST(MemoryPortDeathTest, DoubleReleaseIsCaught) {
    MemoryPort port;
    ASSERT_TRUE(port.inject(numbered(0)));
    ASSERT_TRUE(port.inject(numbered(1)));
    std::array<Frame, 2> frames;
    ASSERT_EQ(port.receive(frames), 2U);
    frames[1] = frames[0];
    EXPECT_DEATH(port.release(frames), "given back twice");
}

TEST(MemoryPortDeathTest, ReleaseOfMoreThanWasReceivedIsCaught) {
    MemoryPort port;
    Bytes bytes = numbered(0);
    ASSERT_TRUE(port.inject_in_place(bytes));
    std::array<Frame, 1> frame;
    ASSERT_EQ(port.receive(frame), 1U);
    port.release(frame);
    EXPECT_DEATH(port.release(frame), "more frames given back");
}

TEST(MemoryPortDeathTest, DoubleSendIsCaught) {
    MemoryPort port;
    std::array<Frame, 2> frames;
    ASSERT_EQ(port.allocate(frames), 2U);
    frames[0].length = 60;
    frames[1] = frames[0];
    EXPECT_DEATH(port.send(frames), "given back twice");
}
#endif

#ifdef __SANITIZE_ADDRESS__
TEST(MemoryPortDeathTest, OneByteTooFarIsCaught) {
    MemoryPort port;
    ASSERT_TRUE(port.inject(numbered(0, 61)));
    std::array<Frame, 1> frame;
    ASSERT_EQ(port.receive(frame), 1U);
    const auto read = [](const std::byte* at) { return *static_cast<const volatile std::byte*>(at); };
    EXPECT_DEATH(read(frame[0].data + 61), "use-after-poison");
    EXPECT_DEATH(read(frame[0].data - 1), "use-after-poison");
    port.release(frame);
    EXPECT_DEATH(read(frame[0].data), "use-after-poison");
}
#endif

}  // namespace
}  // namespace rouse::port
