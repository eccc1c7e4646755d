// /api/leases/: the lease records, as the dataplane sees them. Pages, since there may be as many as
// addresses.

#include "mgmt/boot/guest_leases.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/list_query.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/words.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include <nlohmann/json.hpp>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): records and how they are read
using nlohmann::json;

namespace {

constexpr PageLimits kLeasePages{.usual = 10'000, .most = 10'000};  // some 5 MB of JSON

const http::Schema& lease_schema() {
    static const http::Schema schema(
        "Lease", "An address that is, or was, a machine's",
        {http::ipv4("id", "the address").read_only(), http::ipv4("ip_address", "the address").read_only(),
         http::mac("mac_address", "whose it is").read_only(),
         http::string("hostname", "the registered machine's; null for guests").read_only(),
         http::uuid("machine", "the registered machine; null for guests").read_only(),
         http::uuid("ip_pool", "the pool that it is of").read_only(),
         http::choice(
             "binding_state",
             "reserved: planned for a registered machine, which has not asked for it yet; offered: to a "
             "guest, which has not answered yet; abandoned: in use by something unknown, set aside",
             names(kLeaseStates))
             .read_only(),
         http::choice("next_binding_state", "what it becomes when its time is up", names(kLeaseStates))
             .read_only(),
         http::timestamp("lease_start", "when the machine was first told that it has it").read_only(),
         http::timestamp("lease_end", "until when nobody else may have it; null: for good").read_only(),
         http::timestamp("last_transaction", "when the machine last asked for it or gave it back")
             .read_only(),
         http::string("bootfile_url", "what the machine boots; null: nothing").read_only(),
         http::ipv4("tftp_server", "who serves it; null while the rack's interface has no address")
             .read_only()});
    return schema;
}

// What is the same for all leases of one answer.
struct Surroundings {
    std::map<NetworkId, std::string> pools;
    std::string url;
    json server;
};

json time_or_null(std::uint64_t unix_seconds) {
    return unix_seconds == 0 ? json() : json(to_timestamp(unix_seconds * kNanosPerSecond));
}

Result<json> boot_file_url(const View& view, const Surroundings& around, const HostRecord& host) {
    const be32 key(host.profile);
    const auto profile = view.record<ProfileRecord>(view.tables().profiles, bytes_of(key));
    if (!profile) return tl::unexpected(profile.error());
    if (!*profile || around.url.empty()) return json();
    std::string_view name = kBootScriptName;
    if (!(*profile)->has_script()) {
        const auto& loaders = (*profile)->loaders;
        const auto first = std::find_if(loaders.begin(), loaders.end(),
                                        [](const ImageName& loader) { return !loader.empty(); });
        if (first == loaders.end()) return json();
        name = first->view();
    }
    return json(around.url + "/boot/" + std::string(name));
}

Result<json> describe(const View& view, const Surroundings& around, Ipv4Address address,
                      const LeaseRecord& lease) {
    const auto pool = around.pools.find(lease.network);
    const bool lasts = lease.is_taken() && lease.expires_unix != 0;
    json out = {{"id", address.to_string()},
                {"ip_address", address.to_string()},
                {"mac_address", lease.mac.to_string()},
                {"hostname", nullptr},
                {"machine", nullptr},
                {"ip_pool", pool == around.pools.end() ? json() : json(pool->second)},
                {"binding_state", to_string(lease.state)},
                {"next_binding_state", lasts ? "expired" : to_string(lease.state)},
                {"lease_start", time_or_null(lease.started_unix)},
                {"lease_end", time_or_null(lease.expires_unix)},
                {"last_transaction", time_or_null(lease.last_unix)},
                {"bootfile_url", nullptr},
                {"tftp_server", around.server}};
    const auto host = view.record<HostRecord>(view.tables().hosts, bytes_of(lease.mac));
    if (!host) return tl::unexpected(host.error());
    if (!*host) {  // another appliance may serve it
        const auto machine = find_by(view, kMachines, kMachineByMac, lease.mac.to_string());
        if (!machine) return tl::unexpected(machine.error());
        if (!*machine || (*machine)->text("ip") != address.to_string()) return out;
        out["hostname"] = (*machine)->text("hostname");
        out["machine"] = (*machine)->id.to_string();
    }
    if (!*host || (*host)->address != address) return out;
    auto boot_file = boot_file_url(view, around, **host);
    if (!boot_file) return boot_file;
    out["bootfile_url"] = std::move(*boot_file);
    if ((*host)->is_guest()) return out;
    out["hostname"] = (*host)->hostname.view();
    out["machine"] = std::string((*host)->machine_id.data(), (*host)->machine_id.size());
    return out;
}

Result<Surroundings> look_around(const View& view, const boot::Appliance& appliance) {
    const auto pools = boot::all_pools(view);
    if (!pools) return tl::unexpected(pools.error());
    Surroundings around{.pools = {}, .url = appliance.url(), .server = {}};
    for (const boot::Pool& pool : *pools) around.pools[pool.network.id] = pool.id.to_string();
    if (!appliance.address().is_zero()) around.server = appliance.address().to_string();
    return around;
}

// Leases by address.
ListQuery::Source leases_of(const View& view, const Surroundings& around) {
    return [&view, &around](const json& after, const ListQuery::Take& take) -> Outcome<void> {
        const auto last =
            after.is_string() ? Ipv4Address::parse(after.get_ref<const std::string&>()) : std::nullopt;
        const Ipv4Address from = last.value_or(Ipv4Address{});
        Result<void> trouble;
        const auto scanned =
            scan(view.txn(), view.tables().leases, bytes_of(from), [&](Bytes key, Bytes value) {
                Ipv4Address address;
                const auto lease = decode<LeaseRecord>(value);
                if (key.size() != sizeof address || !lease) return true;
                std::memcpy(&address, key.data(), sizeof address);
                if (address == last) return true;
                auto one = describe(view, around, address, *lease);
                if (!one) trouble = tl::unexpected(one.error());
                return one && take(std::move(*one));
            });
        if (!scanned) return pass_on(scanned.error());
        if (!trouble) return pass_on(trouble.error());
        return {};
    };
}

http::Outcome list_leases(const Services& services, const http::Request& request) {
    const auto query = ListQuery::parse(lease_schema(), request, {}, kLeasePages);
    if (!query) return tl::unexpected(query.error());
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto around = look_around(*snapshot, services.appliance);
    if (!around) return refused(around.error());
    const auto page = query->run(leases_of(*snapshot, *around));
    if (!page) return refused(page.error());
    return ListQuery::answer(request, *page);
}

http::Outcome read_one(const Services& services, const http::Request& request) {
    const std::string& id = request.parameter("id");
    const auto address = Ipv4Address::parse(id);
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto lease = address ? snapshot->record<LeaseRecord>(snapshot->tables().leases, bytes_of(*address))
                               : Result<std::optional<LeaseRecord>>{};
    if (!lease) return refused(lease.error());
    if (!*lease) return http::problem(http::Status::not_found, "there is no lease of " + id);
    const auto around = look_around(*snapshot, services.appliance);
    if (!around) return refused(around.error());
    const auto one = describe(*snapshot, *around, *address, **lease);
    if (!one) return refused(one.error());
    return http::Response::json(*one);
}

boost::asio::awaitable<http::Outcome> end_one(const Services& services, const http::Request& request) {
    const std::string& id = request.parameter("id");
    const auto address = Ipv4Address::parse(id);
    if (!address) co_return http::problem(http::Status::not_found, "there is no lease of " + id);
    const auto freed = co_await services.change(request, [&](Batch& batch) -> Outcome<void> {
        const auto lease = batch.record<LeaseRecord>(batch.tables().leases, bytes_of(*address));
        if (!lease) return pass_on(lease.error());
        if (auto ended = boot::free_lease(batch, *address); !ended) return ended;
        json before = {{"mac_address", (*lease)->mac.to_string()},
                       {"binding_state", to_string((*lease)->state)}};
        return store::audit(batch, *batch.author(),
                            {.event = "deleted", .kind = "lease", .object = id, .before = std::move(before)});
    });
    if (!freed) co_return refused(freed.error());
    co_return http::Response::no_content();
}

http::Route route(http::Method method, const std::string& pattern, const std::string& summary) {
    return {.method = method, .pattern = pattern, .tag = "Leases", .summary = summary};
}

}  // namespace

void add_leases(http::Router& router, const Services& services) {
    auto listing = route(http::Method::get, "/api/leases/", "List: each lease");
    listing.query = ListQuery::parameters(lease_schema());
    listing.response = &lease_schema();
    listing.response_is_list = true;
    router.add(std::move(listing),
               [services](http::Request& request) { return list_leases(services, request); });

    auto reading = route(http::Method::get, "/api/leases/{id}/", "Read one lease");
    reading.response = &lease_schema();
    router.add(std::move(reading),
               [services](http::Request& request) { return read_one(services, request); });

    auto ending =
        route(http::Method::delete_, "/api/leases/{id}/", "End a guest's lease, or an address's quarantine");
    ending.access = http::Access::of(http::Role::operator_);
    ending.success = http::Status::no_content;
    ending.failures = {http::Status::conflict, http::Status::insufficient_storage};
    router.add(std::move(ending),
               http::Handler([services](http::Request& request) { return end_one(services, request); }));
}

}  // namespace rouse::ims
