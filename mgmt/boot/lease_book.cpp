#include "mgmt/boot/lease_book.hpp"

#include "mgmt/boot/guest_host.hpp"

#include <cstring>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored

namespace {

// The dataplane counts in whole seconds, and so may have promised a little more.
constexpr std::uint64_t kEndGraceSeconds = 2;

std::optional<LeaseTimeKey> time_key(Ipv4Address address, const LeaseRecord& lease) noexcept {
    if (!lease.is_taken())
        return LeaseTimeKey{LeaseTimeKey::Kind::free, lease.network, lease.expires_unix, address};
    if (lease.expires_unix == 0) return std::nullopt;
    return LeaseTimeKey{LeaseTimeKey::Kind::ends, 0, lease.expires_unix, address};
}

std::optional<LeaseTimeKey> time_key_of(Bytes bytes) noexcept {
    LeaseTimeKey key;
    if (bytes.size() != sizeof key) return std::nullopt;
    std::memcpy(static_cast<void*>(&key), bytes.data(), sizeof key);
    return key;
}

Result<void> move_time(Batch& batch, Ipv4Address address, const std::optional<LeaseRecord>& before,
                       const std::optional<LeaseRecord>& now) {
    const auto old_key = before ? time_key(address, *before) : std::nullopt;
    const auto new_key = now ? time_key(address, *now) : std::nullopt;
    if (old_key && new_key && std::memcmp(&*old_key, &*new_key, sizeof *old_key) == 0) return {};
    if (old_key)
        if (auto removed = batch.remove(batch.own().lease_times, bytes_of(*old_key)); !removed)
            return tl::unexpected(removed.error());
    return new_key ? batch.put(batch.own().lease_times, bytes_of(*new_key), {}) : Result<void>{};
}

Result<void> move_former(Batch& batch, Ipv4Address address, const std::optional<LeaseRecord>& before,
                         const std::optional<LeaseRecord>& now) {
    const bool may_be_known = before && (!before->is_taken() || before->expires_unix != 0);
    const bool is_free_now = now && !now->is_taken();
    if (may_be_known && !(is_free_now && now->mac == before->mac)) {
        const auto former = former_address(batch, before->mac, before->network);
        if (!former) return tl::unexpected(former.error());
        const FormerKey key{before->mac, before->network};
        if (*former == address)
            if (auto removed = batch.remove(batch.own().lease_former, bytes_of(key)); !removed)
                return tl::unexpected(removed.error());
    }
    return is_free_now ? remember(batch, now->mac, now->network, address) : Result<void>{};
}

void count(LeaseCounts& counts, const LeaseRecord& lease, bool in_range, std::uint32_t step) noexcept {
    counts.states[static_cast<std::size_t>(lease.state) - 1] += step;
    if (!lease.is_taken()) return;
    if (in_range) counts.in_range += step;
    if (lease.expires_unix != 0) counts.guests += step;
}

bool is_in_range(const NetworkRecord& network, Ipv4Address address) noexcept {
    return network.range_start <= address && address <= network.range_end;
}

Result<void> add_to_counts(Batch& batch, Ipv4Address address, const LeaseRecord& lease, std::uint32_t step) {
    const be32 key(lease.network);
    const auto network = batch.record<NetworkRecord>(batch.tables().networks, bytes_of(key));
    if (!network) return tl::unexpected(network.error());
    auto counts = lease_counts(batch, lease.network);
    if (!counts) return tl::unexpected(counts.error());
    count(*counts, lease, *network && is_in_range(**network, address), step);
    return batch.put_record(batch.own().lease_counts, bytes_of(key), *counts);
}

Result<void> move_counts(Batch& batch, Ipv4Address address, const std::optional<LeaseRecord>& before,
                         const std::optional<LeaseRecord>& now) {
    if (before && now && before->network == now->network && before->state == now->state &&
        (before->expires_unix == 0) == (now->expires_unix == 0))
        return {};
    constexpr std::uint32_t kOneLess = ~std::uint32_t{0};
    if (before)
        if (auto less = add_to_counts(batch, address, *before, kOneLess); !less) return less;
    return now ? add_to_counts(batch, address, *now, 1) : Result<void>{};
}

Result<void> replace(Batch& batch, Ipv4Address address, const std::optional<LeaseRecord>& now) {
    const auto before = find_lease(batch, address);
    if (!before) return tl::unexpected(before.error());
    if (auto moved = move_time(batch, address, *before, now); !moved) return moved;
    if (auto moved = move_former(batch, address, *before, now); !moved) return moved;
    if (auto moved = move_counts(batch, address, *before, now); !moved) return moved;
    const Table leases = batch.tables().leases;
    if (!now) {
        const auto removed = batch.remove(leases, bytes_of(address));
        return removed ? Result<void>{} : tl::unexpected(removed.error());
    }
    // The dataplane's filter follows whose the addresses are, and which are set aside.
    const bool same_owner =
        *before && (*before)->mac == now->mac &&
        ((*before)->state == LeaseState::abandoned) == (now->state == LeaseState::abandoned);
    return same_owner ? batch.refresh_record(leases, bytes_of(address), *now)
                      : batch.put_record(leases, bytes_of(address), *now);
}

// All of a prefix, in order; VISIT may not write.
template <typename Visit>
Result<void> for_each_lease(const View& view, const Ipv4Prefix& prefix, Visit visit) {
    return scan(view.txn(), view.tables().leases, bytes_of(prefix.address), [&](Bytes key, Bytes value) {
        Ipv4Address address;
        if (key.size() != sizeof address) return true;
        std::memcpy(&address, key.data(), sizeof address);
        if (!prefix.contains(address)) return false;
        visit(address, decode<LeaseRecord>(value));
        return true;
    });
}

}  // namespace

