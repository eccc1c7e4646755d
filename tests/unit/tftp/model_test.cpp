// The engine against reference clients over a network that loses, doubles and reorders, on a clock that only
// the test moves. Every schedule is a seed; a failure prints it.

#include "tests/support/netascii.hpp"
#include "tests/support/tftp_client.hpp"
#include "tests/unit/tftp/engine_fixture.hpp"

#include <cstdlib>
#include <map>
#include <random>
#include <set>

namespace rouse::tftp {
namespace {

using test::TftpClient;

class Schedule {
  public:
    explicit Schedule(std::uint64_t seed)
        : random_(seed),
          engine_({.sessions = 4, .seed = seed, .ports = below(4) == 0 ? kPorts : PortRange{}}) {
        // One client for whom the block numbers wrap, where little else happens: it takes 65 535 blocks.
        wraps_ = seed % 500 == 0;
        loss_ = pick({0, 0, 1, 5, 20, 30});
        if (wraps_) loss_ = std::min<std::uint64_t>(loss_, 1);
        doubling_ = pick({0, 0, 1, 10, 50});
        lateness_ = pick({0, 0, 1, 10, 30});
        frames_are_short_ = below(4) == 0;
        if (below(6) == 0) host_.quirks.add(Quirk::rollover_to_one);
        if (below(12) == 0 && !wraps_) host_.quirks.add(Quirk::plain_tftp);
        const std::size_t clients = wraps_ ? 1 : 1 + below(4);
        for (std::size_t i = 0; i < clients; ++i) add_client(i);
    }

    void run() {
        for (std::size_t i = 0; i < clients_.size(); ++i)
            to_server(i, clients_[i].client.start(now_us_ / 1000));
        while (!is_over() && now_us_ < (wraps_ ? kEndOfLong : kEnd)) {
            now_us_ = next_moment();
            deliver();
            for (std::size_t i = 0; i < clients_.size(); ++i)
                if (auto again = clients_[i].client.tick(now_us_ / 1000)) to_server(i, std::move(*again));
            if (frames_are_short_) host_.frames_left = below(4);
            engine_.run(now_us_ * 1000, host_, 1 + below(64));
            send_waiting();
        }
    }

