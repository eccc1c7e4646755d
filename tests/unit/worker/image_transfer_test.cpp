// Images over TFTP, from the file to the client's last byte: the worker, and the image store's own thread.

#include "shared/clock.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/tftp_client.hpp"
#include "tests/support/worker_fixture.hpp"

#include <chrono>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

using test::ScratchStore;
using test::TftpClient;

constexpr std::size_t kHeaders = wire::kUdpFrameOverhead;

std::string content(std::size_t size, unsigned seed) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<char>((i * 2654435761U + seed * 40503U) >> 11);
    return bytes;
}

class ImageTransfer : public ::testing::Test {
  protected:
    void start(std::uint64_t budget) {
        store_.add_network_and_profile();
        store_.add_machines(4);
        fixture_ = std::make_unique<test::WorkerFixture>(store_, port::MemoryOptions{},
                                                         tftp::EngineOptions{.sessions = 16}, budget);
    }
    static TftpClient client(const std::string& name) {
        return TftpClient({.name = name, .ask = {.block_size = 1468, .window_size = 64}, .retry_ms = 1000});
    }
    void send(std::uint32_t machine, std::span<const std::byte> payload) {
        fixture_->port.inject(
            test::PacketBuilder()
                .eth({.destination = test::kServerMac, .source = ScratchStore::mac_of(machine)})
                .ipv4({.source = ScratchStore::address_of(machine), .destination = test::kServerAddress})
                .udp({.source_port = 2000, .destination_port = 69})
                .payload(payload)
                .build());
    }
    // One turn of the worker, and what MACHINE's client makes of it; what is for others is lost.
    void turn(std::uint32_t machine, TftpClient& client) {
        fixture_->worker.turn(monotonic_ns(), monotonic_ns());
        const auto sent = fixture_->port.take_sent();
        for (const auto& frame : sent) {
            Ipv4Address to;
            std::memcpy(&to, frame.data() + 30, sizeof to);
            if (to != ScratchStore::address_of(machine)) continue;
            if (const auto answer = client.receive(now_ms(), std::span(frame).subspan(kHeaders)))
                send(machine, *answer);
        }
        if (const auto again = client.tick(now_ms())) send(machine, *again);
        if (sent.empty()) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    void finish(std::uint32_t machine, TftpClient& client) {
        const std::uint64_t end = now_ms() + 60'000;
        while (!client.is_done() && client.failure().empty() && now_ms() < end) turn(machine, client);
        turn(machine, client);  // the last acknowledgement
    }
    void fetch(std::uint32_t machine, TftpClient& client) {
        send(machine, client.start(now_ms()));
        finish(machine, client);
    }
    // The content has no name any more.
    void forget(const std::string& bytes) {
        store::Sha256 hash;
        SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
        store_.commit([&](store::Transaction& txn, const store::Tables& tables) {
            test::must(txn.remove(tables.images, store::bytes_of(hash)));
        });
    }
    // Until the image store knows all that was committed.
    void settle() {
        auto reader = test::must(fixture_->images.reader());
        for (int i = 0; i < 5000 && reader.followed() < store_.environment().last_transaction(); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ASSERT_EQ(reader.followed(), store_.environment().last_transaction());
    }
    [[nodiscard]] static std::uint64_t now_ms() { return monotonic_ns() / kNanosPerMilli; }

    ScratchStore store_;
    std::unique_ptr<test::WorkerFixture> fixture_;
};

// There is no room for the image while another is being sent, so its transfer waits; meanwhile its name comes
// to stand for something else.
TEST_F(ImageTransfer, ANameThatIsRePointedWhileATransferWaitsGivesTheOldContent) {
    const auto in_the_way = content(600'000, 1);
    const auto old = content(600'001, 2);
    const auto fresh = content(10'000, 3);
    store_.add_image("other", in_the_way);
    start(1'000'000);
    auto first = client("other");
    send(1, first.start(now_ms()));
    while (fixture_->counters->get(Counter::tftp_images_staged) +
               fixture_->counters->get(Counter::tftp_images_resident) ==
           0)
        turn(1, first);
    store_.add_image("name", old);
    settle();

    auto second = client("name");
    send(2, second.start(now_ms()));
    for (int i = 0; i < 20; ++i) turn(2, second);
    EXPECT_EQ(second.content(), "");
    store_.add_image("name", fresh);
    forget(old);
    settle();
    for (int i = 0; i < 20; ++i) turn(2, second);
    EXPECT_EQ(second.failure(), "");

    auto third = client("name");
    fetch(3, third);
    EXPECT_TRUE(third.content() == fresh);

    finish(1, first);
    EXPECT_TRUE(first.content() == in_the_way);
    forget(in_the_way);
    finish(2, second);
    EXPECT_EQ(second.failure(), "");
    EXPECT_TRUE(second.content() == old);
}

// More than there is room for: read ahead of the transfer through a ring.
TEST_F(ImageTransfer, AnImageLargerThanTheBudgetArrivesWhole) {
    const auto bytes = content(60'000'000, 4);
    store_.add_image("initrd", bytes);
    start(std::uint64_t{64} << 20);
    auto one = client("initrd");
    fetch(1, one);
    EXPECT_EQ(one.failure(), "");
    EXPECT_TRUE(one.content() == bytes);
    EXPECT_EQ(fixture_->counters->get(Counter::tftp_images_streamed), 1U);
    EXPECT_EQ(fixture_->counters->get(Counter::tftp_transfers_completed), 1U);
}

}  // namespace
}  // namespace rouse::worker
