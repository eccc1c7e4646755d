#include "mgmt/boot/pool.hpp"

#include "mgmt/boot/free_address.hpp"
#include "mgmt/boot/lease_book.hpp"
#include "mgmt/boot/settings.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored
using nlohmann::json;

namespace {

constexpr std::uint8_t kShortestPrefix = 8;  // wider networks than 10.0.0.0/8 have no machines in them
constexpr std::uint8_t kLongestPrefix = 30;  // two hosts: the least that DHCP can serve
constexpr std::uint8_t kShortestPrefix6 = 16;
constexpr std::uint8_t kLongestPrefix6 = 96;  // an IPv4 address must fit behind it (see plan6)

std::optional<Ipv4Address> address_in(const json& fields, const char* name) {
    const auto found = fields.find(name);
    if (found == fields.end() || !found->is_string()) return std::nullopt;
    return Ipv4Address::parse(found->get_ref<const std::string&>());
}

bool overlap(const Ipv4Prefix& a, const Ipv4Prefix& b) {
    return a.contains(b.address) || b.contains(a.address);
}
bool overlap(const Ipv6Prefix& a, const Ipv6Prefix& b) {
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

template <typename T>
T number_in(const json& fields, const char* name, T otherwise) {
    const auto found = fields.find(name);
    return found != fields.end() && found->is_number() ? found->get<T>() : otherwise;
}

// The addresses of a list that can be read, at most Capacity of them; how many.
template <typename Address, std::size_t Capacity>
std::uint8_t read_list(const json& fields, const char* name, std::array<Address, Capacity>& out) {
    std::uint8_t count = 0;
    const auto found = fields.find(name);
    if (found == fields.end() || !found->is_array()) return count;
    for (const auto& text : *found) {
        const auto address = Address::parse(text.template get_ref<const std::string&>());
        if (address && count < Capacity) out[count++] = *address;
    }
    return count;
}

void read_ipv6(const Document& document, NetworkRecord& record) {
    const auto prefix = Ipv6Prefix::parse(document.text("cidr6"));
    if (!prefix) return;
    record.prefix6 = *prefix;
    record.dns6_count = read_list(document.fields, "dns_servers6", record.dns6);
    record.router_lifetime6 = number_in<std::uint16_t>(document.fields, "router_lifetime6", 0);
    record.mtu6 = number_in<std::uint32_t>(document.fields, "mtu6", 0);
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
        const Ipv4Prefix& its = other.network.prefix;
        if (other.id != self) {
            if (overlap(prefix, its))
                return refuse(Failure::Kind::conflict,
                              prefix.to_string() + " overlaps the pool " + its.to_string(), "/cidr");
            continue;
        }
        if (prefix == its) continue;
        const auto counts = lease_counts(view, other.network.id);
        if (!counts) return pass_on(counts.error());
        std::uint32_t taken = counts->guests;
        taken += counts->of(LeaseState::reserved);
        if (taken > 0 || counts->in_range > 0)
            return refuse(Failure::Kind::conflict,
                          std::to_string(std::max(taken, counts->in_range)) +
                              " machines have addresses of this pool, so its network cannot change",
                          "/cidr");
    }
    const auto gateway = address_in(fields, "gateway");
    if (!gateway) return {};
    const auto lease = find_lease(view, *gateway);
    if (!lease) return pass_on(lease.error());
    if (*lease && (*lease)->is_taken())
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

Outcome<void> check_ipv6_neighbours(const View& view, const Ipv6Prefix& prefix, std::optional<Id> self) {
    const auto pools = all_pools(view);
    if (!pools) return pass_on(pools.error());
    for (const Pool& other : *pools)
        if (other.id != self && other.network.has_ipv6() && overlap(prefix, other.network.prefix6))
            return refuse(Failure::Kind::conflict,
                          prefix.to_string() + " overlaps the pool " + other.network.prefix.to_string() +
                              "'s " + other.network.prefix6.to_string(),
                          "/cidr6");
    return {};
}

Outcome<void> check_ipv6(const View& view, json& fields, std::optional<Id> self) {
    const auto text = fields.find("cidr6");
    if (text == fields.end() || !text->is_string()) {
        for (const char* name : {"dns_servers6", "router_lifetime6", "mtu6"})
            if (const auto found = fields.find(name);
                found != fields.end() && !found->is_null() && !(found->is_array() && found->empty()))
                return refuse(Failure::Kind::invalid, "means nothing without cidr6", std::string("/") + name);
        return {};
    }
    const auto prefix = Ipv6Prefix::parse(text->get_ref<const std::string&>());
    if (!prefix || prefix->length < kShortestPrefix6 || prefix->length > kLongestPrefix6)
        return refuse(Failure::Kind::invalid,
                      "must be an IPv6 network between /16 and /96, host bits zero, such as fd00:77::/64",
                      "/cidr6");
    if (prefix->address.is_multicast() || prefix->address.is_link_local())
        return refuse(Failure::Kind::invalid,
                      "must be a network of unicast addresses that are not link-local", "/cidr6");
    if (auto checked = check_ipv6_neighbours(view, *prefix, self); !checked) return checked;
    fields["cidr6"] = prefix->to_string();
    for (auto& server : fields.value("dns_servers6", json::array()))
        if (const auto address = Ipv6Address::parse(server.get_ref<const std::string&>());
            !address || address->is_multicast() || address->is_zero())
            return refuse(Failure::Kind::invalid, server.get<std::string>() + " is no IPv6 address of a host",
                          "/dns_servers6");
    if (const auto mtu = number_in<std::uint32_t>(fields, "mtu6", 0);
        mtu != 0 && mtu < NetworkRecord::kMinMtu6)
        return refuse(Failure::Kind::invalid, "IPv6 needs at least 1280", "/mtu6");
    return {};
}

bool same_plan(const NetworkRecord& a, const NetworkRecord& b) noexcept {
    return a.prefix == b.prefix && a.gateway == b.gateway && a.range_start == b.range_start &&
           a.range_end == b.range_end;
}

}  // namespace

Result<Pool> Pool::of(const Document& document) {
    const auto prefix = Ipv4Prefix::parse(document.text("cidr"));
    const auto start = address_in(document.fields, "range_start");
    const auto end = address_in(document.fields, "range_end");
    const auto network = document.fields.value("_network", NetworkId{0});
    if (!prefix || !start || !end || network == 0)
        return fail("the stored ip-pool " + document.id.to_string() + " is damaged; restore a backup");
    Pool pool;
    pool.id = document.id;
    NetworkRecord& record = pool.network;
    record.id = network;
    record.prefix = *prefix;
    record.gateway = address_in(document.fields, "gateway").value_or(Ipv4Address{});
    record.range_start = *start;
    record.range_end = *end;
    record.lease_seconds = number_in<std::uint32_t>(document.fields, "lease_seconds", 86'400);
    if (document.text("unknown_machines") == "serve") record.flags |= NetworkRecord::kServeUnknown;
    if (document.text("mode") == "proxy") record.flags |= NetworkRecord::kProxy;
    record.dns_count = read_list(document.fields, "dns_servers", record.dns);
    read_ipv6(document, record);
    pool.cluster = document.text("cluster");
    pool.boot_profile = document.text("boot_profile");
    pool.quarantine_seconds =
        number_in<std::uint32_t>(document.fields, "quarantine_seconds", kQuarantineSeconds);
    const std::uint32_t range = end->host() - start->host() + 1;
    pool.guest_limit = number_in<std::uint32_t>(document.fields, "guest_limit", (range + 1) / 2);
    return pool;
}

bool Pool::is_special(const Appliance& appliance, Ipv4Address address) const {
    return !is_host_of(network.prefix, address) || address == network.gateway ||
           appliance.is_appliance(address);
}

std::uint32_t Pool::capacity(const Appliance& appliance) const noexcept {
    std::uint32_t out = network.range_end.host() - network.range_start.host() + 1;
    if (is_in_range(network.gateway)) --out;
    if (is_in_range(appliance.address()) && appliance.address() != network.gateway) --out;
    return out;
}

Result<std::vector<Pool>> all_pools(const View& view) {
    std::vector<Pool> pools;
    Result<void> damage;
    const auto listed = for_each(view, kIpPools, std::nullopt, [&](const Document& document) {
        auto pool = Pool::of(document);
        if (!pool) {
            damage = tl::unexpected(pool.error());
            return false;
        }
        pools.push_back(std::move(*pool));
        return true;
    });
    if (!listed) return tl::unexpected(listed.error());
    if (!damage) return tl::unexpected(damage.error());
    return pools;
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
    return check_ipv6(view, fields, self);
}

Outcome<void> project_pool(Batch& batch, const Document& document) {
    auto pool = Pool::of(document);
    if (!pool) return pass_on(pool.error());
    NetworkRecord& record = pool->network;
    if (document.text("mode").empty()) {
        const auto settings = read_settings(batch);
        if (!settings) return pass_on(settings.error());
        if (settings->proxy) record.flags |= NetworkRecord::kProxy;
    }
    const be32 key(record.id);
    const auto before = batch.record<NetworkRecord>(batch.tables().networks, bytes_of(key));
    if (!before) return pass_on(before.error());
    if (auto put = batch.put_record(batch.tables().networks, bytes_of(key), record); !put)
        return pass_on(put.error());
    if (*before && same_plan(**before, record)) return {};
    if (auto forgotten = forget_hints(batch, record.id); !forgotten) return pass_on(forgotten.error());
    if (auto counted = recount_leases(batch, record); !counted) return pass_on(counted.error());
    return {};
}

Outcome<void> remove_pool(Batch& batch, const Document& document) {
    const auto pool = Pool::of(document);
    if (!pool) return pass_on(pool.error());
    const NetworkId network = pool->network.id;
    if (auto erased = erase_leases(batch, network, pool->network.prefix); !erased)
        return pass_on(erased.error());
    if (auto removed = batch.remove(batch.tables().networks, bytes_of(be32(network))); !removed)
        return pass_on(removed.error());
    if (auto forgotten = forget_hints(batch, network); !forgotten) return pass_on(forgotten.error());
    if (auto erased = erase(batch, kIpPools, document.id); !erased) return pass_on(erased.error());
    return {};
}

}  // namespace rouse::boot
