#include "perf/load/echo.hpp"

#include "dataplane/wire/tftp.hpp"

namespace rouse::load {
namespace {

namespace tftp = wire::tftp;

constexpr std::size_t kPayload = wire::kUdpFrameOverhead;

std::size_t echo_dhcp(wire::ConstBytes frame, const wire::Self& self, wire::MutableBytes room) noexcept {
    // The machines of rouse-load begin their options with their message's type.
    constexpr std::size_t kType = kPayload + sizeof(wire::DhcpHeader) + 2;
    if (frame.size() <= kType) return 0;
    if (frame[kType - 2] != static_cast<std::byte>(wire::DhcpOption::message_type)) return 0;
    const bool is_discover = frame[kType] == static_cast<std::byte>(wire::DhcpType::discover);
    if (!is_discover && frame[kType] != static_cast<std::byte>(wire::DhcpType::request)) return 0;
    const auto client = *wire::load<MacAddress>(frame, offsetof(wire::EthernetHeader, source));

    wire::store_bytes(room, kPayload, frame.subspan(kPayload));
    wire::store(room, kPayload + offsetof(wire::DhcpHeader, op), wire::kBootReply);
    // Some address; that no two machines have the same is not its business.
    wire::store(room, kPayload + offsetof(wire::DhcpHeader, your), self.address);
    room[kType] = static_cast<std::byte>(is_discover ? wire::DhcpType::offer : wire::DhcpType::ack);
    const wire::UdpTemplate headers({.source_mac = self.mac,
                                     .destination_mac = client,
                                     .source = self.address,
                                     .destination = kBroadcastIpv4,
                                     .source_port = wire::kDhcpServerPort,
                                     .destination_port = wire::kDhcpClientPort});
    return headers.write(room, frame.size() - kPayload);
}

// An OACK to a request that asks for large enough blocks, else the NTH block that follows. Returns the
// payload's length.
std::size_t answer_tftp(wire::ConstBytes payload, const EchoOptions& echo, std::uint16_t nth,
                        wire::MutableBytes room) noexcept {
    const auto opcode = static_cast<tftp::Opcode>(tftp::read_opcode(payload).value_or(0));
    if (opcode == tftp::Opcode::rrq && nth == 0) {
        const auto request = tftp::read_request(payload);
        if (!request || request->options.block_size.value_or(0) < kEchoBlockBytes) return 0;
        tftp::Options offered{.block_size = kEchoBlockBytes};
        if (echo.window > 1) offered.window_size = echo.window;
        return tftp::write_oack(room, offered);
    }
    const auto acknowledged = tftp::read_block(payload);
    if (opcode != tftp::Opcode::ack || !acknowledged || nth >= echo.window) return 0;
    const unsigned block = *acknowledged + 1U + nth;
    if (block > echo.blocks) return 0;
    return tftp::write_data_header(room, static_cast<std::uint16_t>(block)) +
           (block < echo.blocks ? kEchoBlockBytes : 0);
}

std::size_t echo_tftp(wire::ConstBytes frame, const EchoOptions& options, std::uint16_t nth,
                      wire::MutableBytes room) noexcept {
    const auto ethernet = *wire::load<wire::EthernetHeader>(frame);
    const auto ip = *wire::load<wire::Ipv4Header>(frame, sizeof ethernet);
    const auto udp = *wire::load<wire::UdpHeader>(frame, sizeof ethernet + sizeof ip);
    const std::size_t length = answer_tftp(frame.subspan(kPayload), options, nth, room.subspan(kPayload));
    if (length == 0) return 0;
    const wire::UdpTemplate headers({.source_mac = options.self.mac,
                                     .destination_mac = ethernet.source,
                                     .source = options.self.address,
                                     .destination = ip.source,
                                     .source_port = tftp::kPort,
                                     .destination_port = udp.source_port.host()});
    return headers.write(room, length);
}

}  // namespace

std::size_t echo(wire::ConstBytes frame, const EchoOptions& options, std::uint16_t nth,
                 wire::MutableBytes room) noexcept {
    if (frame.size() <= kPayload || frame.size() > room.size()) return 0;
    constexpr std::size_t kUdp = sizeof(wire::EthernetHeader) + sizeof(wire::Ipv4Header);
    const auto port = wire::load<be16>(frame, kUdp + offsetof(wire::UdpHeader, destination_port));
    if (port == be16(tftp::kPort)) return echo_tftp(frame, options, nth, room);
    return nth == 0 ? echo_dhcp(frame, options.self, room) : 0;
}

}  // namespace rouse::load
