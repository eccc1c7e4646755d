// The engine as a state machine: the input is a sequence of operations - packets from a few clients, time,
// turns, a port that runs out of frames, files that come and go. After each, what must always hold is
// checked.
//
// The first byte's lowest bit: ports per transfer. An operation is one byte and its arguments: the low 3 bits
// say what, the next 2 which client, and the others of a packet to which port it goes.

#include "dataplane/tftp/engine.hpp"
#include "tests/support/tftp_host.hpp"

#include <cstdlib>

namespace {

using namespace rouse;
using namespace rouse::tftp;

void require(bool truth) {
    if (!truth) std::abort();
}

class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(std::as_bytes(std::span(data, size))) {}
    [[nodiscard]] bool is_empty() const { return rest_.empty(); }
    std::uint8_t byte() {
        if (rest_.empty()) return 0;
        const auto value = static_cast<std::uint8_t>(rest_[0]);
        rest_ = rest_.subspan(1);
        return value;
    }
    std::span<const std::byte> bytes(std::size_t most) {
        const auto taken = rest_.first(std::min(most, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

  private:
    std::span<const std::byte> rest_;
};

class Machine {
  public:
    // In single-port mode, or with ports per transfer.
    explicit Machine(bool has_ports)
        : engine_(EngineOptions{.sessions = 3, .seed = 1, .ports = has_ports ? kPorts : PortRange{}}) {
        host_.keep_events = false;
        host_.file("a").bytes.assign(3000, '\n');
        host_.file("b").bytes.assign(70'000, 'b');
        host_.file("e").bytes.clear();
        host_.file("p").bytes.assign(100, 'p');
        host_.file("p").availability = Availability::pending;
    }

    void step(Input& in) {
        const std::uint8_t operation = in.byte();
        const unsigned client = operation >> 3 & 3;
        switch (operation & 7) {
            case 0: {  // any packet
                const auto packet = in.bytes(in.byte());
                // To port 69, to the transfer's own, or to another one of ours.
                const unsigned where = operation >> 5;
                receive(client, packet,
                        where < 3   ? wire::tftp::kPort
                        : where < 6 ? server_port_[client]
                                    : static_cast<std::uint16_t>(kPorts.first + where));
                break;
            }
            case 1: {  // a request, its options as they come
                static constexpr std::array<std::string_view, 4> kNames{"a", "b", "e", "p"};
                wire::tftp::Options options;
                const std::uint8_t which = in.byte();
                if (which & 1) options.block_size = static_cast<std::uint16_t>(8 + in.byte() * 6);
                if (which & 2) options.window_size = static_cast<std::uint16_t>(1 + in.byte());
                if (which & 4) options.file_size = 0;
                if (which & 8) options.timeout = static_cast<std::uint8_t>(in.byte() | 1);
                std::array<std::byte, 200> room;
                const std::size_t length =
                    wire::tftp::write_request(room, wire::tftp::Opcode::rrq, kNames[which >> 4 & 3],
                                              which & 0x80 ? "netascii" : "octet", options);
                receive(client, std::span(room).first(length), wire::tftp::kPort);
                break;
            }
            case 2: {  // an acknowledgement near what was sent last
                std::array<std::byte, 4> room;
                const auto block = static_cast<std::uint16_t>(last_block_[client] + in.byte() - 128);
                receive(client, std::span(room).first(wire::tftp::write_ack(room, block)),
                        server_port_[client]);
                break;
            }
            case 3: {  // the acknowledgement that it waits for
                std::array<std::byte, 4> room;
                const std::size_t length = wire::tftp::write_ack(room, last_block_[client]);
                receive(client, std::span(room).first(length), server_port_[client]);
                break;
            }
            case 4:  // time: up to a minute
                now_ns_ += std::uint64_t{in.byte()} * in.byte() * kNanosPerMilli;
                break;
            case 5:
                host_.frames_left = in.byte();
                break;
            case 6: {
                const std::uint8_t what = in.byte();
                host_.file("p").availability = static_cast<Availability>(what & 3);
                host_.file("b").is_gone = (what & 4) != 0;
                host_.file("a").awaited_from = (what & 128) != 0 ? 16U * what : ~std::size_t{0};
                host_.strangers = (what & 24) == 24;
                host_.quirks = {};
                if ((what & 32) != 0) host_.quirks.add(Quirk::plain_tftp);
                if ((what & 64) != 0) host_.quirks.add(Quirk::rollover_to_one);
                engine_.set_limits({static_cast<std::uint16_t>(what * 8 + 8), what});
                break;
            }
            default:
                run(in.byte());
        }
        check();
    }

    // Left alone, every transfer ends, and gives back what it held.
    void finish() {
        host_.frames_left = ~std::size_t{0};
        // The longest timeout, as often as it is waited for, and as many tries as there are before that.
        for (int seconds = 0; seconds < 2000 && engine_.open_sessions() > 0; ++seconds) {
            now_ns_ += kNanosPerSecond;
            run(255);
        }
        require(engine_.open_sessions() == 0);
        for (const auto* name : {"a", "b", "e", "p"}) require(host_.file(name).references == 0);
    }

  private:
    void receive(unsigned client, std::span<const std::byte> payload, std::uint16_t server_port) {
        if (!engine_.serves(server_port)) return;  // the worker gives it to nobody
        const Peer peer{.address = Ipv4Address::from_host(0x0a4d0009),
                        .server = Ipv4Address::from_host(0x0a4d0001),
                        .port = static_cast<std::uint16_t>(kFirstPort + client),
                        .server_port = server_port};
        const std::size_t before = host_.waiting();
        (void)engine_.receive(now_ns_, peer, payload, host_);
        require(host_.waiting() <= before + 1);  // no amplification
        look_at_what_was_sent();
    }
    void run(std::size_t budget) {
        const std::size_t sent = engine_.run(now_ns_, host_, budget);
        require(sent <= budget);
        look_at_what_was_sent();
    }
    void look_at_what_was_sent() {
        for (const auto& packet : host_.take()) {
            const auto opcode = *wire::tftp::read_opcode(packet.bytes());
            require(engine_.serves(packet.server_port));
            if (opcode != 5) server_port_[packet.client - kFirstPort] = packet.server_port;
            require(packet.length <= 1472 && opcode >= 3 && opcode <= 6 && opcode != 4);
            if (opcode == 3)
                last_block_[packet.client - kFirstPort] = *wire::tftp::read_block(packet.bytes());
            if (opcode == 6) last_block_[packet.client - kFirstPort] = 0;
        }
    }
    void check() {
        require(engine_.open_sessions() <= 3);
        require(host_.counters().tftp_sessions_open.load() == engine_.open_sessions());
        int held = 0;
        for (const auto* name : {"a", "b", "e", "p"}) {
            require(host_.file(name).references >= 0);
            held += host_.file(name).references;
        }
        require(held <= static_cast<int>(engine_.open_sessions()));
    }

    static constexpr std::uint16_t kFirstPort = 1000;
    static constexpr PortRange kPorts{5000, 16};

    test::TftpHost host_{64};
    Engine<test::TftpHost> engine_;
    std::array<std::uint16_t, 4> last_block_{};
    std::array<std::uint16_t, 4> server_port_{wire::tftp::kPort, wire::tftp::kPort, wire::tftp::kPort,
                                              wire::tftp::kPort};
    std::uint64_t now_ns_ = kNanosPerSecond;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input in(data, size);
    Machine machine((in.byte() & 1) != 0);
    while (!in.is_empty()) machine.step(in);
    machine.finish();
    return 0;
}
