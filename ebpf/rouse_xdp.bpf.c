// Steers frames for the services here to the AF_XDP socket of their receive queue; the kernel keeps the rest.
//
// It judges as little as it can: a frame whose destination port can be read and is ours goes to user space,
// whatever else is wrong with it, because user space counts each fault under its own reason. What cannot be
// told to be ours is the kernel's: other ethertypes (VLAN-tagged frames belong to an interface of their own),
// other protocols, headers of which no port can be read, fragments after the first.

#include "shared/xdp_filter.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stddef.h>

#define IPV4_VERSION 4
#define IPV4_MIN_WORDS 5             // RFC 791 3.1: IHL counts 32-bit words
#define IPV4_FRAGMENT_OFFSET 0x1fff  // RFC 791 3.1: low 13 bits of flags and fragment offset

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, XDP_FILTER_MAX_QUEUES);
    __type(key, __u32);
    __type(value, __u32);
} xsks_map SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, XDP_FILTER_COUNTER_COUNT);
    __type(key, __u32);
    __type(value, __u64);
} counters SEC(".maps");

// Where a frame belongs.
enum owner { OWNER_KERNEL, OWNER_SERVICE };

static __always_inline void count(__u32 counter) {
    __u64* value = bpf_map_lookup_elem(&counters, &counter);
    if (value) ++*value;  // per CPU, and XDP is not preempted by XDP: no atomic needed
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

static __always_inline enum owner owner_of_udp(const void* udp, const void* end) {
    // The port is enough: a header cut off after it is user space's to count.
    const __be16* port = udp + offsetof(struct udphdr, dest);
    if ((const void*)(port + 1) > end) return OWNER_KERNEL;
    return is_service_port(*port) ? OWNER_SERVICE : OWNER_KERNEL;
}

static __always_inline enum owner owner_of_ipv4(const void* start, const void* end) {
    const struct iphdr* ip = start;
    if ((const void*)(ip + 1) > end) return OWNER_KERNEL;
    if (ip->version != IPV4_VERSION || ip->ihl < IPV4_MIN_WORDS) return OWNER_KERNEL;
    if (ip->protocol != IPPROTO_UDP) return OWNER_KERNEL;
    if (ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET)) return OWNER_KERNEL;
    return owner_of_udp(start + ip->ihl * 4, end);
}

static __always_inline enum owner owner_of_frame(const void* start, const void* end) {
    const struct ethhdr* eth = start;
    if ((const void*)(eth + 1) > end) return OWNER_KERNEL;
    switch (eth->h_proto) {
        case bpf_htons(ETH_P_IP):
            return owner_of_ipv4(eth + 1, end);
        default:
            return OWNER_KERNEL;
    }
}

SEC("xdp")
int rouse_xdp(struct xdp_md* context) {
    const void* start = (const void*)(long)context->data;
    const void* end = (const void*)(long)context->data_end;
    if (owner_of_frame(start, end) == OWNER_KERNEL) {
        count(XDP_FILTER_COUNTER_passed);
        return XDP_PASS;
    }
    const int action = bpf_redirect_map(&xsks_map, context->rx_queue_index, XDP_PASS);
    count(action == XDP_REDIRECT ? XDP_FILTER_COUNTER_redirected : XDP_FILTER_COUNTER_without_socket);
    return action;
}

char license_[] SEC("license") = "Apache-2.0";
