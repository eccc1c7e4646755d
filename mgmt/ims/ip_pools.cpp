// /api/ip-pools/

#include "mgmt/boot/address_plan.hpp"
#include "mgmt/boot/guest_leases.hpp"
#include "mgmt/boot/lease_book.hpp"
#include "mgmt/boot/machine.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/boot/serving.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/follow_up.hpp"
#include "mgmt/ims/resource.hpp"

#include <algorithm>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using nlohmann::json;

namespace {

const http::Schema& pool_schema() {
    static const http::Schema schema(
        "IpPool", "The addresses of one rack network",
        {http::uuid("id", "identifies the pool").read_only(),
         http::prefix("cidr", "the network, /8 to /30; no two pools overlap").required(),
         http::ipv4("gateway", "its router, given to machines (RFC 2132 3.5)"),
         http::ipv4("range_start", "first address that is planned; the network's first when left out"),
         http::ipv4("range_end", "last address that is planned; the network's last when left out"),
         http::integer("lease_seconds", "life of a lease").range(60, 31'536'000).default_to(86'400),
         http::array(http::ipv4("dns_servers", "resolvers, given to machines (RFC 2132 3.8)")).items(0, 4),
         http::choice("unknown_machines", "what becomes of machines that are not registered",
                      {"ignore", "serve"})
             .default_to("ignore"),
         http::integer("guest_limit",
                       "addresses that machines which are not registered may take; half of the range "
                       "when left out")
             .range(0, 16'777'216),
         http::integer("quarantine_seconds", "for how long an address is set aside that was found in use")
             .range(60, 31'536'000)
             .default_to(boot::kQuarantineSeconds),
         http::choice("mode",
                      "server, or proxy beside another DHCP server, which gives the addresses; as "
                      "/api/dhcp-config/ says when left out",
                      {"server", "proxy"}),
         http::string("cidr6", "the IPv6 network on the same link, /16 to /96, such as fd00:77::/64"),
         http::array(http::string("dns_servers6", "IPv6 resolvers")).items(0, NetworkRecord::kMaxDns6Servers),
         http::integer("router_lifetime6",
                       "seconds for which machines may route IPv6 by us; 0: we are no router")
             .range(0, NetworkRecord::kMaxRouterLifetime),
         http::integer("mtu6", "of the link, told in router advertisements").range(1280, 65'535),
         http::uuid("cluster", "only this cluster's machines get planned addresses here"),
         http::string("boot_profile", "name of the profile for machines and clusters that name none")
             .length(0, 100),
         http::string("description", "for people").length(0, 1000).multiline(),
         http::integer("capacity", "addresses of the range that machines may have").read_only(),
         http::integer("used", "those that nobody else may have now").read_only(),
         http::integer("free", "those that are left").read_only(),
         http::integer("guests", "taken by machines that are not registered, or set aside").read_only(),
         http::timestamp("created_at", "when it was made").read_only(),
         http::timestamp("updated_at", "when it last changed").read_only()});
    return schema;
}

Outcome<void> add_fill(const View& view, const boot::Appliance& appliance, json& answer) {
    const auto id = Id::parse(answer.at("id").get_ref<const std::string&>());
    const auto document = id ? find(view, kIpPools, *id) : Result<std::optional<Document>>{};
    if (!document) return pass_on(document.error());
    if (!*document) return {};  // deleted meanwhile
    const auto pool = boot::Pool::of(**document);
    if (!pool) return pass_on(pool.error());
    const auto counts = boot::lease_counts(view, pool->network.id);
    if (!counts) return pass_on(counts.error());
    const std::uint32_t capacity = pool->capacity(appliance);
    answer["capacity"] = capacity;
    answer["used"] = counts->in_range;
    answer["free"] = capacity - std::min(capacity, counts->in_range);
    answer["guests"] = counts->guests;
    return {};
}

Outcome<void> check_references(const View& view, const json& fields) {
    if (const auto profile = fields.value("boot_profile", std::string()); !profile.empty()) {
        const auto found = find_by(view, kBootProfiles, kProfileByName, profile);
        if (!found) return pass_on(found.error());
        if (!*found)
            return refuse(Failure::Kind::invalid, "there is no boot profile " + profile, "/boot_profile");
    }
    if (const auto cluster = Id::parse(fields.value("cluster", std::string()))) {
        const auto found = find(view, kClusters, *cluster);
        if (!found) return pass_on(found.error());
        if (!*found) return refuse(Failure::Kind::invalid, "there is no such cluster", "/cluster");
    }
    return {};
}

Outcome<Document> create_pool(Batch& batch, json fields) {
    if (auto checked = check_references(batch, fields); !checked) return pass_on(checked.error());
    if (auto checked = boot::check_pool(batch, fields, std::nullopt); !checked)
        return pass_on(checked.error());
    const auto network = batch.next_number("network");
    if (!network) return pass_on(network.error());
    fields["_network"] = *network;
    auto made = insert(batch, kIpPools, std::move(fields));
    if (!made) return made;
    if (auto projected = boot::project_pool(batch, *made); !projected) return pass_on(projected.error());
    return made;
}

Outcome<Document> change_pool(Batch& batch, const Document& current, json fields) {
    if (auto checked = check_references(batch, fields); !checked) return pass_on(checked.error());
    if (auto checked = boot::check_pool(batch, fields, current.id); !checked) return pass_on(checked.error());
    auto changed = update(batch, kIpPools, Document{current.id, current.revision, std::move(fields)});
    if (!changed) return changed;
    if (auto projected = boot::project_pool(batch, *changed); !projected) return pass_on(projected.error());
    return changed;
}

// Its machines stay registered: they get another pool's address, or wait for one.
Outcome<void> remove_pool(Batch& batch, const boot::Appliance& appliance, const Document& pool, bool force) {
    const auto machines = ids_by(batch, kMachineByPool, pool.id.to_string());
    if (!machines) return pass_on(machines.error());
    if (!machines->empty() && !force)
        return refuse(Failure::Kind::conflict,
                      std::to_string(machines->size()) +
                          " machines have addresses of this pool; move them, or delete it with ?force=true, "
                          "which takes their addresses away");
    std::vector<Document> displaced;
    for (const Id& id : *machines) {
        auto machine = find(batch, kMachines, id);
        if (!machine) return pass_on(machine.error());
        if (!*machine) continue;
        if (auto checked = boot::check_may_move(batch, (*machine)->fields); !checked) return checked;
        if (auto noted = boot::note_address_change(batch, (*machine)->fields); !noted) return noted;
        if (auto freed = boot::displace(batch, (*machine)->fields); !freed) return freed;
        displaced.push_back(std::move(**machine));
    }
    if (auto removed = boot::remove_pool(batch, pool); !removed) return removed;
    for (Document& machine : displaced) {
        if (auto placed = boot::place(batch, appliance, machine.fields); !placed) return placed;
        const auto updated = update(batch, kMachines, std::move(machine));
        if (!updated) return pass_on(updated.error());
        if (auto projected = boot::project_machine(batch, appliance, *updated); !projected) return projected;
    }
    return {};
}

// Machines that wait may now have an address; those that have one may have another gateway or profile.
boost::asio::awaitable<Outcome<void>> after_change(const Services& services, const Document& pool,
                                                   bool is_new) {
    auto placed = co_await place_waiting_machines(services);
    if (!placed || is_new) co_return placed;
    if (auto projected = co_await project_guests(services, pool); !projected) co_return projected;
    std::vector<Id> machines;
    {
        const auto snapshot = services.snapshot();
        if (!snapshot) co_return pass_on(snapshot.error());
        auto found = ids_by(*snapshot, kMachineByPool, pool.id.to_string());
        if (!found) co_return pass_on(found.error());
        machines = std::move(*found);
    }
    co_return co_await project_machines(services, std::move(machines));
}

}  // namespace

void add_ip_pools(http::Router& router, const Services& services) {
    Resource resource{.paths = {"/api/ip-pools"},
                      .tag = "IP pools",
                      .collection = kIpPools,
                      .schema = pool_schema(),
                      .indexed = {{"cidr", &kPoolByCidr}},
                      .force = "true: also while machines have its addresses, which are taken from them"};
    resource.create = create_pool;
    resource.change = change_pool;
    resource.remove = [&appliance = services.appliance](Batch& batch, const Document& current, bool force) {
        return remove_pool(batch, appliance, current, force);
    };
    resource.follow_up = [services](const Document* before, const Document& now) {
        return after_change(services, now, before == nullptr);
    };
    resource.decorate = [&appliance = services.appliance](const View& view, json& answer) {
        return add_fill(view, appliance, answer);
    };
    add_resource(router, services, std::move(resource));
}

}  // namespace rouse::ims
