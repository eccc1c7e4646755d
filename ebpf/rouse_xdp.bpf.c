// Steers frames for the services here to the AF_XDP socket of their receive queue, unless their sender is a
// stranger that sends too much; the kernel keeps the rest.

#include "ebpf/defence.bpf.h"
#include "ebpf/sender.bpf.h"
#include "shared/xdp_filter.h"

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

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

struct xdp_filter_settings settings __attribute__((aligned(64)));

static __always_inline void count(__u32 counter) {
    __u64* value = bpf_map_lookup_elem(&counters, &counter);
    if (value) ++*value;  // per CPU, and XDP is not preempted by XDP: no atomic needed
}

SEC("xdp")
int rouse_xdp(struct xdp_md* context) {
    const void* start = (const void*)(long)context->data;
    const void* end = (const void*)(long)context->data_end;
    struct sender sender;
    if (!is_for_us(start, end, &sender)) {
        count(XDP_FILTER_COUNTER_passed);
        return XDP_PASS;
    }
    const enum xdp_filter_counter verdict = judge(&sender);
    if (verdict == XDP_FILTER_COUNTER_dropped_stranger || verdict == XDP_FILTER_COUNTER_dropped_flood) {
        count(verdict);
        return XDP_DROP;
    }
    const int action = bpf_redirect_map(&xsks_map, context->rx_queue_index, XDP_PASS);
    count(action == XDP_REDIRECT ? verdict : XDP_FILTER_COUNTER_without_socket);
    return action;
}

char license_[] SEC("license") = "Apache-2.0";
