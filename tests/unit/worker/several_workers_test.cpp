// Several workers, each on its own thread, on queues by which any client's packets may come.

#include "dataplane/worker/loop.hpp"
#include "tests/support/dhcp_builder.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/scratch_store.hpp"
#include "tests/support/tftp_client.hpp"
#include "tests/support/worker_fixture.hpp"
#include "tests/unit/worker/wire_port.hpp"

#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

using test::Bytes;
using test::kServerAddress;
using test::kServerMac;
using test::must;
using test::ScratchStore;
using test::TftpClient;
using test::WirePort;

constexpr unsigned kWorkers = 3;
constexpr std::uint32_t kMachines = 60;
constexpr std::size_t kHeaders = 42;  // Ethernet, IPv4 and UDP

std::string content() {
    std::mt19937 random(1);
    std::string text(70'000, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

class SeveralWorkers : public ::testing::Test {
  protected:
    SeveralWorkers()
        : mesh_(must(HandoverMesh::make(kWorkers))),
          images_(store_.environment(), store_.tables(),
                  {.directory = store_.images(), .budget_bytes = 1 << 26}) {
        store_.add_network_and_profile();
        store_.add_machines(kMachines);
        store_.add_image("file", content_);
        for (unsigned i = 0; i < kWorkers; ++i) start(i);
    }
    ~SeveralWorkers() override {
        stop_.store(true);
        threads_.clear();
    }

    void start(unsigned number) {
        directories_.push_back(std::make_unique<Directory>(must(Directory::open(store_.environment()))));
        events_.push_back(std::make_unique<EventRingLayout>());
        ports_.push_back(std::make_unique<WirePort>());
        const Surroundings with{
            .self = {.mac = kServerMac,
                     .address = kServerAddress,
                     .subnet = *Ipv4Prefix::parse("10.0.0.0/8")},
            .directory = directories_.back().get(),
            .counters = &counters_->worker[number],
            .events = events_.back().get(),
            .tftp = {.sessions = 1024, .seed = number + 1},
            .self6 = test::WorkerFixture::self6(),
            .is_first = number == 0,
            .handover = Handover(*mesh_, number),
        };
        threads_.emplace_back(
            [this, with, port = ports_.back().get(), reader = must(images_.reader())]() mutable {
                const auto worker = std::make_unique<Worker<WirePort>>(*port, with, std::move(reader));
                run_loop(*worker, stop_, {});
            });
    }
    // By any of the queues, as the device likes.
    void send(Bytes frame) { ports_[random_() % kWorkers]->send_in(std::move(frame)); }
    void send_tftp(std::uint32_t machine, const std::vector<std::byte>& payload) {
        send(frame_of(machine, payload));
    }
    [[nodiscard]] static Bytes frame_of(std::uint32_t machine, std::span<const std::byte> payload) {
        return test::PacketBuilder()
            .eth({.destination = kServerMac, .source = ScratchStore::mac_of(machine)})
            .ipv4({.source = ScratchStore::address_of(machine), .destination = kServerAddress})
            .udp({.source_port = 2000, .destination_port = 69})
            .payload(payload)
            .build();
    }
    // VISIT(frame) sees everything that the workers sent since the last time.
    template <typename Visit>
    void receive(Visit&& visit) {
        for (const auto& port : ports_)
            for (const Bytes& frame : port->take_out()) visit(frame);
    }
    [[nodiscard]] std::uint64_t sum(auto what) const {
        std::uint64_t all = 0;
        for (unsigned i = 0; i < kWorkers; ++i) all += counters_->worker[i].get(what);
        return all;
    }
    [[nodiscard]] static std::uint64_t now_ms() { return monotonic_ns() / kNanosPerMilli; }

    const std::string content_ = content();
    ScratchStore store_;
    std::unique_ptr<CountersLayout> counters_ = std::make_unique<CountersLayout>();
    std::unique_ptr<HandoverMesh> mesh_;
    image::ImageStore images_;
    std::vector<std::unique_ptr<Directory>> directories_;
    std::vector<std::unique_ptr<EventRingLayout>> events_;
    std::vector<std::unique_ptr<WirePort>> ports_;
    std::atomic<bool> stop_{false};
    std::mt19937 random_{5};
    std::vector<std::jthread> threads_;
};

TEST_F(SeveralWorkers, EveryTransferIsWholeWhateverQueueItsPacketsComeBy) {
    std::vector<TftpClient> clients;
    for (std::uint32_t i = 0; i < kMachines; ++i)
        clients.emplace_back(TftpClient::Options{
            .name = "file", .ask = {.block_size = 1428, .window_size = 4}, .retry_ms = 2000});
    for (std::uint32_t i = 0; i < kMachines; ++i) send_tftp(i, clients[i].start(now_ms()));
    const std::uint64_t end = now_ms() + 60'000;
    const auto is_done = [](const TftpClient& client) { return client.is_done(); };
    while (!std::ranges::all_of(clients, is_done) && now_ms() < end) {
        receive([&](const Bytes& frame) {
            Ipv4Address to;
            std::memcpy(&to, frame.data() + 30, sizeof to);
            const std::uint32_t machine = to.host() - ScratchStore::address_of(0).host();
            if (const auto answer = clients.at(machine).receive(now_ms(), std::span(frame).subspan(kHeaders)))
                send_tftp(machine, *answer);
        });
        for (std::uint32_t i = 0; i < kMachines; ++i)
            if (const auto again = clients[i].tick(now_ms())) send_tftp(i, *again);
    }
    for (const TftpClient& client : clients) {
        EXPECT_EQ(client.failure(), "");
        EXPECT_TRUE(client.content() == content_);
    }
    EXPECT_EQ(sum(DropReason::tftp_no_session), 0U);
    EXPECT_EQ(sum(DropReason::handover_full), 0U);
    EXPECT_EQ(sum(Counter::events_dropped), 0U);
    for (unsigned i = 0; i < kWorkers; ++i) {
        EXPECT_GT(counters_->worker[i].get(Counter::tftp_transfers_completed), 0U) << i;
        EXPECT_GT(counters_->worker[i].get(Counter::frames_handed_over), 0U) << i;
    }
}

TEST_F(SeveralWorkers, AnyWorkerAnswersADiscoverAndOnce) {
    for (std::uint32_t i = 0; i < kMachines; ++i)
        send(test::DhcpBuilder(wire::DhcpType::discover, ScratchStore::mac_of(i)).pxe(0).frame());
    std::size_t offers = 0;
    for (const std::uint64_t end = now_ms() + 10'000; offers < kMachines && now_ms() < end;)
        receive([&](const Bytes&) { ++offers; });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    receive([&](const Bytes&) { ++offers; });
    EXPECT_EQ(offers, kMachines);
    for (unsigned i = 0; i < kWorkers; ++i)
        EXPECT_GT(counters_->worker[i].get(Counter::dhcp_offers), 0U) << i;
}

// Else a packet that comes by another queue would wait for the end of its rest, 50 ms at most. The median, as
// another process may have the core.
TEST_F(SeveralWorkers, AWorkerAtRestIsWokenForWhatIsHandedOver) {
    constexpr std::string_view kRequest("\0\1absent\0octet\0", 15);
    std::vector<std::uint64_t> delays;
    for (std::uint32_t i = 0; i < 41; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        const unsigned owner = mesh_->owner_of(ScratchStore::address_of(i));
        const std::uint64_t start = monotonic_ns();
        ports_[(owner + 1) % kWorkers]->send_in(frame_of(i, std::as_bytes(std::span(kRequest))));
        bool is_answered = false;
        while (!is_answered && monotonic_ns() - start < 5 * kNanosPerSecond)
            receive([&](const Bytes&) { is_answered = true; });
        ASSERT_TRUE(is_answered) << i;
        delays.push_back(monotonic_ns() - start);
    }
    std::ranges::sort(delays);
    EXPECT_LT(delays[delays.size() / 2], 10 * kNanosPerMilli);
    EXPECT_EQ(sum(Counter::frames_handed_over), 41U);
    EXPECT_GT(sum(Counter::rests), 0U);
    EXPECT_GT(sum(Counter::rest_nanoseconds), 0U);
}

}  // namespace
}  // namespace rouse::worker
