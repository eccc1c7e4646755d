#pragma once
// Every reason for which the dataplane drops a frame: the one list behind verdicts, counters, metric labels
// (`rouse_drops_total{reason="…"}`) and documentation. Append freely; a layout change renames the segment.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rouse {

// X(name, what it means)
#define ROUSE_DROP_REASONS(X)                                                                       \
    X(none, "not a drop")                                                                           \
    X(frame_too_short, "shorter than an Ethernet header")                                           \
    X(frame_bad_source, "source hardware address is a group address")                               \
    X(frame_not_for_us, "destination hardware address is not ours, broadcast, or a group of ours")  \
    X(ethertype_unknown, "neither IPv4, IPv6 nor ARP")                                              \
    X(ipv4_too_short, "shorter than an IPv4 header")                                                \
    X(ipv4_bad_version, "IP version is not 4")                                                      \
    X(ipv4_bad_header_length, "IHL below 5 or beyond the frame")                                    \
    X(ipv4_bad_length, "total length below the header's or beyond the frame")                       \
    X(ipv4_bad_checksum, "header checksum is wrong")                                                \
    X(ipv4_bad_source, "source is multicast, broadcast or loopback")                                \
    X(ipv4_fragment, "a fragment: netboot protocols never need one")                                \
    X(ipv4_not_for_us, "destination address is neither ours nor broadcast")                         \
    X(ipv4_protocol_unknown, "not UDP")                                                             \
    X(arp_too_short, "shorter than an ARP packet for IPv4 over Ethernet")                           \
    X(arp_bad_format, "ARP for other than IPv4 over Ethernet")                                      \
    X(arp_bad_source, "ARP sender is a group, or claims an address of ours")                        \
    X(arp_not_request, "an ARP reply: none was asked for")                                          \
    X(arp_not_for_us, "ARP for an address that is not ours")                                        \
    X(icmp_too_short, "shorter than an ICMP header")                                                \
    X(icmp_bad_checksum, "ICMP checksum is wrong")                                                  \
    X(icmp_type_unhandled, "ICMP, but no echo request")                                             \
    X(icmp_bad_destination, "an echo request that was not sent to our address")                     \
    X(icmp_too_long, "the echo reply does not fit a frame")                                         \
    X(ipv6_too_short, "shorter than an IPv6 header")                                                \
    X(ipv6_bad_version, "IP version is not 6")                                                      \
    X(ipv6_bad_length, "payload length beyond the frame")                                           \
    X(ipv6_bad_source, "source is multicast or loopback, or unspecified where it must not be")      \
    X(ipv6_not_for_us, "destination address is neither ours nor a group of ours")                   \
    X(ipv6_fragment, "a fragment: netboot protocols never need one")                                \
    X(ipv6_extension_header, "an extension header: netboot protocols never need one")               \
    X(ipv6_protocol_unknown, "neither UDP nor ICMPv6")                                              \
    X(neighbour_bad_hop_limit, "neighbour discovery from beyond the link: hop limit is not 255")    \
    X(neighbour_bad_code, "neighbour discovery with a code other than 0")                           \
    X(neighbour_too_short, "shorter than its neighbour discovery message")                          \
    X(neighbour_bad_option, "a neighbour discovery option of length 0 or beyond the packet")        \
    X(neighbour_bad_source, "unspecified source with what only an address may send")                \
    X(neighbour_bad_target, "neighbour solicitation for a group")                                   \
    X(neighbour_not_for_us, "neighbour solicitation for an address that is not ours")               \
    X(udp_too_short, "shorter than a UDP header")                                                   \
    X(udp_bad_length, "UDP length below 8 or beyond the packet")                                    \
    X(udp_bad_checksum, "UDP checksum is wrong")                                                    \
    X(udp_no_checksum, "no UDP checksum, which IPv6 demands")                                       \
    X(udp_port_unknown, "no service on that port")                                                  \
    X(dhcp_too_short, "shorter than a BOOTP message")                                               \
    X(dhcp_not_request, "op is not BOOTREQUEST")                                                    \
    X(dhcp_bad_hardware, "hardware type or length is not Ethernet's")                               \
    X(dhcp_bad_source, "chaddr is zero or a group address")                                         \
    X(dhcp_not_reply, "to DHCP clients, but op is not BOOTREPLY")                                   \
    X(dhcp_not_senders, "not relayed, yet chaddr is not the sender's own hardware address")         \
    X(dhcp_bad_cookie, "magic cookie is missing")                                                   \
    X(dhcp_bad_option, "an option runs past its field")                                             \
    X(dhcp_type_unhandled, "a message type that no server answers")                                 \
    X(dhcp_disabled, "DHCP is switched off")                                                        \
    X(dhcp_unknown_network, "no network is configured for where it came from")                      \
    X(dhcp_unknown_machine, "the machine is not registered")                                        \
    X(dhcp_lease_timeout, "no lease was committed for it in time")                                  \
    X(dhcp_parking_full, "too many machines wait for a lease")                                      \
    X(dhcp_no_address, "the machine has no address on this network")                                \
    X(dhcp_bootp_guest, "BOOTP knows no end of a lease: none for machines that are not registered") \
    X(dhcp_other_server, "REQUEST that selects another server")                                     \
    X(dhcp_proxy_only, "on a network where another server gives the addresses")                     \
    X(dhcp_no_boot_file, "there is nothing for it to boot")                                         \
    X(dhcp_not_netboot, "asks what to boot without being able to boot from a network")              \
    X(dhcp_wrong_address, "REQUEST for an address that is not the machine's")                       \
    X(dhcp_reply_too_long, "the reply does not fit the client's maximum message size")              \
    X(dhcp6_too_short, "shorter than a DHCPv6 message")                                             \
    X(dhcp6_bad_option, "an option runs past its message or is of the wrong length")                \
    X(dhcp6_bad_client_id, "client identifier is no DUID, or is there twice")                       \
    X(dhcp6_too_many_ias, "more identity associations than a client has interfaces")                \
    X(dhcp6_bad_relay, "a relayed message that holds no message")                                   \
    X(dhcp6_relay_too_deep, "passed through more relays than RFC 8415 allows")                      \
    X(dhcp6_type_unhandled, "a message type that no client sends")                                  \
    X(dhcp6_no_client_id, "client identifier is missing")                                           \
    X(dhcp6_no_server_id, "server identifier is missing")                                           \
    X(dhcp6_unexpected_server_id, "server identifier in a message to all servers")                  \
    X(dhcp6_unexpected_ia, "INFORMATION-REQUEST that asks for an address")                          \
    X(dhcp6_unicast, "sent to our address, but must go to all servers")                             \
    X(dhcp6_nothing_to_confirm, "CONFIRM without an address")                                       \
    X(dhcp6_no_identity, "neither relay nor client tells its hardware address")                     \
    X(tftp_disabled, "TFTP is switched off")                                                        \
    X(tftp_too_short, "shorter than a TFTP opcode")                                                 \
    X(tftp_bad_opcode, "unknown opcode")                                                            \
    X(tftp_bad_request, "request is not terminated, over-long or has no name")                      \
    X(tftp_bad_mode, "transfer mode is neither octet nor netascii")                                 \
    X(tftp_unknown_machine, "the sender's address is leased to no machine")                         \
    X(tftp_write_refused, "WRQ: nothing is written over TFTP")                                      \
    X(tftp_not_found, "no such name for this machine")                                              \
    X(tftp_not_resident, "the image's bytes are not at hand")                                       \
    X(tftp_duplicate_request, "the request of a transfer that is already under way")                \
    X(tftp_no_session, "belongs to no transfer")                                                    \
    X(tftp_table_full, "no room for another transfer")                                              \
    X(tftp_stale_ack, "acknowledges what was acknowledged before")                                  \
    X(tftp_bad_ack, "acknowledges a block that was not sent")                                       \
    X(tftp_not_a_clients, "DATA or OACK, which only a server sends")                                \
    X(host_busy, "for the host, which does not take its frames fast enough")                        \
    X(receive_lost, "lost by the device before we saw it: its ring was full")                       \
    X(handover_full, "the worker whose transfer it belongs to had no room for it")                  \
    X(transmit_no_frame, "no transmit frame was free")                                              \
    X(transmit_ring_full, "the transmit ring was full")                                             \
    X(transmit_lost, "given to the device and lost there: no link, or its driver's error")          \
    X(host_lost, "for the host or from it: its interface was down, or took no more")