Result<std::optional<LeaseRecord>> find_lease(const View& view, Ipv4Address address) {
    return view.record<LeaseRecord>(view.tables().leases, bytes_of(address));
}

Result<void> write_lease(Batch& batch, Ipv4Address address, const LeaseRecord& lease) {
    return replace(batch, address, lease);
}

Result<void> erase_lease(Batch& batch, Ipv4Address address) {
    return replace(batch, address, std::nullopt);
}

Result<void> remember(Batch& batch, const MacAddress& mac, NetworkId network, Ipv4Address address) {
    const FormerKey key{mac, network};
    return batch.put(batch.own().lease_former, bytes_of(key), bytes_of(address));
}

Result<void> erase_leases(Batch& batch, NetworkId network, const Ipv4Prefix& prefix) {
    std::vector<std::pair<Ipv4Address, MacAddress>> leases;
    const auto scanned =
        for_each_lease(batch, prefix, [&](Ipv4Address address, const std::optional<LeaseRecord>& lease) {
            leases.emplace_back(address, lease ? lease->mac : MacAddress{});
        });
    if (!scanned) return scanned;
    for (const auto& [address, mac] : leases) {
        const auto host = batch.record<HostRecord>(batch.tables().hosts, bytes_of(mac));
        if (!host) return tl::unexpected(host.error());
        if (*host && (*host)->is_guest() && (*host)->network == network)
            if (auto removed = remove_guest(batch, mac, **host); !removed)
                return fail(removed.error().message);
        if (auto erased = erase_lease(batch, address); !erased) return erased;
    }
    const be32 key(network);
    const auto removed = batch.remove(batch.own().lease_counts, bytes_of(key));
    return removed ? Result<void>{} : tl::unexpected(removed.error());
}

bool is_free(const std::optional<LeaseRecord>& lease, std::uint64_t now_unix) noexcept {
    return !lease || (!lease->is_taken() && lease->expires_unix + kReuseGraceSeconds <= now_unix);
}

Result<std::optional<Ipv4Address>> former_address(const View& view, const MacAddress& mac,
                                                  NetworkId network) {
    const FormerKey key{mac, network};
    const auto stored = view.txn().get(view.own().lease_former, bytes_of(key));
    if (!stored) return tl::unexpected(stored.error());
    Ipv4Address address;
    if (!*stored || (*stored)->size() != sizeof address) return std::optional<Ipv4Address>{};
    std::memcpy(&address, (*stored)->data(), sizeof address);
    return std::optional(address);
}

Result<std::optional<Ipv4Address>> longest_free(const View& view, NetworkId network, std::uint64_t now_unix) {
    std::optional<Ipv4Address> found;
    const LeaseTimeKey from{LeaseTimeKey::Kind::free, network, 0, {}};
    const auto scanned = scan(view.txn(), view.own().lease_times, bytes_of(from), [&](Bytes bytes, Bytes) {
        const auto key = time_key_of(bytes);
        if (key && key->kind == from.kind && key->network == from.network &&
            key->time_unix.host() + kReuseGraceSeconds <= now_unix)
            found = key->address;
        return false;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    return found;
}

Result<std::vector<Ipv4Address>> leases_due(const View& view, std::uint64_t now_unix, std::size_t limit) {
    std::vector<Ipv4Address> due;
    const LeaseTimeKey from{LeaseTimeKey::Kind::ends, 0, 0, {}};
    const auto scanned = scan(view.txn(), view.own().lease_times, bytes_of(from), [&](Bytes bytes, Bytes) {
        const auto key = time_key_of(bytes);
        if (!key || key->kind != from.kind || key->time_unix.host() + kEndGraceSeconds > now_unix ||
            due.size() == limit)
            return false;
        due.push_back(key->address);
        return true;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    return due;
}

Result<LeaseCounts> lease_counts(const View& view, NetworkId network) {
    const be32 key(network);
    const auto counts = view.record<LeaseCounts>(view.own().lease_counts, bytes_of(key));
    if (!counts) return tl::unexpected(counts.error());
    return counts->value_or(LeaseCounts{});
}

Result<void> recount_leases(Batch& batch, const NetworkRecord& network) {
    LeaseCounts counts;
    const auto scanned = for_each_lease(batch, network.prefix,
                                        [&](Ipv4Address address, const std::optional<LeaseRecord>& lease) {
                                            if (lease)
                                                count(counts, *lease, is_in_range(network, address), 1);
                                        });
    if (!scanned) return scanned;
    const be32 key(network.id);
    return batch.put_record(batch.own().lease_counts, bytes_of(key), counts);
}

}  // namespace rouse::boot
