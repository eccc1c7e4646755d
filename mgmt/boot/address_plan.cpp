#include "mgmt/boot/address_plan.hpp"

#include "mgmt/boot/free_address.hpp"
#include "mgmt/boot/lease_book.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/boot/serving.hpp"
#include "mgmt/store/documents.hpp"

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored
using nlohmann::json;

namespace {

std::optional<Ipv4Address> address_in(const json& fields, const char* name) {
    const auto found = fields.find(name);
    if (found == fields.end() || !found->is_string()) return std::nullopt;
    return Ipv4Address::parse(found->get_ref<const std::string&>());
}

std::optional<Ipv6Address> address6_in(const json& fields) {
    const auto found = fields.find("ip6");
    if (found == fields.end() || !found->is_string()) return std::nullopt;
    return Ipv6Address::parse(found->get_ref<const std::string&>());
}

MacAddress mac_in(const json& fields) {
    return *MacAddress::parse(fields.at("mac").get_ref<const std::string&>());
}

// How many addresses are tried for a machine: with a planned one being the IPv4 address behind the prefix,
// only one that somebody typed in can be in its way.
constexpr std::uint32_t kTries6 = 16;

// The IPv4 address, and TRY before it, behind the network's prefix; nothing when that does not fit.
std::optional<Ipv6Address> candidate6(const Ipv6Prefix& prefix, Ipv4Address v4, std::uint32_t attempt) {
    if (attempt != 0 && prefix.length > 88) return std::nullopt;
    Ipv6Address out = prefix.address;
    out.octets[11] = static_cast<std::uint8_t>(out.octets[11] | attempt);
    const be32 low = v4.bits;
    std::memcpy(&out.octets[12], &low, sizeof low);
    return out;
}

Result<bool> is_free6(const View& view, const Ipv6Address& address, const MacAddress& mac) {
    const auto stored = view.txn().get(view.tables().leases6, bytes_of(address));
    if (!stored) return tl::unexpected(stored.error());
    if (!*stored) return true;
    const auto lease = decode<LeaseRecord>(**stored);
    return lease && lease->mac == mac;
}

Outcome<std::optional<Ipv6Address>> choose6(const View& view, const Pool& pool, Ipv4Address v4,
                                            const json& fields) {
    const Ipv6Prefix& prefix = pool.network.prefix6;
    const auto wanted = fields.find("ip6");
    if (wanted != fields.end() && wanted->is_string()) {
        const auto address = Ipv6Address::parse(wanted->get_ref<const std::string&>());
        if (!address || !pool.network.has_ipv6() || !prefix.contains(*address) || *address == prefix.address)
            return refuse(
                Failure::Kind::invalid,
                pool.network.has_ipv6()
                    ? "must be an address of " + prefix.to_string() + ", the IPv6 network of its pool"
                    : "the pool of its IPv4 address has no IPv6 network; give it a cidr6",
                "/ip6");
        const auto free = is_free6(view, *address, mac_in(fields));
        if (!free) return pass_on(free.error());
        if (!*free) return refuse(Failure::Kind::conflict, "another machine has it", "/ip6");
        return address;
    }
    if (!pool.network.has_ipv6()) return std::optional<Ipv6Address>{};
    for (std::uint32_t attempt = 0; attempt < kTries6; ++attempt) {
        const auto address = candidate6(prefix, v4, attempt);
        if (!address) break;
        const auto free = is_free6(view, *address, mac_in(fields));
        if (!free) return pass_on(free.error());
        if (*free) return address;
    }
    return std::optional<Ipv6Address>{};
}

// The IPv6 address that goes with an IPv4 one.
Outcome<void> place6(Batch& batch, const Pool& pool, Ipv4Address v4, json& fields) {
    const auto address = choose6(batch, pool, v4, fields);
    if (!address) return pass_on(address.error());
    fields["ip6"] = nullptr;
    if (!*address) return {};
    LeaseRecord lease;
    lease.network = pool.network.id;
    lease.mac = mac_in(fields);
    if (auto put = batch.put_record(batch.tables().leases6, bytes_of(**address), lease); !put)
        return pass_on(put.error());
    fields["ip6"] = (*address)->to_string();
    return {};
}

// The address becomes the machine's for good, whether it was free or its own as a guest's.
Outcome<void> lease_to(Batch& batch, const Pool& pool, Ipv4Address address, json& fields) {
    const auto before = find_lease(batch, address);
    if (!before) return pass_on(before.error());
    LeaseRecord lease;
    lease.network = pool.network.id;
    lease.mac = mac_in(fields);
    if (*before && (*before)->mac == lease.mac && (*before)->is_taken()) {
        lease = **before;
        lease.state = lease.started_unix != 0 ? LeaseState::active : LeaseState::reserved;
        // As a guest it may have been told of all of it, though we never heard so.
        lease.promised_unix = std::max(lease.promised_unix, lease.expires_unix);
        lease.expires_unix = 0;
    }
    if (auto written = write_lease(batch, address, lease); !written) return pass_on(written.error());
    fields["ip"] = address.to_string();
    fields["ip_pool"] = pool.id.to_string();
    return place6(batch, pool, address, fields);
}

// The address that the machine asks for, or why it cannot have it. HEIR_OF: whose it may be now.
Outcome<void> place_at(Batch& batch, const Appliance& appliance, const std::vector<Pool>& pools,
                       Ipv4Address wanted, std::optional<MacAddress> heir_of, json& fields) {
    const std::string text = wanted.to_string();
    const auto pool = std::find_if(pools.begin(), pools.end(),
                                   [wanted](const Pool& p) { return p.network.prefix.contains(wanted); });
    if (pool == pools.end())
        return refuse(Failure::Kind::invalid,
                      text + " is in no IP pool's network; make the pool first, or leave ip out", "/ip");
    const Ipv4Prefix& prefix = pool->network.prefix;
    if (wanted == prefix.address || wanted == prefix.broadcast())
        return refuse(Failure::Kind::invalid,
                      text + " is the network or broadcast address of " + prefix.to_string(), "/ip");
    if (wanted == pool->network.gateway)
        return refuse(Failure::Kind::invalid, text + " is the pool's gateway", "/ip");
    if (appliance.is_appliance(wanted))
        return refuse(Failure::Kind::invalid, text + " is an appliance's own address", "/ip");
    const auto lease = find_lease(batch, wanted);
    if (!lease) return pass_on(lease.error());
    const bool own = *lease && ((*lease)->mac == mac_in(fields) || (*lease)->mac == heir_of);
    if (!own && !is_free(*lease, batch.now_unix()))
        return refuse(Failure::Kind::conflict, text + " is leased to " + (*lease)->mac.to_string(), "/ip");
    return lease_to(batch, *pool, wanted, fields);
}

bool is_open_to(const Pool& pool, const std::string& cluster, bool own) {
    return own ? !cluster.empty() && pool.cluster == cluster : pool.cluster.empty();
}

// What the machine has as a guest of the pool, or had there before.
Result<std::optional<Ipv4Address>> own_address(const View& view, const Appliance& appliance, const Pool& pool,
                                               const MacAddress& mac) {
    auto address = former_address(view, mac, pool.network.id);
    if (!address) return address;
    const auto host = view.record<HostRecord>(view.tables().hosts, bytes_of(mac));
    if (!host) return tl::unexpected(host.error());
    if (*host && (*host)->is_guest() && (*host)->network == pool.network.id) *address = (*host)->address;
    if (!*address || pool.is_special(appliance, **address)) return std::optional<Ipv4Address>{};
    const auto lease = find_lease(view, **address);
    if (!lease) return tl::unexpected(lease.error());
    const bool usable = *lease && (*lease)->mac == mac && (*lease)->state != LeaseState::abandoned;
    return usable ? *address : std::optional<Ipv4Address>{};
}

}  // namespace