enum class DropReason : std::uint16_t {
#define X(name, help) name,
    ROUSE_DROP_REASONS(X)
#undef X
};

// Nothing is wrong with the frame; it is for services that the dataplane does not have. Where the dataplane
// has the network card for itself, such frames are the host's.
[[nodiscard]] constexpr bool is_for_host(DropReason reason) noexcept {
    switch (reason) {
        case DropReason::ethertype_unknown:
        case DropReason::ipv4_fragment:
        case DropReason::ipv4_not_for_us:
        case DropReason::ipv4_protocol_unknown:
        case DropReason::arp_not_request:
        case DropReason::arp_not_for_us:
        case DropReason::icmp_type_unhandled:
        case DropReason::ipv6_not_for_us:
        case DropReason::ipv6_fragment:
        case DropReason::ipv6_extension_header:
        case DropReason::ipv6_protocol_unknown:
        case DropReason::neighbour_not_for_us:
        case DropReason::udp_port_unknown:
            return true;
        default:
            return false;
    }
}

struct ListEntry {
    std::string_view name;
    std::string_view help;
};

inline constexpr auto kDropReasons = std::to_array<ListEntry>({
#define X(name, help) {#name, help},
    ROUSE_DROP_REASONS(X)
#undef X
});

[[nodiscard]] constexpr std::string_view to_string(DropReason reason) noexcept {
    return kDropReasons[static_cast<std::size_t>(reason)].name;
}

}  // namespace rouse
