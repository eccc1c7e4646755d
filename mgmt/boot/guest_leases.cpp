#include "mgmt/boot/guest_leases.hpp"

#include "mgmt/boot/free_address.hpp"
#include "mgmt/boot/guest_host.hpp"
#include "mgmt/boot/lease_book.hpp"

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored

namespace {

Result<std::optional<HostRecord>> find_host(const View& view, const MacAddress& mac) {
    return view.record<HostRecord>(view.tables().hosts, bytes_of(mac));
}

bool is_guest_at(const std::optional<HostRecord>& host, Ipv4Address address) noexcept {
    return host && host->is_guest() && host->address == address;
}

Outcome<std::optional<Document>> profile_named(const View& view, const std::string& name) {
    if (name.empty()) return std::optional<Document>{};
    auto profile = find_by(view, kBootProfiles, kProfileByName, name);
    if (!profile) return pass_on(profile.error());
    return std::move(*profile);
}

// Nobody has the address from now on; its machine may return to it.
Outcome<void> end_lease(Batch& batch, Ipv4Address address, LeaseRecord lease, LeaseState state) {
    const auto host = find_host(batch, lease.mac);
    if (!host) return pass_on(host.error());
    if (is_guest_at(*host, address))
        if (auto removed = remove_guest(batch, lease.mac, **host); !removed) return removed;
    lease.state = state;
    lease.expires_unix = batch.now_unix();
    lease.promised_unix = 0;
    if (auto written = write_lease(batch, address, lease); !written) return pass_on(written.error());
    if (auto noted = note_free(batch, lease.network, address); !noted) return pass_on(noted.error());
    return {};
}

}  // namespace

Outcome<void> GuestLeases::load_pools() {
    if (pools_) return {};
    auto pools = all_pools(batch_);
    if (!pools) return pass_on(pools.error());
    std::vector<Guested> loaded;
    for (Pool& pool : *pools) {
        auto profile = profile_named(batch_, pool.boot_profile);
        if (!profile) return pass_on(profile.error());
        loaded.push_back({std::move(pool), std::move(*profile)});
    }
    pools_ = std::move(loaded);
    return {};
}

const GuestLeases::Guested* GuestLeases::pool_at(Ipv4Address address) const noexcept {
    for (const Guested& one : *pools_)
        if (one.pool.network.prefix.contains(address)) return &one;
    return nullptr;
}

const GuestLeases::Guested* GuestLeases::pool_of(NetworkId network) const noexcept {
    for (const Guested& one : *pools_)
        if (one.pool.network.id == network) return &one;
    return nullptr;
}

Outcome<void> GuestLeases::write_host(const MacAddress& mac, const Guested& in, Ipv4Address address,
                                      std::uint64_t expires_unix) {
    const auto known = find_host(batch_, mac);
    if (!known) return pass_on(known.error());
    HostRecord host = known->value_or(HostRecord{});
    host.network = in.pool.network.id;
    host.address = address;
    host.expires_unix = expires_unix;
    if (auto rendered = render_guest(batch_, appliance_, in.pool, in.profile, mac, host); !rendered)
        return rendered;
    const auto written = batch_.put_record(batch_.tables().hosts, bytes_of(mac), host);
    return written ? Outcome<void>{} : pass_on(written.error());
}

// What it had before, else one that is free; nothing when guests may take no more.
Outcome<std::optional<Ipv4Address>> GuestLeases::choose(const Pool& pool, const MacAddress& mac) {
    using Found = std::optional<Ipv4Address>;
    const auto counts = lease_counts(batch_, pool.network.id);
    if (!counts) return pass_on(counts.error());
    if (counts->guests >= pool.guest_limit) return Found{};
    const auto former = former_address(batch_, mac, pool.network.id);
    if (!former) return pass_on(former.error());
    if (*former && pool.is_in_range(**former) && !pool.is_special(appliance_, **former)) {
        const auto lease = find_lease(batch_, **former);
        if (!lease) return pass_on(lease.error());
        if (*lease && (*lease)->mac == mac && (*lease)->state != LeaseState::abandoned) return *former;
    }
    const std::uint32_t most_offers = (pool.guest_limit + 1) / 2;
    if (counts->of(LeaseState::offered) >= most_offers) return Found{};
    const auto free = take_for_guest(batch_, appliance_, pool);
    if (!free) return pass_on(free.error());
    return *free;
}

