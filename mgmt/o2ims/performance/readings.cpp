#include "mgmt/o2ims/performance/readings.hpp"

#include "mgmt/events/timeline.hpp"
#include "mgmt/o2ims/inventory/resource_view.hpp"
#include "mgmt/store/documents.hpp"

#include <utility>

namespace rouse::o2ims {

namespace {

struct RegisteredServer {
    store::Id machine;
    Reading reading;
};

Result<std::vector<RegisteredServer>> registered_servers(Inventory& inventory) {
    std::vector<RegisteredServer> out;
    const auto read = inventory.read([&out](const Inventory::State& state) {
        for (const auto& [id, resource] : state.resources) {
            if (!resource.machine) continue;  // a stranger: nothing is measured of it
            out.push_back({*resource.machine,
                           {.resource = id,
                            .type = resource.type,
                            .pool = resource.pool,
                            .of = MeasuredOf::server,
                            .values = {}}});
        }
    });
    if (!read) return tl::unexpected(read.error());
    return out;
}

Result<void> read_server(const ReadingSources& from, const store::View& view, RegisteredServer& server) {
    const auto load =
        store::find_by(view, store::kResourceMetrics, store::kMetricsByMachine, server.machine.to_string());
    if (!load) return tl::unexpected(load.error());
    const auto known = events::read_boot(view, from.tables, server.machine);
    if (!known) return tl::unexpected(known.error());
    const events::BootRecord boot = known->value_or(events::BootRecord{});
    server.reading.values =
        read_all(MeasuredOf::server, {.load = *load ? &(*load)->fields : nullptr, .boot = &boot});
    return {};
}

// The counters' segment need not be there: the dataplane may never have run.
void read_dataplane(events::DataplaneCounters& dataplane, ApplianceFacts& into) {
    const auto read = dataplane.read([&into](const CountersLayout& layout) {
        const std::size_t workers = events::DataplaneCounters::workers(layout);
        for (std::size_t w = 0; w < workers; ++w) {
            const WorkerCounters& worker = layout.worker[w];
            for (std::size_t c = 0; c < kCounters.size(); ++c)
                into.counters[c] += worker.get(static_cast<Counter>(c));
            for (std::size_t r = 1; r < kDropReasons.size(); ++r)
                into.drops += worker.get(static_cast<DropReason>(r));
            into.tftp_sessions += worker.tftp_sessions_open.load();
        }
        return workers != 0;
    });
    into.has_dataplane = read && *read;
}

Result<Reading> read_appliance(const ReadingSources& from, const store::View& view) {
    ApplianceFacts facts;
    read_dataplane(from.dataplane, facts);
    const auto& http = from.transfers.statistics();
    facts.http_complete = http.complete;
    facts.http_failed = http.failed;
    facts.http_bytes = http.bytes;
    const auto machines = store::count(view, store::kMachines);
    if (!machines) return tl::unexpected(machines.error());
    facts.machines = *machines;
    const auto strangers = view.txn().count(from.tables.strangers);
    if (!strangers) return tl::unexpected(strangers.error());
    facts.strangers = *strangers;
    const Cloud& cloud = from.inventory.cloud();
    return Reading{.resource = cloud.id.to_string(),
                   .type = appliance_type_id(cloud),
                   .pool = {},
                   .of = MeasuredOf::appliance,
                   .values = read_all(MeasuredOf::appliance, {.appliance = &facts})};
}

}  // namespace

Result<std::vector<Reading>> take_readings(const ReadingSources& from) {
    auto servers = registered_servers(from.inventory);
    if (!servers) return tl::unexpected(servers.error());
    const auto snapshot = from.store.snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    std::vector<Reading> out;
    out.reserve(servers->size() + 1);
    for (RegisteredServer& server : *servers) {
        if (auto read = read_server(from, *snapshot, server); !read) return tl::unexpected(read.error());
        out.push_back(std::move(server.reading));
    }
    auto appliance = read_appliance(from, *snapshot);
    if (!appliance) return tl::unexpected(appliance.error());
    out.push_back(std::move(*appliance));
    return out;
}

}  // namespace rouse::o2ims
