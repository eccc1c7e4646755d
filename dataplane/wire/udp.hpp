#pragma once
// UDP (RFC 768), and whole UDP-over-IPv4-over-Ethernet frames: validating received ones, heading sent ones.

#include "dataplane/wire/bytes.hpp"
#include "dataplane/wire/ethernet.hpp"
#include "dataplane/wire/ipv4.hpp"
#include "shared/drop_reason.hpp"

#include <array>

namespace rouse::wire {

struct UdpHeader {
    be16 source_port;
    be16 destination_port;
    be16 length;             // header and payload
    std::uint16_t checksum;  // as it lies in memory; 0: none (IPv4 only)
};
static_assert(sizeof(UdpHeader) == 8);

inline constexpr std::size_t kUdpIpv4Overhead = sizeof(Ipv4Header) + sizeof(UdpHeader);
inline constexpr std::size_t kUdpFrameOverhead = sizeof(EthernetHeader) + kUdpIpv4Overhead;

// Who we are on the wire.
struct Self {
    MacAddress mac;
    Ipv4Address address;
    Ipv4Prefix subnet;  // of the interface: its directed broadcast is for us too
};

// A datagram whose headers hold what they promise. `payload` lies in the frame.
struct Datagram {
    MacAddress source_mac;
    MacAddress destination_mac;
    Ipv4Address source;
    Ipv4Address destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    ConstBytes payload;
};

// A packet whose IPv4 header holds what it promises. `payload` lies in the frame.
struct Packet {
    MacAddress source_mac;
    MacAddress destination_mac;
    Ipv4Address source;
    Ipv4Address destination;
    std::uint8_t protocol = 0;
    ConstBytes payload;
};

// Who sums up a UDP datagram: a device that can saves a pass over all of its bytes.
enum class UdpChecksum : std::uint8_t {
    software,  // received: to be checked here; to send: written whole
    device,    // received: found right by the device; to send: the pseudo header's sum, for it to complete
};

// Validates a frame in the order in which RFC 1122 3.2.1 and RFC 1812 5.2.2 list the checks.
// DropReason::none: OUT holds the packet; otherwise OUT is not to be used.
[[nodiscard]] DropReason parse_packet(ConstBytes frame, const Self& self, Packet& out) noexcept;

// parse_packet, then UDP's own checks. DropReason::none: OUT holds the datagram.
[[nodiscard]] DropReason parse_datagram(ConstBytes frame, const Self& self, Datagram& out,
                                        UdpChecksum by = UdpChecksum::software) noexcept;

// The 42 bytes in front of every payload sent to one peer, built once; per frame only two lengths and the
// header checksum change. UDP checksum 0: IPv4 allows it, and a sum over each block would cost more than the
// copy of it.
class UdpTemplate {
  public:
    struct Endpoints {
        MacAddress source_mac;
        MacAddress destination_mac;
        Ipv4Address source;
        Ipv4Address destination;
        std::uint16_t source_port = 0;
        std::uint16_t destination_port = 0;
    };
    UdpTemplate() noexcept = default;
    explicit UdpTemplate(const Endpoints& ends) noexcept;

    // Writes the headers of a frame with PAYLOAD_LENGTH bytes after them; returns the frame's length.
    // `frame` has room for kUdpFrameOverhead bytes at least.
    std::size_t write(MutableBytes frame, std::size_t payload_length) const noexcept {
        const auto udp_length = static_cast<std::uint16_t>(sizeof(UdpHeader) + payload_length);
        const auto total_length = static_cast<std::uint16_t>(sizeof(Ipv4Header) + udp_length);
        std::memcpy(frame.data(), headers_.data(), headers_.size());
        store(frame, kIpOffset + offsetof(Ipv4Header, total_length), be16(total_length));
        store(frame, kUdpOffset + offsetof(UdpHeader, length), be16(udp_length));
        std::uint32_t sum = ip_sum_ + byte_swap(total_length);
        sum = (sum & 0xffff) + (sum >> 16);
        store(frame, kIpOffset + offsetof(Ipv4Header, checksum), static_cast<std::uint16_t>(~sum));
        return kUdpFrameOverhead + payload_length;
    }

    static constexpr std::size_t kIpOffset = sizeof(EthernetHeader);
    static constexpr std::size_t kUdpOffset = kIpOffset + sizeof(Ipv4Header);

  private:
    std::array<std::byte, kUdpFrameOverhead> headers_{};
    std::uint32_t ip_sum_ = 0;  // of the IP header with total length and checksum zero
};

// Fills in the UDP checksum of a frame written by UdpTemplate. For DHCP: short, and some old option ROMs have
// been seen to drop a zero checksum.
void add_udp_checksum(MutableBytes frame) noexcept;

}  // namespace rouse::wire
