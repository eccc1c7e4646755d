#include "mgmt/boot/free_address.hpp"

#include "mgmt/boot/lease_book.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored

namespace {

// Keys in `meta`. No address of the range below the first is free; none above the second is one that nobody
// ever had.
std::string lowest_key(NetworkId network) {
    return "free_from:" + std::to_string(network);
}
std::string highest_key(NetworkId network) {
    return "unused_until:" + std::to_string(network);
}

Result<std::optional<Ipv4Address>> read_hint(const View& view, const std::string& key) {
    const auto stored = view.txn().get(view.tables().meta, bytes_of(key));
    if (!stored) return tl::unexpected(stored.error());
    Ipv4Address hint;
    if (!*stored || (*stored)->size() != sizeof hint) return std::optional<Ipv4Address>{};
    std::memcpy(&hint, (*stored)->data(), sizeof hint);
    return std::optional(hint);
}
Result<void> write_hint(Batch& batch, const std::string& key, Ipv4Address hint) {
    return batch.put(batch.tables().meta, bytes_of(key), bytes_of(hint));
}

Ipv4Address at(std::uint64_t number) noexcept {
    return Ipv4Address::from_host(static_cast<std::uint32_t>(number));
}

struct Lowest {
    std::uint64_t free = 0;  // beyond the range's end when there is none
    std::uint64_t next = 0;  // where to look the next time
};

Result<Lowest> find_lowest(const View& view, std::uint64_t now_unix, const Appliance& appliance,
                           const Pool& pool, std::uint64_t from) {
    std::uint64_t candidate = from;
    std::optional<std::uint64_t> waiting;  // the first that will be free in a moment
    const std::uint64_t end = pool.network.range_end.host();
    auto skip_special = [&] {
        while (candidate <= end && pool.is_special(appliance, at(candidate))) ++candidate;
    };
    skip_special();
    const Ipv4Address first = at(candidate);
    const auto scanned = scan(view.txn(), view.tables().leases, bytes_of(first), [&](Bytes key, Bytes value) {
        Ipv4Address leased;
        if (key.size() != sizeof leased) return true;
        std::memcpy(&leased, key.data(), sizeof leased);
        if (candidate > end || leased.host() > candidate) return false;
        if (leased.host() < candidate) return true;  // a special address that was leased before it was
        // A record that cannot be read is a promise that cannot be checked: never given twice.
        const auto lease = decode<LeaseRecord>(value);
        if (lease && is_free(lease, now_unix)) return false;
        if (lease && !lease->is_taken() && !waiting) waiting = candidate;
        ++candidate;
        skip_special();
        return true;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    // Also when the range is full: the next machine finds that out at once.
    return Lowest{candidate, waiting.value_or(std::min(candidate, end) + 1)};
}

// From FROM downwards the first of which there is no record, readable or not; below the range's start when
// there is none.
Result<std::uint64_t> find_unused(const View& view, const Appliance& appliance, const Pool& pool,
                                  std::uint64_t from) {
    const std::uint64_t start = pool.network.range_start.host();
    std::uint64_t candidate = from;
    for (; candidate >= start; --candidate) {
        const Ipv4Address address = at(candidate);
        if (pool.is_special(appliance, address)) continue;
        const auto stored = view.txn().get(view.tables().leases, bytes_of(address));
        if (!stored) return tl::unexpected(stored.error());
        if (!*stored) break;
    }
    return candidate;
}

}  // namespace

Result<std::optional<Ipv4Address>> take_lowest_free(Batch& batch, const Appliance& appliance,
                                                    const Pool& pool) {
    const std::string key = lowest_key(pool.network.id);
    const auto hint = read_hint(batch, key);
    if (!hint) return tl::unexpected(hint.error());
    const auto from = std::max(hint->value_or(Ipv4Address{}), pool.network.range_start);
    const auto found = find_lowest(batch, batch.now_unix(), appliance, pool, from.host());
    if (!found) return tl::unexpected(found.error());
    if (auto put = write_hint(batch, key, at(found->next)); !put) return tl::unexpected(put.error());
    if (found->free > pool.network.range_end.host()) return std::optional<Ipv4Address>{};
    return std::optional(at(found->free));
}

Result<std::optional<Ipv4Address>> take_for_guest(Batch& batch, const Appliance& appliance,
                                                  const Pool& pool) {
    const std::string key = highest_key(pool.network.id);
    const auto hint = read_hint(batch, key);
    if (!hint) return tl::unexpected(hint.error());
    const Ipv4Address from = std::min(hint->value_or(pool.network.range_end), pool.network.range_end);
    const auto found = find_unused(batch, appliance, pool, from.host());
    if (!found) return tl::unexpected(found.error());
    const std::uint64_t below = std::uint64_t{pool.network.range_start.host()} - 1;
    const bool none = *found <= below;
    if (const Ipv4Address next = at(none ? below : *found - 1); !*hint || next != **hint)
        if (auto put = write_hint(batch, key, next); !put) return tl::unexpected(put.error());
    if (!none) return std::optional(at(*found));
    for (;;) {
        const auto free = longest_free(batch, pool.network.id, batch.now_unix());
        if (!free || !*free) return free;
        if (pool.is_in_range(**free) && !pool.is_special(appliance, **free)) return free;
        // The range was made smaller since, or the address became ours: it is not given again.
        if (auto erased = erase_lease(batch, **free); !erased) return tl::unexpected(erased.error());
    }
}

Result<void> note_free(Batch& batch, NetworkId network, Ipv4Address address) {
    const auto lowest = read_hint(batch, lowest_key(network));
    if (!lowest) return tl::unexpected(lowest.error());
    if (*lowest && address < **lowest)
        if (auto put = write_hint(batch, lowest_key(network), address); !put) return put;
    const auto highest = read_hint(batch, highest_key(network));
    if (!highest) return tl::unexpected(highest.error());
    if (*highest && address > **highest) return write_hint(batch, highest_key(network), address);
    return {};
}

Result<void> forget_hints(Batch& batch, NetworkId network) {
    for (const std::string& key : {lowest_key(network), highest_key(network)})
        if (auto removed = batch.remove(batch.tables().meta, bytes_of(key)); !removed)
            return tl::unexpected(removed.error());
    return {};
}

}  // namespace rouse::boot