Outcome<void> place(Batch& batch, const Appliance& appliance, json& fields,
                    std::optional<MacAddress> heir_of) {
    const auto pools = all_pools(batch);
    if (!pools) return pass_on(pools.error());
    if (const auto wanted = address_in(fields, "ip"))
        return place_at(batch, appliance, *pools, *wanted, heir_of, fields);
    fields["ip"] = nullptr;
    fields["ip_pool"] = nullptr;
    const std::string cluster = fields.contains("cluster") && fields["cluster"].is_string()
                                    ? fields["cluster"].get<std::string>()
                                    : std::string();
    for (const bool known : {true, false})
        for (const bool own : {true, false})
            for (const Pool& pool : *pools) {
                if (!is_open_to(pool, cluster, own)) continue;
                const auto found = known ? own_address(batch, appliance, pool, mac_in(fields))
                                         : take_lowest_free(batch, appliance, pool);
                if (!found) return pass_on(found.error());
                if (*found) return lease_to(batch, pool, **found, fields);
            }
    fields["ip6"] = nullptr;
    return {};
}

Outcome<void> occupy(Batch& batch, const json& fields) {
    const auto address = address_in(fields, "ip");
    const auto text = fields.find("ip_pool");
    const auto pool_id = text != fields.end() && text->is_string()
                             ? Id::parse(text->get_ref<const std::string&>())
                             : std::nullopt;
    const auto document =
        address && pool_id ? find(batch, kIpPools, *pool_id) : Result<std::optional<Document>>{};
    if (!document) return pass_on(document.error());
    if (!*document) return {};
    const auto pool = Pool::of(**document);
    if (!pool) return pass_on(pool.error());
    const auto before = find_lease(batch, *address);
    if (!before) return pass_on(before.error());
    LeaseRecord lease;
    lease.network = pool->network.id;
    lease.mac = mac_in(fields);
    const bool is_its_own = *before && (*before)->mac == lease.mac && (*before)->network == lease.network &&
                            (*before)->expires_unix == 0;
    if (!is_its_own)
        if (auto written = write_lease(batch, *address, lease); !written) return pass_on(written.error());
    if (const auto address6 = address6_in(fields))
        if (auto put = batch.put_record(batch.tables().leases6, bytes_of(*address6), lease); !put)
            return pass_on(put.error());
    return {};
}

