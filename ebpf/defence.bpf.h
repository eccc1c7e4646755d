// Who is served, and how much of the others is looked at.
//
// The rule: a sender is known when its hardware address is in `machines` (that is the Ethernet source, or
// chaddr when a DHCP relay speaks for it), or when its IPv4 address is in `addresses`: those leased outside
// our own subnet, from where every frame bears a router's hardware address. DHCP that comes without a relay
// in the name of another machine is not the known machine's doing: else one registered machine could ask in
// the names of thousands. Everybody else is a stranger and meets two token buckets, its own and that of all
// strangers together; a few frames must pass, as that is how a machine becomes known.

#pragma once

#include "ebpf/sender.bpf.h"
#include "shared/xdp_filter.h"

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

// Sets: what is in them is known. Without preallocation, so that capacity costs little; the loader sets it.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct mac);
    __type(value, __u8);
} machines SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, __be32);
    __type(value, __u8);
} addresses SEC(".maps");

// A token bucket is one number: the time (CLOCK_MONOTONIC, ns) when it is full again, as in the virtual
// scheduling algorithm of ITU-T I.371. One bucket for all CPUs, exact on them all without a lock: a token is
// taken by compare-and-swap, and what is refused only reads, so a flood contends for nothing.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, XDP_FILTER_STRANGERS);
    __type(key, struct mac);
    __type(value, __u64);
} strangers SEC(".maps");

// Not in a cache line with the settings: those are read for every frame.
__u64 all_strangers __attribute__((aligned(64)));

static __always_inline bool take_token(__u64* bucket, const struct xdp_filter_bucket_size* size, __u64 now) {
    enum { TRIES = 4 };  // another CPU wins at most this often before the frame counts as refused
#pragma unroll
    for (int i = 0; i < TRIES; ++i) {
        const __u64 full_at = *(volatile __u64*)bucket;
        const __u64 then = (full_at > now ? full_at : now) + size->token_ns;
        if (then > now + size->depth_ns) return false;
        if (__sync_val_compare_and_swap(bucket, full_at, then) == full_at) return true;
    }
    return false;
}

static __always_inline bool is_known(const struct sender* sender) {
    if (!sender->for_another && bpf_map_lookup_elem(&machines, &sender->mac)) return true;
    return sender->address && bpf_map_lookup_elem(&addresses, &sender->address);
}

// What becomes of a stranger's frame. Its own bucket comes first, so that one noisy machine takes nothing
// from the others; but who was not heard of lately is written down only with a token of everybody's, so that
// made-up hardware addresses cannot wash the memory out.
static __always_inline enum xdp_filter_counter judge_stranger(const struct mac* mac) {
    const __u64 now = bpf_ktime_get_ns();
    __u64* own = bpf_map_lookup_elem(&strangers, mac);
    if (own && !take_token(own, &settings.one_stranger, now)) return XDP_FILTER_COUNTER_dropped_stranger;
    if (!take_token(&all_strangers, &settings.all_strangers, now)) return XDP_FILTER_COUNTER_dropped_flood;
    if (!own) {
        // Another CPU may be first: then this frame is one more than its share.
        const __u64 fresh = now + settings.one_stranger.token_ns;
        bpf_map_update_elem(&strangers, mac, &fresh, BPF_NOEXIST);
    }
    return XDP_FILTER_COUNTER_redirected_stranger;
}

static __always_inline enum xdp_filter_counter judge(const struct sender* sender) {
    if (!settings.allow_list || is_known(sender)) return XDP_FILTER_COUNTER_redirected;
    return judge_stranger(&sender->mac);
}