Outcome<GuestLeases::Wish> GuestLeases::offer(const MacAddress& mac, Ipv4Address arrived) {
    if (mac.is_zero() || mac.is_group()) return Wish::refused;
    const auto host = find_host(batch_, mac);
    if (!host) return pass_on(host.error());
    if (*host && !(*host)->is_guest()) return Wish::registered;
    if (auto loaded = load_pools(); !loaded) return pass_on(loaded.error());
    const Guested* in = pool_at(arrived);
    // Before the appliance knows its own address it might give it away.
    if (in == nullptr || !in->pool.network.serves_unknown() || appliance_.address().is_zero())
        return Wish::refused;
    const NetworkId network = in->pool.network.id;
    const std::uint64_t until = batch_.now_unix() + kOfferSeconds;

    std::optional<Ipv4Address> address;
    if (*host && (*host)->network == network) {
        address = (*host)->address;
    } else {
        auto chosen = choose(in->pool, mac);
        if (!chosen) return pass_on(chosen.error());
        address = *chosen;
    }
    if (!address) return Wish::refused;
    const auto has = find_lease(batch_, *address);
    if (!has) return pass_on(has.error());
    LeaseRecord lease{.state = LeaseState::offered, .network = network, .mac = mac};
    // What it was promised before stands.
    if (*has && (*has)->mac == mac && (*has)->is_taken()) lease = **has;
    lease.expires_unix = std::max(lease.expires_unix, until);
    lease.last_unix = batch_.now_unix();
    if (auto written = write_lease(batch_, *address, lease); !written) return pass_on(written.error());
    if (auto written = write_host(mac, *in, *address, lease.expires_unix); !written)
        return pass_on(written.error());
    return Wish::granted;
}

// An ACK for a lease of which there is no record any more: it was deleted while the ACK was under way.
Outcome<void> GuestLeases::write_orphan(const MacAddress& mac, Ipv4Address address, std::uint64_t at_unix,
                                        std::uint64_t until_unix) {
    const Guested* in = pool_at(address);
    if (in == nullptr) return {};
    LeaseRecord lease;
    lease.state = LeaseState::active;
    lease.network = in->pool.network.id;
    lease.mac = mac;
    lease.expires_unix = until_unix;
    lease.promised_unix = until_unix;
    lease.started_unix = at_unix;
    lease.last_unix = at_unix;
    const auto written = write_lease(batch_, address, lease);
    return written ? Outcome<void>{} : pass_on(written.error());
}

Outcome<bool> GuestLeases::confirm(const MacAddress& mac, Ipv4Address address, std::uint64_t at_unix,
                                   std::uint64_t seconds) {
    if (seconds == 0 || address.is_zero()) return true;  // it gave no address
    const auto stored = find_lease(batch_, address);
    if (!stored) return pass_on(stored.error());
    const bool own = *stored && (*stored)->mac == mac;
    if (*stored && !own && (*stored)->is_taken()) return false;
    if (auto loaded = load_pools(); !loaded) return pass_on(loaded.error());
    if (!own) {
        if (auto written = write_orphan(mac, address, at_unix, at_unix + seconds); !written)
            return pass_on(written.error());
        return true;
    }
    const auto host = find_host(batch_, mac);
    if (!host) return pass_on(host.error());
    LeaseRecord lease = **stored;
    lease.promised_unix = std::max(lease.promised_unix, at_unix + seconds);
    lease.last_unix = std::max(lease.last_unix, at_unix);
    if (lease.started_unix == 0) lease.started_unix = at_unix;
    const Guested* in = pool_of(lease.network);
    // A guest whose record went while its ACK was under way is one still. Where strangers are served no more
    // it is not prolonged.
    const bool guest = lease.state != LeaseState::abandoned && in != nullptr &&
                       in->pool.network.serves_unknown() && (is_guest_at(*host, address) || !*host);
    const bool registered = *host && !(*host)->is_guest() && (*host)->address == address;
    if (lease.state != LeaseState::abandoned) lease.state = LeaseState::active;
    if (guest) {
        const std::uint64_t network_lease = in->pool.network.lease_seconds;
        lease.expires_unix = std::max(lease.expires_unix, at_unix + network_lease + network_lease / 2);
        if (auto written = write_host(mac, *in, address, lease.expires_unix); !written)
            return pass_on(written.error());
    } else if (!registered) {
        lease.expires_unix = std::max(lease.expires_unix, lease.promised_unix);
    }
    if (auto written = write_lease(batch_, address, lease); !written) return pass_on(written.error());
    return true;
}

Outcome<void> GuestLeases::give_back(const MacAddress& mac, Ipv4Address address) {
    const auto stored = find_lease(batch_, address);
    if (!stored) return pass_on(stored.error());
    if (!*stored || (*stored)->mac != mac || !(*stored)->is_taken() ||
        (*stored)->state == LeaseState::abandoned)
        return {};
    LeaseRecord lease = **stored;
    lease.last_unix = batch_.now_unix();
    if (lease.expires_unix != 0) return end_lease(batch_, address, lease, LeaseState::released);
    // A registered machine's stays planned for it.
    lease.state = LeaseState::reserved;
    lease.promised_unix = 0;
    lease.started_unix = 0;
    const auto written = write_lease(batch_, address, lease);
    return written ? Outcome<void>{} : pass_on(written.error());
}

