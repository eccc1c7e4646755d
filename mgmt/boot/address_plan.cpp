#include "mgmt/boot/address_plan.hpp"

#include <cstring>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored
using nlohmann::json;

namespace {

constexpr std::uint8_t kShortestPrefix = 8;  // wider networks than 10.0.0.0/8 have no machines in them
constexpr std::uint8_t kLongestPrefix = 30;  // two hosts: the least that DHCP can serve

std::optional<Ipv4Address> address_in(const json& fields, const char* name) {
    const auto found = fields.find(name);
    if (found == fields.end() || !found->is_string()) return std::nullopt;
    return Ipv4Address::parse(found->get_ref<const std::string&>());
}

bool overlap(const Ipv4Prefix& a, const Ipv4Prefix& b) {
    return a.contains(b.address) || b.contains(a.address);
}

bool is_host_of(const Ipv4Prefix& prefix, Ipv4Address address) {
    return prefix.contains(address) && address != prefix.address && address != prefix.broadcast();
}

Ipv4Address first_host(const Ipv4Prefix& prefix) {
    return Ipv4Address::from_host(prefix.address.host() + 1);
}
Ipv4Address last_host(const Ipv4Prefix& prefix) {
    return Ipv4Address::from_host(prefix.broadcast().host() - 1);
}

// All pools in order of creation: there are few, one per rack network.
Result<std::vector<Pool>> all_pools(const View& view) {
    std::vector<Pool> pools;
    Result<void> damage;
    const auto listed = for_each(view, kIpPools, std::nullopt, [&](const Document& document) {
        auto pool = Pool::of(document);
        if (!pool) {
            damage = tl::unexpected(pool.error());
            return false;
        }
        pools.push_back(*pool);
        return true;
    });
    if (!listed) return tl::unexpected(listed.error());
    if (!damage) return tl::unexpected(damage.error());
    return pools;
}

// Key in `meta` of a pool's hint: no address of its range below the hint is free. That makes a run of
// registrations one pass over the leases instead of one each.
std::string hint_key(const Pool& pool) {
    return "free_from:" + std::to_string(pool.network);
}
Result<Ipv4Address> read_hint(const View& view, const Pool& pool) {
    const auto stored = view.txn().get(view.tables().meta, bytes_of(hint_key(pool)));
    if (!stored) return tl::unexpected(stored.error());
    Ipv4Address hint;
    if (*stored && (*stored)->size() == sizeof hint) std::memcpy(&hint, (*stored)->data(), sizeof hint);
    return hint;
}
Result<void> write_hint(Batch& batch, const Pool& pool, Ipv4Address hint) {
    return batch.put(batch.tables().meta, bytes_of(hint_key(pool)), bytes_of(hint));
}

bool is_taken(const LeaseRecord& lease) {
    return lease.state != LeaseState::expired && lease.state != LeaseState::released;
}

bool is_reserved(const Pool& pool, const Appliance& appliance, Ipv4Address address) {
    return !is_host_of(pool.prefix, address) || address == pool.gateway || address == appliance.address();
}

// The lowest free address of the pool's range; nothing when it is full.
Result<std::optional<Ipv4Address>> find_free(const View& view, const Appliance& appliance, const Pool& pool) {
    const auto hint = read_hint(view, pool);
    if (!hint) return tl::unexpected(hint.error());
    std::uint64_t candidate = std::max(hint->host(), pool.range_start.host());
    const std::uint64_t end = pool.range_end.host();
    auto skip_reserved = [&] {
        while (candidate <= end &&
               is_reserved(pool, appliance, Ipv4Address::from_host(static_cast<std::uint32_t>(candidate))))
            ++candidate;
    };
    skip_reserved();
    const Ipv4Address first = Ipv4Address::from_host(static_cast<std::uint32_t>(candidate));
    const auto scanned = scan(view.txn(), view.tables().leases, bytes_of(first), [&](Bytes key, Bytes value) {
        Ipv4Address leased;
        if (key.size() != sizeof leased) return true;
        std::memcpy(&leased, key.data(), sizeof leased);
        if (candidate > end || leased.host() > candidate) return false;
        if (leased.host() < candidate) return true;  // a reserved address that was leased before it was
        // A record that cannot be read is a promise that cannot be checked: never given twice.
        const auto lease = decode<LeaseRecord>(value);
        if (lease && !is_taken(*lease)) return false;
        ++candidate;
        skip_reserved();
        return true;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    if (candidate > end) return std::optional<Ipv4Address>{};
    return std::optional(Ipv4Address::from_host(static_cast<std::uint32_t>(candidate)));
}

Outcome<void> lease_to(Batch& batch, const Pool& pool, Ipv4Address address, json& fields) {
    LeaseRecord lease;
    lease.network = pool.network;
    lease.mac = *MacAddress::parse(fields.at("mac").get_ref<const std::string&>());
    if (auto put = batch.put_record(batch.tables().leases, bytes_of(address), lease); !put)
        return pass_on(put.error());
    fields["ip"] = address.to_string();
    fields["ip_pool"] = pool.id.to_string();
    return {};
}

// The address that the machine asks for, or why it cannot have it.
Outcome<void> place_at(Batch& batch, const Appliance& appliance, const std::vector<Pool>& pools,
                       Ipv4Address wanted, json& fields) {
    const std::string text = wanted.to_string();
    const auto pool = std::find_if(pools.begin(), pools.end(),
                                   [wanted](const Pool& p) { return p.prefix.contains(wanted); });
    if (pool == pools.end())
        return refuse(Failure::Kind::invalid,
                      text + " is in no IP pool's network; make the pool first, or leave ip out", "/ip");
    if (!is_host_of(pool->prefix, wanted))
        return refuse(Failure::Kind::invalid,
                      text + " is the network or broadcast address of " + pool->prefix.to_string(), "/ip");
    if (wanted == pool->gateway)
        return refuse(Failure::Kind::invalid, text + " is the pool's gateway", "/ip");
    if (wanted == appliance.address())
        return refuse(Failure::Kind::invalid, text + " is the appliance's own address", "/ip");
    const auto lease = batch.record<LeaseRecord>(batch.tables().leases, bytes_of(wanted));
    if (!lease) return pass_on(lease.error());
    if (*lease && is_taken(**lease))
        return refuse(Failure::Kind::conflict, text + " is leased to " + (*lease)->mac.to_string(), "/ip");
    return lease_to(batch, *pool, wanted, fields);
}

Outcome<void> check_host_field(const json& fields, const char* name, const Ipv4Prefix& prefix) {
    const auto address = address_in(fields, name);
    if (!address || is_host_of(prefix, *address)) return {};
    return refuse(Failure::Kind::invalid,
                  address->to_string() + " is not a host address of " + prefix.to_string(),
                  std::string("/") + name);
}

// Against the other pools, and against the leases under its own older version.
Outcome<void> check_neighbours(const View& view, const json& fields, const Ipv4Prefix& prefix,
                               std::optional<Id> self) {
    const auto pools = all_pools(view);
    if (!pools) return pass_on(pools.error());
    for (const Pool& other : *pools) {
        if (other.id != self) {
            if (overlap(prefix, other.prefix))
                return refuse(Failure::Kind::conflict,
                              prefix.to_string() + " overlaps the pool " + other.prefix.to_string(), "/cidr");
            continue;
        }
        const auto machines = ids_by(view, kMachineByPool, self->to_string());
        if (!machines) return pass_on(machines.error());
        if (!machines->empty() && prefix != other.prefix)
            return refuse(Failure::Kind::conflict,
                          std::to_string(machines->size()) +
                              " machines have addresses of this pool, so its network cannot change",
                          "/cidr");
    }
    const auto gateway = address_in(fields, "gateway");
    if (!gateway) return {};
    const auto lease = view.record<LeaseRecord>(view.tables().leases, bytes_of(*gateway));
    if (!lease) return pass_on(lease.error());
    if (*lease && is_taken(**lease))
        return refuse(Failure::Kind::conflict,
                      gateway->to_string() + " is leased to " + (*lease)->mac.to_string(), "/gateway");
    return {};
}

// A range that was the whole of the pool's older network becomes the whole of the new one.
Outcome<void> forget_old_range(const View& view, json& fields, const Ipv4Prefix& prefix, Id self) {
    const auto document = find(view, kIpPools, self);
    if (!document) return pass_on(document.error());
    const auto old = *document ? Ipv4Prefix::parse((*document)->text("cidr")) : std::nullopt;
    if (!old || *old == prefix) return {};
    if (address_in(fields, "range_start") == first_host(*old)) fields.erase("range_start");
    if (address_in(fields, "range_end") == last_host(*old)) fields.erase("range_end");
    return {};
}

}  // namespace

Result<Pool> Pool::of(const Document& document) {
    const auto prefix = Ipv4Prefix::parse(document.text("cidr"));
    const auto start = address_in(document.fields, "range_start");
    const auto end = address_in(document.fields, "range_end");
    const auto network = document.fields.value("_network", NetworkId{0});
    if (!prefix || !start || !end || network == 0)
        return fail("the stored ip-pool " + document.id.to_string() + " is damaged; restore a backup");
    return Pool{document.id,
                network,
                *prefix,
                address_in(document.fields, "gateway").value_or(Ipv4Address{}),
                *start,
                *end,
                document.text("cluster")};
}

Outcome<void> check_pool(const View& view, json& fields, std::optional<Id> self) {
    const auto prefix = Ipv4Prefix::parse(fields.at("cidr").get_ref<const std::string&>());
    if (!prefix || prefix->length < kShortestPrefix || prefix->length > kLongestPrefix)
        return refuse(Failure::Kind::invalid, "the network must be between /8 and /30", "/cidr");
    if (auto checked = check_neighbours(view, fields, *prefix, self); !checked) return checked;
    if (self)
        if (auto moved = forget_old_range(view, fields, *prefix, *self); !moved) return moved;
    for (const char* name : {"gateway", "range_start", "range_end"})
        if (auto checked = check_host_field(fields, name, *prefix); !checked) return checked;
    const auto start = address_in(fields, "range_start").value_or(first_host(*prefix));
    const auto end = address_in(fields, "range_end").value_or(last_host(*prefix));
    if (start > end) return refuse(Failure::Kind::invalid, "the range ends before it starts", "/range_end");
    fields["range_start"] = start.to_string();
    fields["range_end"] = end.to_string();
    return {};
}

Outcome<void> project_pool(Batch& batch, const Document& document) {
    const auto pool = Pool::of(document);
    if (!pool) return pass_on(pool.error());
    NetworkRecord record;
    record.id = pool->network;
    record.prefix = pool->prefix;
    record.gateway = pool->gateway;
    record.range_start = pool->range_start;
    record.range_end = pool->range_end;
    record.lease_seconds = document.fields.value("lease_seconds", std::uint32_t{86400});
    if (document.text("unknown_machines") == "serve") record.flags |= NetworkRecord::kServeUnknown;
    for (const auto& server : document.fields.value("dns_servers", json::array())) {
        const auto address = Ipv4Address::parse(server.get_ref<const std::string&>());
        if (address && record.dns_count < NetworkRecord::kMaxDnsServers)
            record.dns[record.dns_count++] = *address;
    }
    if (auto put = batch.put_record(batch.tables().networks, bytes_of(be32(pool->network)), record); !put)
        return pass_on(put.error());
    // The range, the gateway or an expired lease may have changed: look from the start again.
    if (auto put = write_hint(batch, *pool, Ipv4Address{}); !put) return pass_on(put.error());
    return {};
}

Outcome<void> remove_pool(Batch& batch, const Document& document) {
    const auto pool = Pool::of(document);
    if (!pool) return pass_on(pool.error());
    // What is left are leases of machines that are not registered: nobody serves them here any more.
    std::vector<Ipv4Address> leases;
    const auto scanned =
        scan(batch.txn(), batch.tables().leases, bytes_of(pool->prefix.address), [&](Bytes key, Bytes) {
            Ipv4Address address;
            if (key.size() == sizeof address) std::memcpy(&address, key.data(), sizeof address);
            if (!pool->prefix.contains(address)) return false;
            leases.push_back(address);
            return true;
        });
    if (!scanned) return pass_on(scanned.error());
    for (const Ipv4Address& address : leases)
        if (auto removed = batch.remove(batch.tables().leases, bytes_of(address)); !removed)
            return pass_on(removed.error());
    if (auto removed = batch.remove(batch.tables().networks, bytes_of(be32(pool->network))); !removed)
        return pass_on(removed.error());
    if (auto removed = batch.remove(batch.tables().meta, bytes_of(hint_key(*pool))); !removed)
        return pass_on(removed.error());
    if (auto erased = erase(batch, kIpPools, document.id); !erased) return pass_on(erased.error());
    return {};
}

Outcome<void> place(Batch& batch, const Appliance& appliance, json& fields) {
    const auto pools = all_pools(batch);
    if (!pools) return pass_on(pools.error());
    if (const auto wanted = address_in(fields, "ip"))
        return place_at(batch, appliance, *pools, *wanted, fields);
    fields["ip"] = nullptr;
    fields["ip_pool"] = nullptr;
    const auto cluster = fields.find("cluster");
    const bool has_cluster = cluster != fields.end() && cluster->is_string();
    for (const bool own : {true, false}) {
        if (own && !has_cluster) continue;
        for (const Pool& pool : *pools) {
            if (own ? pool.cluster != cluster->get_ref<const std::string&>() : !pool.cluster.empty())
                continue;
            const auto free = find_free(batch, appliance, pool);
            if (!free) return pass_on(free.error());
            // Also when the pool is full: the next machine finds that out at once.
            const auto next = Ipv4Address::from_host((*free ? **free : pool.range_end).host() + 1);
            if (auto put = write_hint(batch, pool, next); !put) return pass_on(put.error());
            if (*free) return lease_to(batch, pool, **free, fields);
        }
    }
    return {};
}

Outcome<void> displace(Batch& batch, json& fields) {
    const auto address = address_in(fields, "ip");
    fields["ip"] = nullptr;
    fields["ip_pool"] = nullptr;
    if (!address) return {};
    const auto lease = batch.record<LeaseRecord>(batch.tables().leases, bytes_of(*address));
    if (!lease) return pass_on(lease.error());
    const auto removed = batch.remove(batch.tables().leases, bytes_of(*address));
    if (!removed) return pass_on(removed.error());
    if (!*lease) return {};
    const Pool pool{.id = {},
                    .network = (*lease)->network,
                    .prefix = {},
                    .gateway = {},
                    .range_start = {},
                    .range_end = {},
                    .cluster = {}};
    const auto hint = read_hint(batch, pool);
    if (!hint) return pass_on(hint.error());
    if (*address < *hint)
        if (auto put = write_hint(batch, pool, *address); !put) return pass_on(put.error());
    return {};
}

}  // namespace rouse::boot
