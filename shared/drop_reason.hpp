#pragma once
// Every reason for which the dataplane drops a frame: the one list behind verdicts, counters, metric labels
// (`rouse_drops_total{reason="…"}`) and documentation. Append freely; a layout change renames the segment.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rouse {

// X(name, what it means)
#define ROUSE_DROP_REASONS(X)                                                          \
    X(none, "not a drop")                                                              \
    X(frame_too_short, "shorter than an Ethernet header")                              \
    X(frame_bad_source, "source hardware address is a group address")                  \
    X(frame_not_for_us, "destination hardware address is neither ours nor broadcast")  \
    X(ethertype_unknown, "neither IPv4 nor another protocol served here")              \
    X(ipv4_too_short, "shorter than an IPv4 header")                                   \
    X(ipv4_bad_version, "IP version is not 4")                                         \
    X(ipv4_bad_header_length, "IHL below 5 or beyond the frame")                       \
    X(ipv4_bad_length, "total length below the header's or beyond the frame")          \
    X(ipv4_bad_checksum, "header checksum is wrong")                                   \
    X(ipv4_bad_source, "source is multicast, broadcast or loopback")                   \
    X(ipv4_fragment, "a fragment: netboot protocols never need one")                   \
    X(ipv4_not_for_us, "destination address is neither ours nor broadcast")            \
    X(ipv4_protocol_unknown, "not UDP")                                                \
    X(udp_too_short, "shorter than a UDP header")                                      \
    X(udp_bad_length, "UDP length below 8 or beyond the packet")                       \
    X(udp_bad_checksum, "UDP checksum is wrong")                                       \
    X(udp_port_unknown, "no service on that port")                                     \
    X(dhcp_too_short, "shorter than a BOOTP message")                                  \
    X(dhcp_not_request, "op is not BOOTREQUEST")                                       \
    X(dhcp_bad_hardware, "hardware type or length is not Ethernet's")                  \
    X(dhcp_bad_source, "chaddr is zero or a group address")                            \
    X(dhcp_bad_cookie, "magic cookie is missing")                                      \
    X(dhcp_bad_option, "an option runs past its field")                                \
    X(dhcp_type_unhandled, "a message type that no server answers")                    \
    X(dhcp_disabled, "DHCP is switched off")                                           \
    X(dhcp_unknown_network, "no network is configured for where it came from")         \
    X(dhcp_unknown_machine, "the machine is not registered")                           \
    X(dhcp_lease_timeout, "no lease was committed for it in time")                     \
    X(dhcp_parking_full, "too many machines wait for a lease")                         \
    X(dhcp_no_address, "the machine has no address on this network")                   \
    X(dhcp_other_server, "REQUEST that selects another server")                        \
    X(dhcp_proxy_only, "on a network where another server gives the addresses")        \
    X(dhcp_no_boot_file, "there is nothing for it to boot")                            \
    X(dhcp_not_netboot, "asks what to boot without being able to boot from a network") \
    X(dhcp_wrong_address, "REQUEST for an address that is not the machine's")          \
    X(dhcp_reply_too_long, "the reply does not fit the client's maximum message size") \
    X(tftp_disabled, "TFTP is switched off")                                           \
    X(tftp_too_short, "shorter than a TFTP opcode")                                    \
    X(tftp_bad_opcode, "unknown opcode")                                               \
    X(tftp_bad_request, "request is not terminated, over-long or has no name")         \
    X(tftp_bad_mode, "transfer mode is neither octet nor netascii")                    \
    X(tftp_unknown_machine, "the sender's address is leased to no machine")            \
    X(tftp_write_refused, "WRQ: nothing is written over TFTP")                         \
    X(tftp_not_found, "no such name for this machine")                                 \
    X(tftp_not_resident, "the image's bytes are not at hand")                          \
    X(tftp_duplicate_request, "the request of a transfer that is already under way")   \
    X(tftp_no_session, "belongs to no transfer")                                       \
    X(tftp_table_full, "no room for another transfer")                                 \
    X(tftp_stale_ack, "acknowledges what was acknowledged before")                     \
    X(tftp_bad_ack, "acknowledges a block that was not sent")                          \
    X(tftp_not_a_clients, "DATA or OACK, which only a server sends")                   \
    X(receive_lost, "lost by the device before we saw it: its ring was full")          \
    X(transmit_no_frame, "no transmit frame was free")                                 \
    X(transmit_ring_full, "the transmit ring was full")

enum class DropReason : std::uint16_t {
#define X(name, help) name,
    ROUSE_DROP_REASONS(X)
#undef X
};

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
