#pragma once
// One engine, one host, a clock that the test moves, and clients that are ports of one machine.

#include "dataplane/tftp/engine.hpp"
#include "tests/support/tftp_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::tftp {

using Packet = std::vector<std::byte>;

inline Packet rrq(std::string_view name, const wire::tftp::Options& options = {},
                  std::string_view mode = "octet", wire::tftp::Opcode opcode = wire::tftp::Opcode::rrq) {
    Packet packet(600);
    packet.resize(wire::tftp::write_request(packet, opcode, name, mode, options));
    return packet;
}
inline Packet ack(std::uint64_t block) {
    Packet packet(4);
    packet.resize(wire::tftp::write_ack(packet, static_cast<std::uint16_t>(block)));
    return packet;
}
inline Packet error(wire::tftp::ErrorCode code, std::string_view text) {
    Packet packet(100);
    packet.resize(wire::tftp::write_error(packet, code, text));
    return packet;
}
inline Packet raw(std::string_view bytes) {
    const auto view = std::as_bytes(std::span(bytes));
    return {view.begin(), view.end()};
}

// "DATA 3 512", "OACK blksize=1468 tsize=10", "ERROR 1 file not found".
inline std::string describe(std::span<const std::byte> packet) {
    using wire::tftp::Opcode;
    const auto opcode = static_cast<Opcode>(wire::tftp::read_opcode(packet).value_or(0));
    if (opcode == Opcode::data)
        return "DATA " + std::to_string(*wire::tftp::read_block(packet)) + " " +
               std::to_string(packet.size() - 4);
    if (opcode == Opcode::error) {
        const auto message = wire::tftp::read_error(packet);
        return "ERROR " + std::to_string(message->code) + " " + std::string(message->text);
    }
    if (opcode != Opcode::oack) return "?";
    std::string text = "OACK";
    const std::string_view strings(reinterpret_cast<const char*>(packet.data()) + 2, packet.size() - 2);
    bool is_name = true;
    for (std::size_t at = 0; at < strings.size(); is_name = !is_name) {
        const auto end = strings.find('\0', at);
        text += (is_name ? " " : "=") + std::string(strings.substr(at, end - at));
        at = end + 1;
    }
    return text;
}

class EngineTest : public ::testing::Test {
  protected:
    static constexpr std::uint16_t kPort = 40000;

    test::TftpHost host_;
    Engine<test::TftpHost> engine_{EngineOptions{.sessions = 8, .seed = 1}};
    std::uint64_t now_ns_ = 5 * kNanosPerSecond;

    static Peer peer(std::uint16_t port = kPort) {
        return {IpAddress(*Ipv4Address::parse("10.77.0.9")), IpAddress(*Ipv4Address::parse("10.77.0.1")),
                port, MacAddress{{2, 0, 0, 0, 0, 9}}};
    }
    DropReason receive(const Packet& packet, std::uint16_t port = kPort) {
        return engine_.receive(now_ns_, peer(port), packet, host_);
    }
    // What is sent in one loop turn.
    std::vector<std::string> run(std::size_t budget = 256) {
        engine_.run(now_ns_, host_, budget);
        std::vector<std::string> sent;
        for (const auto& packet : host_.take()) sent.push_back(describe(packet.bytes()));
        return sent;
    }
    std::vector<std::string> exchange(const Packet& packet, std::uint16_t port = kPort) {
        (void)receive(packet, port);
        return run();
    }
    void wait_ms(std::uint64_t ms) { now_ns_ += ms * kNanosPerMilli; }
    // Everything that is sent while time passes, with its second: "1.0 DATA 1 512".
    std::vector<std::string> watch(std::uint64_t ms) {
        std::vector<std::string> seen;
        for (std::uint64_t passed = 0; passed < ms; passed += 2) {
            wait_ms(2);
            for (auto& packet : run()) seen.push_back(std::move(packet));
        }
        return seen;
    }
    [[nodiscard]] std::vector<Event> events(EventKind kind) const {
        std::vector<Event> found;
        for (const auto& event : host_.events)
            if (event.kind == kind) found.push_back(event);
        return found;
    }
    void put(const std::string& name, std::size_t size) {
        std::string& bytes = host_.file(name).bytes;
        bytes.resize(size);
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + (i >> 9));
    }
};

}  // namespace rouse::tftp
