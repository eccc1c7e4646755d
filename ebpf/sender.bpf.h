// Whether a frame is for a service here, and who sent it.
//
// It judges as little as it can: a frame whose destination port can be read and is ours goes to user space,
// whatever else is wrong with it, because user space counts each fault under its own reason. What cannot be
// told to be ours is the kernel's: other ethertypes (VLAN-tagged frames belong to an interface of their own),
// other protocols, headers of which no port can be read, fragments after the first, IPv6 extension headers.

#pragma once

#include "shared/xdp_filter.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stddef.h>

#define IPV4_VERSION 4
#define IPV4_MIN_WORDS 5             // RFC 791 3.1: IHL counts 32-bit words
#define IPV4_FRAGMENT_OFFSET 0x1fff  // RFC 791 3.1: low 13 bits of flags and fragment offset
#define IPV6_VERSION 6

#define PORT_DHCP_SERVER 67
#define PORT_DHCP_CLIENT 68
#define PORT_PROXY_DHCP 4011
#define PORT_TFTP 69
#define PORT_DHCPV6_SERVER 547
#define DHCPV6_RELAY_FORWARD 12         // RFC 8415 7.3
#define ICMPV6_ROUTER_SOLICITATION 133  // RFC 4861 4.1

struct mac {
    __u8 octets[ETH_ALEN];
};

// RFC 2131 2, as far as it is read here.
struct bootp {
    __u8 op, htype, hlen, hops;
    __be32 xid;
    __be16 secs, flags;
    __be32 ciaddr, yiaddr, siaddr, giaddr;
    __u8 chaddr[16];
};

// RFC 8415 9.
struct dhcpv6_relay {
    __u8 type, hop_count;
    __u8 link[16], peer[16];
};

struct sender {
    struct mac mac;    // the Ethernet source; the client's own when a DHCP relay speaks for it
    __be32 address;    // IPv4 source; 0 over IPv6
    bool for_another;  // DHCP that, without a relay, is not in the Ethernet source's own name
    bool broadcast;    // to everybody on the link
};

extern struct xdp_filter_settings settings;  // rouse_xdp.bpf.c

static __always_inline void copy_mac(struct mac* to, const __u8* from) {
    __builtin_memcpy(to->octets, from, ETH_ALEN);
}

static __always_inline bool is_same_mac(const struct mac* a, const struct mac* b) {
    __u8 difference = 0;
    for (int i = 0; i < ETH_ALEN; ++i) difference |= a->octets[i] ^ b->octets[i];
    return difference == 0;
}

static __always_inline bool is_broadcast(const __u8* destination) {
    __u8 all = 0xff;
    for (int i = 0; i < ETH_ALEN; ++i) all &= destination[i];
    return all == 0xff;
}

static __always_inline bool is_own_address(const __u8* address) {
    struct mac mac, own;
    copy_mac(&mac, address);
    copy_mac(&own, settings.own_address);
    return is_same_mac(&mac, &own);
}

static __always_inline bool is_service_port(__be16 port) {
    switch (port) {
#define X(name, number)     \
    case bpf_htons(number): \
        return true;
        XDP_FILTER_PORTS(X)
#undef X
        default:
            return false;
    }
}

// Of a TFTP transfer with a port of its own.
static __always_inline bool is_transfer_port(__be16 port) {
    return (__u16)(bpf_ntohs(port) - settings.tftp_first) < settings.tftp_count;
}

// UDP is the header before it. Of a message too short to name a machine nobody can tell that the name is the
// sender's own.
static __always_inline void read_bootp(const struct udphdr* udp, const void* end, struct sender* sender) {
    const struct bootp* bootp = (const void*)(udp + 1);
    sender->for_another = true;
    if ((const void*)(bootp + 1) > end) return;
    struct mac client;
    copy_mac(&client, bootp->chaddr);
    const __be16 relay_port = bpf_htons(PORT_DHCP_SERVER);  // of both ends (RFC 2131 4.1)
    const bool is_relayed = udp->source == relay_port && udp->dest == relay_port && bootp->giaddr != 0;
    if (is_relayed) sender->mac = client;
    sender->for_another = !is_same_mac(&client, &sender->mac);
}

