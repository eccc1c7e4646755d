/* What the XDP program (C, in the kernel) and its loader (C++) must agree on: map layouts and limits.
 * Plain C, included by both; ebpf/loader.hpp asserts the layout on the C++ side. */
#pragma once

#include <linux/types.h>

/* Receive queues of an interface that can have a socket: entries of the map `xsks_map`, indexed by queue. */
#define XDP_FILTER_MAX_QUEUES 64

/* UDP destination ports of the services here: to the socket. X(name, port) */
#define XDP_FILTER_PORTS(X) \
    X(dhcp, 67)             \
    X(tftp, 69)             \
    X(proxy_dhcp, 4011)

/* What else goes to the socket, each while its switch is on. X(name, what it is) */
#define XDP_FILTER_EXTRAS(X)                                                                        \
    X(router_solicitations, "ICMPv6 Router Solicitations (RFC 4861 4.1)")                           \
    X(dhcpv6, "DHCPv6 to servers: UDP port 547 over IPv6 (RFC 8415 7.2)")                           \
    X(tftp_ipv6, "TFTP over IPv6: UDP port 69 and those of transfers")                              \
    X(dhcp_answers,                                                                                 \
      "broadcast DHCP to other clients than this host: UDP port 68, where other servers are heard") \
    X(other_hosts,                                                                                  \
      "all that is not sent to this host's own hardware address: the port's user plays other hosts")

/* Entries of the map `counters`: one __u64 per CPU each, frames. Every frame is counted once, under what
 * became of it. X(name, what it counts): metric `rouse_xdp_frames_total{action="<name>"}`. */
#define XDP_FILTER_COUNTERS(X)                                                                \
    X(redirected, "for a service here: given to the socket of their queue")                   \
    X(redirected_stranger, "likewise, from machines that are not on the allow-list")          \
    X(without_socket, "for a service here, but their receive queue has no socket")            \
    X(dropped_stranger, "from a machine not on the allow-list that sent more than its share") \
    X(dropped_flood, "from machines not on the allow-list that together sent too much")       \
    X(passed, "all others: left to the kernel")

enum xdp_filter_counter {
#define X(name, help) XDP_FILTER_COUNTER_##name,
    XDP_FILTER_COUNTERS(X)
#undef X
        XDP_FILTER_COUNTER_COUNT
};

/* Machines not on the allow-list whose buckets the program keeps; it forgets the one heard least recently.
 * No more new ones come in than settings.all_strangers lets through: at 2000 a second it remembers half a
 * minute. */
#define XDP_FILTER_STRANGERS 65536

/* Size of a token bucket. A frame takes one token; none left: it is refused. */
struct xdp_filter_bucket_size {
    __u64 token_ns; /* time in which one token comes in; above 0 */
    __u64 depth_ns; /* time in which the empty bucket fills: token_ns times the tokens it holds */
};

/* Variable `settings` of the program. Userspace writes it at any time, field by field: each is read alone.
 * All zero, as loaded: everybody is served, and no extras. */
struct xdp_filter_settings {
#define X(name, help) __u8 name;
    XDP_FILTER_EXTRAS(X)
#undef X
    __u8 allow_list;     /* 1: who is not on it meets the buckets */
    __u16 tftp_first;    /* ports of TFTP transfers, host byte order: this and */
    __u8 own_address[6]; /* this host's: its own DHCP answers, and frames that are not others', stay the
                            kernel's */
    __u16 tftp_count;    /* the ones behind it, so many together; 0: none */
    struct xdp_filter_bucket_size one_stranger;  /* of each machine that is not on the allow-list */
    struct xdp_filter_bucket_size all_strangers; /* of all of them together */
};
