// One machine's transfer against the product's own engine, and against servers of other manners.

#include "perf/load/tftp_client.hpp"

#include "perf/load/crc.hpp"
#include "tests/unit/tftp/engine_fixture.hpp"

#include <deque>
#include <random>

namespace rouse::load {
namespace {

using test::TftpHost;
using Packet = std::vector<std::byte>;

const MachineKind& kind_named(std::string_view name) {
    const auto kind = find_machine_kind(name);
    if (!kind) throw std::logic_error(kind.error().message);
    return **kind;
}

// Packets that the test writes itself, from a server at one port.
class ClientTest : public ::testing::Test {
  protected:
    static constexpr std::uint16_t kServerPort = 3456;
    const TftpManner& manner_ = kind_named("edk2").tftp;
    TftpClient client_;
    std::array<std::byte, 600> room_{};

    void start(bool is_probe = false) { ASSERT_GT(client_.start("f", manner_, is_probe, 1024, room_), 0U); }
    Reply receive(const Packet& packet, std::uint16_t port = kServerPort) {
        return client_.receive(packet, port, manner_, room_);
    }
    std::string answer_to(const Packet& packet) {
        const Reply reply = receive(packet);
        if (reply.length == 0) return "";
        const auto sent = std::span(room_).first(reply.length);
        const auto opcode = static_cast<wire::tftp::Opcode>(*wire::tftp::read_opcode(sent));
        const auto number = std::to_string(*wire::tftp::read_block(sent));
        return (opcode == wire::tftp::Opcode::ack ? "ACK " : "ERROR ") + number;
    }
    static Packet oack(const wire::tftp::Options& options) {
        Packet packet(100);
        packet.resize(wire::tftp::write_oack(packet, options));
        return packet;
    }
    static Packet data(std::uint16_t block, std::size_t size) {
        Packet packet(wire::tftp::kHeaderBytes + size, std::byte{7});
        (void)wire::tftp::write_data_header(packet, block);
        return packet;
    }
    static Packet error(wire::tftp::ErrorCode code) {
        Packet packet(100);
        packet.resize(wire::tftp::write_error(packet, code, "no"));
        return packet;
    }
};

TEST_F(ClientTest, AProbeAbortsWhatItOpened) {
    start(true);
    const auto asked = wire::tftp::read_request(std::span(room_).first(client_.resend("f", manner_, room_)));
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->options.file_size, 0U);
    EXPECT_EQ(answer_to(oack({.block_size = 1468, .file_size = 5000})), "ERROR 8");
    EXPECT_FALSE(client_.is_open());
}

TEST_F(ClientTest, AWindowIsAcknowledgedAtItsEnd) {
    start();
    EXPECT_EQ(answer_to(oack({.block_size = 1468, .window_size = 4})), "ACK 0");
    for (std::uint16_t block = 1; block <= 3; ++block) EXPECT_EQ(answer_to(data(block, 1468)), "");
    EXPECT_EQ(answer_to(data(4, 1468)), "ACK 4");
    EXPECT_EQ(receive(data(5, 10)).taken, Taken::end);
    EXPECT_EQ(client_.bytes(), 4U * 1468 + 10);
    EXPECT_EQ(client_.crc(), extend_crc(0, Packet(4 * 1468 + 10, std::byte{7})));
}

TEST_F(ClientTest, ALostBlockIsToldAsTheKindDoes) {
    start();
    (void)receive(oack({.block_size = 1468, .window_size = 4}));
    (void)receive(data(1, 1468));
    EXPECT_EQ(answer_to(data(3, 1468)), "ACK 1");
    EXPECT_EQ(answer_to(data(4, 1468)), "ACK 1") << "EDK2: for each packet";
    const TftpManner& once = kind_named("windowed").tftp;
    EXPECT_GT(client_.receive(data(5, 1468), kServerPort, once, room_).length +
                  client_.receive(data(2, 1468), kServerPort, once, room_).length +
                  client_.receive(data(9, 1468), kServerPort, once, room_).length,
              0U);
    EXPECT_EQ(client_.receive(data(9, 1468), kServerPort, once, room_).length, 0U);
    EXPECT_EQ(client_.receive(data(9, 1468), kServerPort, kind_named("pxelinux").tftp, room_).length, 0U);
}

TEST_F(ClientTest, AServerWithoutOptionsSendsBlocksOf512) {
    start();
    EXPECT_EQ(answer_to(data(1, 512)), "ACK 1");
    EXPECT_EQ(client_.server_port(), kServerPort) << "learnt from the first answer";
    EXPECT_EQ(receive(data(2, 512), 1).taken, Taken::stray) << "another port's";
    EXPECT_EQ(receive(data(2, 0)).taken, Taken::end);
}

TEST_F(ClientTest, WhatNobodyAskedForIsRefused) {
    for (const auto& offered :
         {wire::tftp::Options{.block_size = 1469}, wire::tftp::Options{.timeout = 3},
          wire::tftp::Options{.file_size = 10}, wire::tftp::Options{.window_size = 5}}) {
        start();
        EXPECT_EQ(answer_to(oack(offered)), "ERROR 8");
        EXPECT_FALSE(client_.is_open());
    }
    start();
    EXPECT_EQ(receive(data(1, 513)).taken, Taken::broken) << "longer than agreed";
    start();
    EXPECT_EQ(receive(Packet(3)).taken, Taken::broken);
}

TEST_F(ClientTest, ErrorsEndATransfer) {
    start();
    EXPECT_EQ(receive(error(wire::tftp::ErrorCode::file_not_found)).taken, Taken::missing);
    EXPECT_EQ(receive(data(1, 100)).taken, Taken::stray);
    start();
    EXPECT_EQ(receive(error(wire::tftp::ErrorCode::access_violation)).taken, Taken::refused);
}

TEST_F(ClientTest, AFileOfAnotherSizeThanPromisedIsBroken) {
    const TftpManner& ipxe = kind_named("ipxe-efi").tftp;
    ASSERT_GT(client_.start("f", ipxe, false, 2000, room_), 0U);
    (void)client_.receive(oack({.block_size = 1432, .file_size = 11}), kServerPort, ipxe, room_);
    EXPECT_EQ(client_.receive(data(1, 10), kServerPort, ipxe, room_).taken, Taken::broken);
}

TEST_F(ClientTest, GrubLeavesRepeatingToTheServer) {
    const TftpManner& grub = kind_named("grub").tftp;
    ASSERT_GT(client_.start("f", grub, false, 25'300, room_), 0U);
    EXPECT_GT(client_.resend("f", grub, room_), 0U) << "but for the request";
    (void)client_.receive(oack({.block_size = 1024, .file_size = 11}), kServerPort, grub, room_);
    EXPECT_EQ(client_.resend("f", grub, room_), 0U);
}

// The product's engine behind a line that loses, doubles and reorders: every transfer ends equal.
class OverABadLine : public ::testing::TestWithParam<std::string_view> {
  protected:
    static constexpr std::uint64_t kStepNs = kNanosPerMilli;

    explicit OverABadLine() : manner_(kind_named(GetParam()).tftp) {}

    // The bytes fetched, or nothing when it did not end.
    std::optional<std::uint32_t> fetch(const std::string& content, unsigned seed) {
        std::mt19937 random(seed);
        TftpHost host;
        host.file("f").bytes = content;
        tftp::Engine<TftpHost> engine({.sessions = 8, .seed = 1});
        std::deque<Packet> to_server, to_client;
        const auto carry = [&](std::deque<Packet>& line, std::span<const std::byte> packet) {
            const auto luck = random() % 100;
            if (luck < 5) return;
            line.emplace_back(packet.begin(), packet.end());
            if (luck < 8) line.push_back(line.back());
            if (luck >= 97 && line.size() > 1) std::swap(line.back(), line[line.size() - 2]);
        };
        TftpClient client;
        std::array<std::byte, 600> room{};
        std::uint64_t now = kNanosPerSecond;
        std::uint64_t heard = now;
        const tftp::Peer peer{*Ipv4Address::parse("10.0.0.9"), *Ipv4Address::parse("10.0.0.1"), 2000,
                              MacAddress{{2, 0, 0, 0, 0, 9}}};
        carry(to_server, std::span(room).first(client.start("f", manner_, false, 2000, room)));
        for (int step = 0; step < 400'000; ++step, now += kStepNs) {
            for (; !to_server.empty(); to_server.pop_front())
                (void)engine.receive(now, peer, to_server.front(), host);
            engine.run(now, host, 64);
            for (const auto& packet : host.take()) carry(to_client, packet.bytes());
            for (; !to_client.empty(); to_client.pop_front()) {
                const Reply reply = client.receive(to_client.front(), 69, manner_, room);
                if (reply.taken != Taken::nothing && reply.taken != Taken::stray) heard = now;
                if (reply.length > 0) carry(to_server, std::span(room).first(reply.length));
                if (reply.taken == Taken::end) return client.crc();
                if (reply.taken == Taken::broken || reply.taken == Taken::refused) return std::nullopt;
            }
            if (now - heard < manner_.patience.first_ms * kNanosPerMilli) continue;
            heard = now;
            const std::size_t length = client.resend("f", manner_, room);
            if (length > 0) carry(to_server, std::span(room).first(length));
        }
        return std::nullopt;
    }
    const TftpManner& manner_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, OverABadLine,
                         ::testing::Values("ipxe-efi", "edk2", "shim", "grub", "pxelinux", "uboot",
                                           "windowed"),
                         [](const auto& instance) {
                             std::string name(instance.param);
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST_P(OverABadLine, EveryTransferEndsEqual) {
    unsigned ended = 0;
    for (unsigned seed = 0; seed < 40; ++seed) {
        std::string content(seed * 977 % 60'000, 'x');
        std::mt19937 random(seed);
        for (char& byte : content) byte = static_cast<char>(random());
        const auto crc = fetch(content, seed);
        if (!crc) continue;  // the server's patience has an end, too
        ++ended;
        EXPECT_EQ(*crc, extend_crc(0, std::as_bytes(std::span(content)))) << "seed " << seed;
    }
    EXPECT_GE(ended, 38U);
}

}  // namespace
}  // namespace rouse::load