Outcome<void> GuestLeases::decline(const MacAddress& mac, Ipv4Address address) {
    const auto host = find_host(batch_, mac);
    if (!host) return pass_on(host.error());
    const auto stored = find_lease(batch_, address);
    if (!stored) return pass_on(stored.error());
    if (!is_guest_at(*host, address) || !*stored || (*stored)->mac != mac) return {};
    if (auto loaded = load_pools(); !loaded) return loaded;
    const Guested* in = pool_of((*stored)->network);
    const auto aside = in == nullptr ? Outcome<bool>(false) : set_aside(batch_, in->pool, address, mac);
    if (!aside) return pass_on(aside.error());
    if (!*aside) return end_lease(batch_, address, **stored, LeaseState::released);
    return remove_guest(batch_, mac, **host);
}

Outcome<bool> set_aside(Batch& batch, const Pool& pool, Ipv4Address address, const MacAddress& found_by) {
    const auto counts = lease_counts(batch, pool.network.id);
    if (!counts) return pass_on(counts.error());
    const std::uint32_t range = pool.network.range_end.host() - pool.network.range_start.host() + 1;
    if (counts->of(LeaseState::abandoned) >= (range + 3) / 4) return false;
    const auto stored = find_lease(batch, address);
    if (!stored) return pass_on(stored.error());
    LeaseRecord lease;
    lease.state = LeaseState::abandoned;
    lease.network = pool.network.id;
    lease.mac = found_by;
    if (*stored) lease.started_unix = (*stored)->started_unix;
    lease.expires_unix = batch.now_unix() + pool.quarantine_seconds;
    lease.last_unix = batch.now_unix();
    if (auto written = write_lease(batch, address, lease); !written) return pass_on(written.error());
    return true;
}

Outcome<std::size_t> end_leases(Batch& batch, std::size_t limit) {
    const auto due = leases_due(batch, batch.now_unix(), limit);
    if (!due) return pass_on(due.error());
    for (const Ipv4Address& address : *due) {
        const auto lease = find_lease(batch, address);
        if (!lease) return pass_on(lease.error());
        if (!*lease) continue;
        if (auto ended = end_lease(batch, address, **lease, LeaseState::expired); !ended)
            return pass_on(ended.error());
    }
    return due->size();
}

Outcome<void> free_lease(Batch& batch, Ipv4Address address) {
    const auto lease = find_lease(batch, address);
    if (!lease) return pass_on(lease.error());
    if (!*lease) return refuse(Failure::Kind::not_found, "there is no lease of " + address.to_string());
    if ((*lease)->is_taken() && (*lease)->expires_unix == 0)
        return refuse(Failure::Kind::conflict,
                      address.to_string() + " is planned for the registered machine " +
                          (*lease)->mac.to_string() + "; change or delete the machine instead");
    if (!(*lease)->is_taken()) return {};
    return end_lease(batch, address, **lease, LeaseState::released);
}

Outcome<std::optional<Ipv4Address>> project_guests(Batch& batch, const Appliance& appliance,
                                                   const Document& document, std::optional<Ipv4Address> from,
                                                   std::size_t limit) {
    const auto pool = Pool::of(document);
    if (!pool) return pass_on(pool.error());
    const auto profile = profile_named(batch, pool->boot_profile);
    if (!profile) return pass_on(profile.error());
    std::vector<std::pair<Ipv4Address, MacAddress>> guests;
    std::size_t seen = 0;
    std::optional<Ipv4Address> last;
    const Ipv4Prefix& prefix = pool->network.prefix;
    const Ipv4Address first = from.value_or(prefix.address);
    const auto scanned =
        scan(batch.txn(), batch.tables().leases, bytes_of(first), [&](Bytes key, Bytes value) {
            Ipv4Address address;
            if (key.size() != sizeof address) return true;
            std::memcpy(&address, key.data(), sizeof address);
            if (!prefix.contains(address)) return false;
            if (seen++ == limit) {
                last = address;
                return false;
            }
            const auto lease = decode<LeaseRecord>(value);
            if (lease && lease->is_taken() && lease->expires_unix != 0)
                guests.emplace_back(address, lease->mac);
            return true;
        });
    if (!scanned) return pass_on(scanned.error());
    for (const auto& [address, mac] : guests) {
        auto host = find_host(batch, mac);
        if (!host) return pass_on(host.error());
        if (!is_guest_at(*host, address)) continue;
        const HostRecord before = **host;
        if (auto rendered = render_guest(batch, appliance, *pool, *profile, mac, **host); !rendered)
            return pass_on(rendered.error());
        if (std::memcmp(&before, &**host, sizeof before) == 0) continue;
        if (auto put = batch.put_record(batch.tables().hosts, bytes_of(mac), **host); !put)
            return pass_on(put.error());
    }
    return last;
}

}  // namespace rouse::boot
