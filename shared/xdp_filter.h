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

/* Entries of the map `counters`: one __u64 per CPU each, frames. Every frame is counted once.
 * X(name, what it counts): metric `rouse_xdp_<name>_total`. */
#define XDP_FILTER_COUNTERS(X)                                                       \
    X(redirected, "frames for a service here, given to the socket of their queue")   \
    X(without_socket, "frames for a service here whose receive queue has no socket") \
    X(passed, "all other frames: left to the kernel")

enum xdp_filter_counter {
#define X(name, help) XDP_FILTER_COUNTER_##name,
    XDP_FILTER_COUNTERS(X)
#undef X
        XDP_FILTER_COUNTER_COUNT
};
