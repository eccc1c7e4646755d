// The engine against reference clients over a network that loses, doubles and reorders, on a clock that only
// the test moves. Every schedule is a seed; a failure prints it.

#include "tests/support/tftp_client.hpp"
#include "tests/unit/tftp/engine_fixture.hpp"

#include <cstdlib>
#include <map>
#include <random>

namespace rouse::tftp {
namespace {

using test::TftpClient;

std::string netascii(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') out += '\r';
        out += c;
        if (c == '\r') out += '\0';
    }
    return out;
}

class Schedule {
  public:
    explicit Schedule(std::uint64_t seed) : random_(seed), engine_({.sessions = 4, .seed = seed}) {
        loss_ = pick({0, 0, 1, 5, 20, 30});
        doubling_ = pick({0, 0, 1, 10, 50});
        lateness_ = pick({0, 0, 1, 10, 30});
        frames_are_short_ = below(4) == 0;
        const std::size_t clients = 1 + below(4);
        for (std::size_t i = 0; i < clients; ++i) add_client(i);
    }

    void run() {
        for (std::size_t i = 0; i < clients_.size(); ++i)
            to_server(i, clients_[i].client.start(now_us_ / 1000));
        while (!is_over() && now_us_ < kEnd) {
            now_us_ = next_moment();
            deliver();
            for (std::size_t i = 0; i < clients_.size(); ++i)
                if (auto again = clients_[i].client.tick(now_us_ / 1000)) to_server(i, std::move(*again));
            if (frames_are_short_) host_.frames_left = below(4);
            engine_.run(now_us_ * 1000, host_, 1 + below(64));
            for (const auto& packet : host_.take()) to_client(packet);
        }
    }

    void check() {
        std::uint64_t needed = 0;
        std::uint64_t widest = 1;
        std::uint64_t disturbances = anomalies_;
        for (const auto& [client, expected, name] : clients_) {
            ASSERT_EQ(client.failure(), "") << name << "\n" << story();
            ASSERT_TRUE(client.is_done())
                << name << " has " << client.content().size() << " bytes of " << expected.size() << "\n"
                << story();
            ASSERT_TRUE(client.content() == expected) << name;
            needed += client.blocks();
            widest = std::max<std::uint64_t>(widest, client.window());
            disturbances += client.timeouts();
        }
        // A packet that is lost, doubled or late, or a client that asks again, is noticed at most by both
        // sides and brings a window again each time. Never more, and never a lasting doubling; without any of
        // them nothing is sent twice.
        const std::uint64_t sent = host_.counters().get(Counter::tftp_data_blocks);
        EXPECT_LE(sent, needed + 2 * widest * disturbances)
            << disturbances << " disturbances, window " << widest << "\n"
            << story();
        EXPECT_GE(sent, needed);
    }

  private:
    // For a failure: the network, and what the server has to tell.
    [[nodiscard]] std::string story() const {
        std::string text = "loss " + std::to_string(loss_) + " %, doubling " + std::to_string(doubling_) +
                           " %, lateness " + std::to_string(lateness_) + " %\n";
        for (const Event& event : host_.events)
            text += std::string(to_string(event.kind)) + " " + std::string(event.get_text()) + " detail " +
                    std::to_string(event.detail) + ", " + std::to_string(event.bytes) + " bytes, blocks of " +
                    std::to_string(event.block_size) + ", window " + std::to_string(event.window_size) +
                    ", resent " + std::to_string(event.count) + ", after " +
                    std::to_string(event.duration_ns / kNanosPerMilli) + " ms\n";
        return text;
    }

    static constexpr std::uint64_t kEnd = 600'000'000;  // microseconds

    struct Participant {
        TftpClient client;
        std::string expected;
        std::string name;
    };
    struct Flight {
        std::size_t client;
        bool is_to_server;
        std::vector<std::byte> bytes;
    };

    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    std::uint64_t pick(std::initializer_list<std::uint64_t> values) {
        return values.begin()[below(values.size())];
    }