    void check() {
        std::uint64_t needed = 0;
        std::uint64_t widest = 1;
        std::uint64_t disturbances = anomalies_;
        for (const auto& [client, expected, name, is_missing, server_port] : clients_) {
            if (is_missing) {
                ASSERT_EQ(client.failure(), "file not found") << name << "\n" << story();
                needed += 1;
                disturbances += client.timeouts();
                continue;
            }
            ASSERT_EQ(client.failure(), "") << name << "\n" << story();
            ASSERT_TRUE(client.is_done())
                << name << " has " << client.content().size() << " bytes of " << expected.size() << "\n"
                << story();
            ASSERT_TRUE(client.content() == expected) << name;
            needed += client.blocks() + (offers_.contains(name) ? 1 : 0);
            widest = std::max<std::uint64_t>(widest, client.window());
            disturbances += client.timeouts();
        }
        // A packet that is lost, doubled or late, or a client that asks again, is noticed at most by both
        // sides and brings a window again each time; a late copy of a request opens a transfer that nobody
        // wants, which is offered five times. Never more, and never a lasting doubling; without any of them
        // nothing is sent twice. Counted are all packets: DATA, OACK and ERROR.
        EXPECT_LE(sent_, needed + (2 * widest + 1 + kOfferRetries) * disturbances)
            << disturbances << " disturbances, window " << widest << "\n"
            << story();
        EXPECT_GE(sent_, needed);
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

    static constexpr std::uint64_t kEnd = 600'000'000;           // microseconds
    static constexpr std::uint64_t kEndOfLong = 36'000'000'000;  // likewise
    static constexpr PortRange kPorts{5000, 16};

    struct Participant {
        TftpClient client;
        std::string expected;
        std::string name;
        bool is_missing;            // nobody put its file here
        std::uint16_t server_port;  // that its transfer comes from (RFC 1350 4); 0: not known yet
    };
    struct Flight {
        std::size_t client;
        bool is_to_server;
        std::uint16_t server_port;
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
        options.rolls_to_one = host_.quirks.has(Quirk::rollover_to_one);
        const std::uint64_t block_size = wraps_ ? 8 : pick({8, 9, 64, 512, 1468});
        if (below(4) != 0 || wraps_) options.ask.block_size = static_cast<std::uint16_t>(block_size);
        if (below(2) != 0) options.ask.window_size = static_cast<std::uint16_t>(pick({1, 2, 4, 16, 64, 100}));
        if (below(2) != 0) options.ask.file_size = 0;
        if (below(8) == 0) options.ask.timeout = static_cast<std::uint8_t>(1 + below(3));
        const bool is_plain = host_.quirks.has(Quirk::plain_tftp);
        const std::uint64_t effective = options.ask.block_size && !is_plain ? block_size : 512;
        const bool is_missing = below(16) == 0 && !wraps_;
        std::string nothing;
        std::string& bytes = is_missing ? nothing : host_.file(options.name).bytes;
        bytes.resize(below(4) == 0 ? effective * below(40) : below(effective * 40));
        if (wraps_) bytes.resize(effective * 0xffff + below(effective * 40));
        for (char& c : bytes) c = static_cast<char>(random_());
        std::string expected = bytes;
        if (below(4) == 0 && !wraps_) {
            options.mode = "netascii";
            for (char& c : bytes)
                if (below(3) == 0) c = "\r\n"[below(2)];
            expected = test::netascii(bytes);
        }
        const std::string name = options.name;
        clients_.push_back({TftpClient(std::move(options)), std::move(expected), name, is_missing, 0});
    }

    void to_server(std::size_t client, std::vector<std::byte> bytes) {
        const std::uint16_t known = clients_[client].server_port;
        const bool is_request = wire::tftp::read_opcode(bytes) == 1;
        send({client, true, is_request || known == 0 ? wire::tftp::kPort : known, std::move(bytes)});
    }
    void send_waiting() {
        for (const auto& packet : host_.take()) {
            ++sent_;
            const auto bytes = packet.bytes();
            const std::size_t client = packet.client - kFirstPort;
            if (wire::tftp::read_opcode(bytes) == 6) offers_.insert(clients_[client].name);
            send({client, false, packet.server_port, {bytes.begin(), bytes.end()}});
        }
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
                const Peer peer{.address = Ipv4Address::from_host(0x0a4d0009),
                                .server = Ipv4Address::from_host(0x0a4d0001),
                                .port = port,
                                .server_port = flight.server_port};
                (void)engine_.receive(now_us_ * 1000, peer, flight.bytes, host_);
                send_waiting();
            } else {
                deliver_to_client(flight);
            }
        }
    }
    // The first packet that means something to the client says which port its transfer comes from; from any
    // other it takes nothing.
    void deliver_to_client(const Flight& flight) {
        Participant& to = clients_[flight.client];
        if (to.server_port != 0 && to.server_port != flight.server_port) return;
        if (wire::tftp::read_opcode(flight.bytes) != 5) to.server_port = flight.server_port;
        auto answer = to.client.receive(now_us_ / 1000, flight.bytes);
        if (answer) to_server(flight.client, std::move(*answer));
    }
    [[nodiscard]] bool is_over() const {
        return flights_.empty() && engine_.open_sessions() == 0 &&
               std::ranges::all_of(clients_, [](const Participant& peer) {
                   return peer.client.is_done() || !peer.client.failure().empty();
               });
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
    bool wraps_ = false;
    std::uint64_t anomalies_ = 0;
    std::uint64_t sent_ = 0;        // packets, by the server
    std::set<std::string> offers_;  // clients that got an OACK
};

void run_schedule(std::uint64_t seed) {
    SCOPED_TRACE("rerun with ROUSE_SEED=" + std::to_string(seed));
    Schedule schedule(seed);
    schedule.run();
    schedule.check();
}

// ROUSE_SEED: that schedule alone. ROUSE_SCHEDULES: so many, instead of ten thousand.
TEST(Model, TenThousandSchedulesEndEqualAndWithinTheBound) {
    const auto setting = [](const char* name) -> std::optional<std::uint64_t> {
        const char* value = std::getenv(name);
        return value == nullptr ? std::nullopt : std::optional(std::strtoull(value, nullptr, 10));
    };
    const auto only = setting("ROUSE_SEED");
    const std::uint64_t last = only ? *only : setting("ROUSE_SCHEDULES").value_or(10'000);
    for (std::uint64_t seed = only.value_or(1); seed <= last && !::testing::Test::HasFailure(); ++seed)
        run_schedule(seed);
}

}  // namespace
}  // namespace rouse::tftp
