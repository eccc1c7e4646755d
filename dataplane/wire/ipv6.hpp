#pragma once
// IPv6 (RFC 8200 3) over Ethernet (RFC 2464): validating received packets, and who we are among them.

#include "dataplane/wire/bytes.hpp"
#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ethernet.hpp"
#include "shared/drop_reason.hpp"

#include <array>
#include <optional>
#include <span>

namespace rouse::wire {

// Next header values (IANA protocol numbers); UDP's is kProtocolUdp.
inline constexpr std::uint8_t kHopByHopHeader = 0;
inline constexpr std::uint8_t kRoutingHeader = 43;
inline constexpr std::uint8_t kFragmentHeader = 44;
inline constexpr std::uint8_t kEncapsulatingSecurityHeader = 50;
inline constexpr std::uint8_t kAuthenticationHeader = 51;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;
inline constexpr std::uint8_t kDestinationOptionsHeader = 60;

inline constexpr std::uint8_t kHopLimit = 64;           // RFC 1700
inline constexpr std::uint8_t kLinkOnlyHopLimit = 255;  // RFC 4861 3.1: nobody beyond the link can send it

inline constexpr Ipv6Address kAllNodes{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
inline constexpr Ipv6Address kAllRouters{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};
// RFC 8415 7.1: All_DHCP_Relay_Agents_and_Servers, where clients send; All_DHCP_Servers, where relays send.
inline constexpr Ipv6Address kAllDhcpAgents{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2}};
inline constexpr Ipv6Address kAllDhcpServers{{0xff, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3}};

struct Ipv6Header {
    be32 version_class_flow;  // version 4 bits, traffic class 8, flow label 20
    be16 payload_length;      // all that follows this header
    std::uint8_t next_header;
    std::uint8_t hop_limit;
    Ipv6Address source;
    Ipv6Address destination;

    [[nodiscard]] constexpr unsigned version() const noexcept { return version_class_flow.host() >> 28; }
};
static_assert(sizeof(Ipv6Header) == 40 && alignof(Ipv6Header) == 1);

inline constexpr std::size_t kIpv6FrameOverhead = sizeof(EthernetHeader) + sizeof(Ipv6Header);

// The group in which the holder of ADDRESS is looked for (RFC 4291 2.7.1).
[[nodiscard]] Ipv6Address solicited_node_of(const Ipv6Address& address) noexcept;
// The Ethernet group of an IPv6 group (RFC 2464 7).
[[nodiscard]] MacAddress multicast_mac_of(const Ipv6Address& group) noexcept;
// The link-local address that MAC stands for, and back (modified EUI-64, RFC 4291 appendix A). Back: nothing
// when the address was not made from a MAC.
[[nodiscard]] Ipv6Address link_local_of(const MacAddress& mac) noexcept;
[[nodiscard]] std::optional<MacAddress> mac_of(const Ipv6Address& address) noexcept;

// Who we are on the wire: our addresses, and the groups that we must hear on their account.
class Self6 {
  public:
    static constexpr std::size_t kMaxAddresses = 4;  // beside the link-local one

    Self6() noexcept = default;
    explicit Self6(const MacAddress& mac) noexcept : Self6(mac, link_local_of(mac)) {}
    Self6(const MacAddress& mac, const Ipv6Address& link_local) noexcept;

    // False, and nothing changed, when there is no room for another one.
    [[nodiscard]] bool add(const Ipv6Address& address) noexcept;

    [[nodiscard]] const MacAddress& mac() const noexcept { return mac_; }
    [[nodiscard]] const Ipv6Address& link_local() const noexcept { return addresses_[0]; }
    // All of them, the link-local one first.
    [[nodiscard]] std::span<const Ipv6Address> addresses() const noexcept {
        return std::span(addresses_).first(address_count_);
    }
    [[nodiscard]] bool owns(const Ipv6Address& address) const noexcept;
    // Ours, or a group we are in.
    [[nodiscard]] bool hears(const Ipv6Address& destination) const noexcept;
    [[nodiscard]] bool hears(const MacAddress& destination) const noexcept;
    // The Ethernet groups that the device must let through, each once.
    [[nodiscard]] std::span<const MacAddress> group_macs() const noexcept {
        return std::span(group_macs_).first(group_mac_count_);
    }
    // The address to speak from to DESTINATION: the link-local one on the link, else the first wider one.
    [[nodiscard]] const Ipv6Address& source_for(const Ipv6Address& destination) const noexcept;

  private:
    static constexpr std::size_t kWellKnownGroups = 4;
    void join(const Ipv6Address& group) noexcept;

    MacAddress mac_;
    std::array<Ipv6Address, 1 + kMaxAddresses> addresses_{};
    std::size_t address_count_ = 0;
    std::array<MacAddress, kWellKnownGroups + 1 + kMaxAddresses> group_macs_{};
    std::size_t group_mac_count_ = 0;
};

// A packet whose IPv6 header holds what it promises; `payload` lies in the frame.
struct Packet6 {
    MacAddress source_mac;
    Ipv6Address source;
    Ipv6Address destination;
    std::uint8_t hop_limit = 0;
    std::uint8_t next_header = 0;  // kProtocolUdp or kProtocolIcmpv6
    ConstBytes payload;
};

// Validates a frame in the order of its headers' fields (RFC 8200 3, RFC 4291 2.5.3 and 2.7).
// DropReason::none: OUT holds the packet; otherwise OUT is not to be used.
[[nodiscard]] DropReason parse_packet6(ConstBytes frame, const Self6& self, Packet6& out) noexcept;

// Where a frame of ours goes; what it says of the sender and the next protocol.
struct Ends6 {
    MacAddress source_mac;
    MacAddress destination_mac;
    Ipv6Address source;
    Ipv6Address destination;
};
// Writes the Ethernet and IPv6 headers of a frame whose payload is, or will be, at kIpv6FrameOverhead.
void write_headers6(MutableBytes frame, const Ends6& ends, std::uint8_t next_header, std::uint8_t hop_limit,
                    std::size_t payload_length) noexcept;

// The pseudo header (RFC 8200 8.1) that UDP's and ICMPv6's checksums begin with.
void add_pseudo_header6(ChecksumSum& sum, const Ipv6Address& source, const Ipv6Address& destination,
                        std::size_t payload_length, std::uint8_t next_header) noexcept;

}  // namespace rouse::wire
