#pragma once
// UDP over IPv6 (RFC 768, RFC 8200 8.1): the checksum is mandatory both ways.

#include "dataplane/wire/ipv6.hpp"
#include "dataplane/wire/udp.hpp"

namespace rouse::wire {

inline constexpr std::size_t kUdp6FrameOverhead = kIpv6FrameOverhead + sizeof(UdpHeader);

// A datagram whose headers hold what they promise. `payload` lies in the frame.
struct Datagram6 {
    MacAddress source_mac;
    Ipv6Address source;
    Ipv6Address destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    ConstBytes payload;
};

// PACKET carries kProtocolUdp. DropReason::none: OUT holds the datagram.
[[nodiscard]] DropReason parse_datagram6(const Packet6& packet, Datagram6& out,
                                         UdpChecksum by = UdpChecksum::software) noexcept;

// The 62 bytes in front of every payload sent to one peer, built once; per frame only the lengths and the
// checksum change.
class Udp6Template {
  public:
    struct Endpoints {
        Ends6 ends;
        std::uint16_t source_port = 0;
        std::uint16_t destination_port = 0;
    };
    Udp6Template() noexcept = default;
    explicit Udp6Template(const Endpoints& endpoints) noexcept;

    // Writes the headers of a frame, checksum included; returns the frame's length. The payload,
    // PAYLOAD_LENGTH bytes, is already in place at kUdp6FrameOverhead.
    std::size_t write(MutableBytes frame, std::size_t payload_length,
                      UdpChecksum by = UdpChecksum::software) const noexcept;

  private:
    std::array<std::byte, kUdp6FrameOverhead> headers_{};
    std::uint16_t sum_ = 0;  // of all that does not change, folded
};

}  // namespace rouse::wire
