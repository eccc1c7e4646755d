// /api/machines/

#include "mgmt/boot/boot_profile.hpp"
#include "mgmt/boot/machine.hpp"
#include "mgmt/events/cluster_status.hpp"
#include "mgmt/events/timeline.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/machine_resource.hpp"
#include "mgmt/ims/words.hpp"
#include "shared/quirk.hpp"

#include <algorithm>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using nlohmann::json;

namespace {

// RFC 1123 2.1: labels of letters, digits and inner dashes, 63 characters each.
bool is_hostname(std::string_view name) {
    for (;;) {
        const auto dot = name.find('.');
        const auto label = name.substr(0, dot);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
        if (!std::all_of(label.begin(), label.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
            }))
            return false;
        if (dot == std::string_view::npos) return true;
        name.remove_prefix(dot + 1);
    }
}

}  // namespace

const http::Schema& machine_schema() {
    static const http::Schema schema(
        "Machine", "A machine that may be served",
        {http::uuid("id", "identifies the machine").read_only(),
         http::string("hostname", "unique within its cluster")
             .length(1, 100)
             .check(is_hostname, "must be a host name (RFC 1123): letters, digits, dashes and dots")
             .required(),
         http::mac("mac", "of the interface it boots from").required(),
         http::ipv4("ip", "its address; planned from a pool when left out"),
         http::string("ip6", "its IPv6 address, if its pool has an IPv6 network; planned when left out"),
         http::uuid("ip_pool", "the pool that its address is of").read_only(),
         http::uuid("cluster", "the cluster it belongs to"),
         http::string("boot_profile", "name of the profile it boots; else its cluster's or its pool's")
             .length(0, 100),
         http::integer("cpu_cores", "as planned; what was found is in hardware").range(0, 65'536),
         http::array(http::choice("quirks", "what its firmware needs beyond the standards", names(kQuirks)))
             .items(0, kQuirks.size()),
         http::choice("role", "what it is for", words(kMachineRoles)),
         http::choice("os_type", "what it runs", words(kOsTypes)),
         http::choice("status", "followed by the appliance", words(kMachineStatuses)),
         http::choice("health", "followed by the appliance", words(kHealths)),
         http::string("verdict", "why its last boot failed").read_only(),
         http::any("hardware", "what its ramdisk found").read_only(),
         http::timestamp("created_at", "when it was registered").read_only(),
         http::timestamp("updated_at", "when it last changed").read_only()});
    return schema;
}

namespace {

// What the cluster's status becomes when a machine joins, changes or leaves.
Outcome<void> recount(Batch& batch, const std::string& cluster) {
    const auto id = Id::parse(cluster);
    return id ? events::refresh_cluster(batch, *id) : Outcome<void>{};
}

}  // namespace

Outcome<void> remove_machine(Batch& batch, const Services& services, Id machine) {
    if (auto removed = boot::remove_machine(batch, machine); !removed) return pass_on(removed.error());
    if (auto gone = events::forget_machine(batch, services.consumer.tables(), machine); !gone)
        return pass_on(gone.error());
    return remove_metrics(batch, machine);
}

json as_new_machine(json fields) {
    fields.emplace("status", "INACTIVE");
    fields.emplace("health", "UNKNOWN");
    return fields;
}

Resource machine_resource(const Services& services) {
    Resource resource{.paths = {"/api/machines"},
                      .tag = "Machines",
                      .collection = kMachines,
                      .schema = machine_schema(),
                      .indexed = {{"mac", &kMachineByMac},
                                  {"hostname", &kMachineByHostname},
                                  {"cluster", &kMachineByCluster},
                                  {"boot_profile", &kMachineByProfile},
                                  {"ip_pool", &kMachineByPool},
                                  {"status", &kMachineByStatus}},
                      .sticky = {"ip", "ip6", "status", "health"}};
    resource.create = [services](Batch& batch, json fields) -> Outcome<Document> {
        auto made = boot::register_machine(batch, services.appliance, as_new_machine(std::move(fields)));
        if (!made) return made;
        if (auto counted = recount(batch, made->text("cluster")); !counted) return pass_on(counted.error());
        return made;
    };
    resource.change = [services](Batch& batch, const Document& current, json fields) -> Outcome<Document> {
        auto changed = boot::change_machine(batch, services.appliance, current, std::move(fields));
        if (!changed) return changed;
        if (changed->text("cluster") == current.text("cluster") &&
            changed->text("status") == current.text("status"))
            return changed;
        for (const Document* machine : {&current, &std::as_const(*changed)})
            if (auto counted = recount(batch, machine->text("cluster")); !counted)
                return pass_on(counted.error());
        return changed;
    };
    resource.remove = [services](Batch& batch, const Document& current, bool) -> Outcome<void> {
        if (auto removed = remove_machine(batch, services, current.id); !removed) return removed;
        return recount(batch, current.text("cluster"));
    };
    return resource;
}

void add_machines(http::Router& router, const Services& services) {
    add_resource(router, services, machine_resource(services));
}

}  // namespace rouse::ims