    void add_client(std::size_t index) {
        TftpClient::Options options;
        options.name = "file" + std::to_string(index);
        options.gap = static_cast<TftpClient::Gap>(below(3));
        // EDK2, the most patient one, tells of every gap.
        const bool is_patient = options.gap == TftpClient::Gap::acknowledge_each && below(3) == 0;
        options.retry_ms = is_patient ? 4000 : pick({100, 300, 1000});
        const std::uint64_t block_size = pick({8, 9, 64, 512, 1468});
        if (below(4) != 0) options.ask.block_size = static_cast<std::uint16_t>(block_size);
        if (below(2) != 0) options.ask.window_size = static_cast<std::uint16_t>(pick({1, 2, 4, 16, 64, 100}));
        if (below(2) != 0) options.ask.file_size = 0;
        if (below(8) == 0) options.ask.timeout = static_cast<std::uint8_t>(1 + below(3));
        const std::uint64_t effective = options.ask.block_size ? block_size : 512;
        std::string& bytes = host_.file(options.name).bytes;
        bytes.resize(below(4) == 0 ? effective * below(40) : below(effective * 40));
        for (char& c : bytes) c = static_cast<char>(random_());
        std::string expected = bytes;
        if (below(4) == 0) {
            options.mode = "netascii";
            for (char& c : bytes)
                if (below(3) == 0) c = "\r\n"[below(2)];
            expected = netascii(bytes);
        }
        const std::string name = options.name;
        clients_.push_back({TftpClient(std::move(options)), std::move(expected), name});
    }

    void to_server(std::size_t client, std::vector<std::byte> bytes) {
        send({client, true, std::move(bytes)});
    }
    void to_client(const test::TftpHost::Packet& packet) {
        const auto bytes = packet.bytes();
        send({packet.client - kFirstPort, false, {bytes.begin(), bytes.end()}});
    }
    void send(Flight flight) {
        if (below(100) < loss_) {
            ++anomalies_;
            return;
        }
        const int copies = below(100) < doubling_ ? 2 : 1;
        for (int i = 0; i < copies; ++i) {
            std::uint64_t delay = 100;
            if (i > 0) ++anomalies_;
            if (below(100) < lateness_) {
                ++anomalies_;
                delay += below(80'000);
            }
            flights_.emplace(now_us_ + delay, flight);
        }
    }
    void deliver() {
        while (!flights_.empty() && flights_.begin()->first <= now_us_) {
            const Flight flight = std::move(flights_.begin()->second);
            flights_.erase(flights_.begin());
            if (flight.is_to_server) {
                const auto port = static_cast<std::uint16_t>(kFirstPort + flight.client);
                const Peer peer{
                    Ipv4Address::from_host(0x0a4d0009), Ipv4Address::from_host(0x0a4d0001), port, {}};
                (void)engine_.receive(now_us_ * 1000, peer, flight.bytes, host_);
            } else if (auto answer = clients_[flight.client].client.receive(now_us_ / 1000, flight.bytes)) {
                to_server(flight.client, std::move(*answer));
            }
        }
    }
    [[nodiscard]] bool is_over() const {
        return flights_.empty() && engine_.open_sessions() == 0 &&
               std::ranges::all_of(clients_, [](const Participant& peer) { return peer.client.is_done(); });
    }
    // The next packet, or two milliseconds: the engine's own timers.
    [[nodiscard]] std::uint64_t next_moment() const {
        const std::uint64_t poll = now_us_ + (engine_.open_sessions() > 0 ? 2000 : 20'000);
        return flights_.empty() ? poll : std::clamp(flights_.begin()->first, now_us_ + 1, poll);
    }

    static constexpr std::uint16_t kFirstPort = 2000;

    std::mt19937_64 random_;
    test::TftpHost host_;
    Engine<test::TftpHost> engine_;
    std::vector<Participant> clients_;
    std::multimap<std::uint64_t, Flight> flights_;
    std::uint64_t now_us_ = 1'000'000;
    std::uint64_t loss_ = 0;  // percent, and so on
    std::uint64_t doubling_ = 0;
    std::uint64_t lateness_ = 0;
    bool frames_are_short_ = false;
    std::uint64_t anomalies_ = 0;
};

void run_schedule(std::uint64_t seed) {
    SCOPED_TRACE("rerun with ROUSE_SEED=" + std::to_string(seed));
    Schedule schedule(seed);
    schedule.run();
    schedule.check();
}

// ROUSE_SEED: one schedule again. ROUSE_SCHEDULES: more of them.
TEST(Model, TenThousandSchedulesEndEqualAndWithinTheBound) {
    const auto setting = [](const char* name, std::uint64_t otherwise) {
        const char* value = std::getenv(name);
        return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
    };
    const std::uint64_t first = setting("ROUSE_SEED", 1);
    const std::uint64_t last = first > 1 ? first : setting("ROUSE_SCHEDULES", 10'000);
    for (std::uint64_t seed = first; seed <= last && !::testing::Test::HasFailure(); ++seed)
        run_schedule(seed);
}

}  // namespace
}  // namespace rouse::tftp