Outcome<void> displace(Batch& batch, json& fields) {
    const auto address = address_in(fields, "ip");
    const auto address6 = address6_in(fields);
    for (const char* name : {"ip", "ip6", "ip_pool"}) fields[name] = nullptr;
    if (address6)
        if (auto removed = batch.remove(batch.tables().leases6, bytes_of(*address6)); !removed)
            return pass_on(removed.error());
    if (!address) return {};
    const auto stored = find_lease(batch, *address);
    if (!stored) return pass_on(stored.error());
    if (!*stored || (*stored)->mac != mac_in(fields) || (*stored)->expires_unix != 0) return {};
    LeaseRecord lease = **stored;
    const std::uint64_t now = batch.now_unix();
    const auto elsewhere = promised_elsewhere(batch, fields, lease.network);
    if (!elsewhere) return pass_on(elsewhere.error());
    lease.promised_unix = std::max(lease.promised_unix, *elsewhere);
    Result<void> written;
    if (lease.promised_unix > now) {
        // The machine was told that it may use it until then, and nobody can tell it otherwise.
        lease.expires_unix = lease.promised_unix;
        written = write_lease(batch, *address, lease);
        if (written) written = remember(batch, lease.mac, lease.network, *address);
    } else if (lease.started_unix == 0) {
        written = erase_lease(batch, *address);
    } else {
        lease.state = LeaseState::released;
        lease.expires_unix = now;
        written = write_lease(batch, *address, lease);
    }
    if (written) written = note_free(batch, lease.network, *address);
    if (!written) return pass_on(written.error());
    return {};
}

Outcome<bool> follow_prefix6(Batch& batch, json& fields) {
    const auto v4 = address_in(fields, "ip");
    const auto text = fields.find("ip_pool");
    const auto pool_id = text != fields.end() && text->is_string()
                             ? Id::parse(text->get_ref<const std::string&>())
                             : std::nullopt;
    if (!v4 || !pool_id) return false;
    const auto document = find(batch, kIpPools, *pool_id);
    if (!document) return pass_on(document.error());
    if (!*document) return false;
    const auto pool = Pool::of(**document);
    if (!pool) return pass_on(pool.error());
    const auto now = address6_in(fields);
    if (now ? pool->network.has_ipv6() && pool->network.prefix6.contains(*now) : !pool->network.has_ipv6())
        return false;
    if (now)
        if (auto removed = batch.remove(batch.tables().leases6, bytes_of(*now)); !removed)
            return pass_on(removed.error());
    fields["ip6"] = nullptr;
    fields["_ip6_typed"] = false;
    if (auto placed = place6(batch, *pool, *v4, fields); !placed) return pass_on(placed.error());
    return now != address6_in(fields);
}

}  // namespace rouse::boot
