#include "perf/load/echo.hpp"

namespace rouse::load {

std::size_t echo(wire::ConstBytes frame, const wire::Self& self, wire::MutableBytes room) noexcept {
    constexpr std::size_t kDhcp = wire::kUdpFrameOverhead;
    // The machines of rouse-load begin their options with their message's type.
    constexpr std::size_t kType = kDhcp + sizeof(wire::DhcpHeader) + 2;
    if (frame.size() <= kType || frame.size() > room.size()) return 0;
    if (frame[kType - 2] != static_cast<std::byte>(wire::DhcpOption::message_type)) return 0;
    const bool is_discover = frame[kType] == static_cast<std::byte>(wire::DhcpType::discover);
    if (!is_discover && frame[kType] != static_cast<std::byte>(wire::DhcpType::request)) return 0;
    const auto client = *wire::load<MacAddress>(frame, offsetof(wire::EthernetHeader, source));

    wire::store_bytes(room, kDhcp, frame.subspan(kDhcp));
    wire::store(room, kDhcp + offsetof(wire::DhcpHeader, op), wire::kBootReply);
    // Some address; that no two machines have the same is not its business.
    wire::store(room, kDhcp + offsetof(wire::DhcpHeader, your), self.address);
    room[kType] = static_cast<std::byte>(is_discover ? wire::DhcpType::offer : wire::DhcpType::ack);
    const wire::UdpTemplate headers({.source_mac = self.mac,
                                     .destination_mac = client,
                                     .source = self.address,
                                     .destination = kBroadcastIpv4,
                                     .source_port = wire::kDhcpServerPort,
                                     .destination_port = wire::kDhcpClientPort});
    return headers.write(room, frame.size() - kDhcp);
}

}  // namespace rouse::load