// A DHCP answer that everybody hears, and that no client of this host waits for: what is redirected is gone
// for the kernel.
static __always_inline bool is_overheard(const struct udphdr* udp, const void* end,
                                         const struct sender* sender) {
    if (!settings.dhcp_answers || !sender->broadcast) return false;
    const struct bootp* bootp = (const void*)(udp + 1);
    if ((const void*)(bootp + 1) > end) return false;
    return !is_own_address(bootp->chaddr);
}

static __always_inline bool is_for_us_udp(const struct udphdr* udp, const void* end, struct sender* sender) {
    // The port is enough: a header cut off after it is user space's to count.
    if ((const void*)(&udp->dest + 1) > end) return false;
    if (udp->dest == bpf_htons(PORT_DHCP_CLIENT)) return is_overheard(udp, end, sender);
    if (!is_service_port(udp->dest)) return is_transfer_port(udp->dest);
    if (udp->dest == bpf_htons(PORT_DHCP_SERVER) || udp->dest == bpf_htons(PORT_PROXY_DHCP))
        read_bootp(udp, end, sender);
    return true;
}

static __always_inline bool is_for_us_ipv4(const struct iphdr* ip, const void* end, struct sender* sender) {
    if ((const void*)(ip + 1) > end) return false;
    if (ip->version != IPV4_VERSION || ip->ihl < IPV4_MIN_WORDS) return false;
    if (ip->protocol != IPPROTO_UDP) return false;
    if (ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET)) return false;
    sender->address = ip->saddr;
    return is_for_us_udp((const void*)ip + ip->ihl * 4, end, sender);
}

// What a relay sends on is the client's own doing, if its address tells who that is (modified EUI-64, RFC
// 4291 appendix A; firmware makes its link-local addresses so). Else the relay counts as the sender.
static __always_inline void read_relayed(const struct udphdr* udp, const void* end, struct sender* sender) {
    const struct dhcpv6_relay* relay = (const void*)(udp + 1);
    if ((const void*)(relay + 1) > end || relay->type != DHCPV6_RELAY_FORWARD) return;
    const __u8* peer = relay->peer;
    if (peer[0] != 0xfe || peer[1] != 0x80 || peer[11] != 0xff || peer[12] != 0xfe) return;
    const struct mac client = {{peer[8] ^ 2, peer[9], peer[10], peer[13], peer[14], peer[15]}};
    sender->mac = client;
}

static __always_inline bool is_for_us_udp6(const struct udphdr* udp, const void* end, struct sender* sender) {
    if ((const void*)(&udp->dest + 1) > end) return false;
    if (udp->dest == bpf_htons(PORT_TFTP) || is_transfer_port(udp->dest)) return settings.tftp_ipv6;
    if (udp->dest != bpf_htons(PORT_DHCPV6_SERVER) || !settings.dhcpv6) return false;
    read_relayed(udp, end, sender);
    return true;
}

static __always_inline bool is_for_us_ipv6(const struct ipv6hdr* ip, const void* end, struct sender* sender) {
    if ((const void*)(ip + 1) > end || ip->version != IPV6_VERSION) return false;
    if (ip->nexthdr == IPPROTO_ICMPV6) {
        const struct icmp6hdr* icmp = (const void*)(ip + 1);
        if ((const void*)(&icmp->icmp6_type + 1) > end) return false;
        return settings.router_solicitations && icmp->icmp6_type == ICMPV6_ROUTER_SOLICITATION;
    }
    if (ip->nexthdr == IPPROTO_UDP) return is_for_us_udp6((const void*)(ip + 1), end, sender);
    return false;
}

// SENDER is written when, and only when, the frame is for a service here.
static __always_inline bool is_for_us(const void* start, const void* end, struct sender* sender) {
    const struct ethhdr* eth = start;
    if ((const void*)(eth + 1) > end) return false;
    copy_mac(&sender->mac, eth->h_source);
    sender->for_another = false;
    sender->address = 0;
    sender->broadcast = is_broadcast(eth->h_dest);
    if (settings.other_hosts && !is_own_address(eth->h_dest)) return true;
    switch (eth->h_proto) {
        case bpf_htons(ETH_P_IP):
            return is_for_us_ipv4((const void*)(eth + 1), end, sender);
        case bpf_htons(ETH_P_IPV6):
            return is_for_us_ipv6((const void*)(eth + 1), end, sender);
        default:
            return false;
    }
}
