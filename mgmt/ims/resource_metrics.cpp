// /api/resource-metrics/: how loaded each machine is, by its installed system's own account (POST
// /agent/metrics on the rack side) or an operator's, and /api/machines/{id}/metrics/.

#include "mgmt/boot/rack_client.hpp"
#include "mgmt/events/cluster_status.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/machine_resource.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using http::Request;
using nlohmann::json;

namespace {

constexpr std::int64_t kMaxAmount = 1'000'000'000;  // GB or Mbit/s: beyond any machine

// The figures, as resource-metrics and heartbeats have them.
std::vector<http::Field> figures() {
    const auto amount = [](const char* name, const char* description) {
        return http::number(name, description).range(0, kMaxAmount);
    };
    const auto share = [](const char* name, const char* description) {
        return http::number(name, description).range(0, 100);
    };
    return {share("cpu_usage", "percent, of all cores"),
            http::integer("cpu_cores", "that the system has").range(0, 65'536),
            amount("memory_used", "GB"),
            amount("memory_total", "GB"),
            share("memory_usage", "percent; reckoned when used and total are there"),
            amount("disk_used", "GB"),
            amount("disk_total", "GB"),
            share("disk_usage", "percent; reckoned when used and total are there"),
            amount("network_incoming", "Mbit/s"),
            amount("network_outgoing", "Mbit/s"),
            http::timestamp("timestamp", "when it was measured; when it arrived, if left out")};
}

const http::Schema& heartbeat_schema() {
    static const http::Schema schema =
        http::Schema("Heartbeat", "What a machine's system says of itself; all may be missing", figures())
            .tolerant();
    return schema;
}

const http::Schema& metrics_schema() {
    static const http::Schema schema = [] {
        std::vector<http::Field> fields = {
            http::uuid("id", "identifies them").read_only(),
            http::uuid("machine", "whose they are; each machine has one").required()};
        for (auto& field : figures()) fields.push_back(std::move(field));
        fields.push_back(http::timestamp("created_at", "when the first came").read_only());
        fields.push_back(http::timestamp("updated_at", "when the last came").read_only());
        return http::Schema("ResourceMetrics", "How loaded a machine is", std::move(fields));
    }();
    return schema;
}

// Checks the figures against each other and reckons what follows from them.
Outcome<json> reckoned(json fields, std::uint64_t now_ns) {
    for (const std::string what : {"memory", "disk"}) {
        const double total = fields.value(what + "_total", 0.0);
        if (total == 0 || !fields.contains(what + "_used")) continue;
        const double used = fields[what + "_used"].get<double>();
        if (used > total)
            return refuse(Failure::Kind::invalid, "is more than " + what + "_total", "/" + what + "_used");
        fields[what + "_usage"] = 100 * used / total;
    }
    if (!fields.contains("timestamp")) fields["timestamp"] = to_timestamp(now_ns);
    return fields;
}

Outcome<void> check_machine(const View& view, const json& fields) {
    const auto id = Id::parse(fields.at("machine").get_ref<const std::string&>());
    const auto machine = id ? find(view, kMachines, *id) : Result<std::optional<Document>>{};
    if (!machine) return pass_on(machine.error());
    if (!*machine) return refuse(Failure::Kind::invalid, "there is no such machine", "/machine");
    return {};
}

Outcome<Document> create_metrics(Batch& batch, json fields) {
    if (auto checked = check_machine(batch, fields); !checked) return pass_on(checked.error());
    auto whole = reckoned(std::move(fields), batch.now_ns());
    if (!whole) return pass_on(whole.error());
    return insert(batch, kResourceMetrics, std::move(*whole));
}

Outcome<Document> change_metrics(Batch& batch, const Document& current, json fields) {
    if (auto checked = check_machine(batch, fields); !checked) return pass_on(checked.error());
    // New figures without a time are of now.
    if (fields.value("timestamp", std::string()) == current.text("timestamp")) fields.erase("timestamp");
    auto whole = reckoned(std::move(fields), batch.now_ns());
    if (!whole) return pass_on(whole.error());
    return update(batch, kResourceMetrics, {current.id, current.revision, std::move(*whole)});
}

Outcome<void> erase_metrics(Batch& batch, const Document& metrics) {
    const auto erased = erase(batch, kResourceMetrics, metrics.id);
    return erased ? Outcome<void>{} : pass_on(erased.error());
}

Resource metrics_resource() {
    Resource resource{.paths = {"/api/resource-metrics"},
                      .tag = "Resource metrics",
                      .collection = kResourceMetrics,
                      .schema = metrics_schema(),
                      .indexed = {{"machine", &kMetricsByMachine}}};
    resource.create = create_metrics;
    resource.change = change_metrics;
    resource.remove = [](Batch& batch, const Document& current, bool) {
        return erase_metrics(batch, current);
    };
    return resource;
}

// A system that can say how it is runs: but for the operator's word, and for a boot that is under way.
Outcome<void> note_alive(Batch& batch, Document machine) {
    const std::string status = machine.text("status");
    if (status != "INACTIVE" && status != "UNREACHABLE") return {};
    machine.fields["status"] = "ACTIVE";
    machine.fields["health"] = "HEALTHY";
    const auto updated = update(batch, kMachines, std::move(machine));
    if (!updated) return pass_on(updated.error());
    const auto cluster = Id::parse(updated->text("cluster"));
    return cluster ? events::refresh_cluster(batch, *cluster) : Outcome<void>{};
}

// What a machine says replaces what it said before.
Outcome<void> note_metrics(Batch& batch, Id id, json fields) {
    auto machine = find(batch, kMachines, id);
    if (!machine) return pass_on(machine.error());
    if (!*machine) return refuse(Failure::Kind::not_found, "the machine was deleted");
    fields["machine"] = id.to_string();
    auto known = find_by(batch, kResourceMetrics, kMetricsByMachine, id.to_string());
    if (!known) return pass_on(known.error());
    auto whole = reckoned(std::move(fields), batch.now_ns());
    if (!whole) return pass_on(whole.error());
    const auto noted =
        *known ? update(batch, kResourceMetrics, {(*known)->id, (*known)->revision, std::move(*whole)})
               : insert(batch, kResourceMetrics, std::move(*whole));
    if (!noted) return pass_on(noted.error());
    return note_alive(batch, std::move(**machine));
}

boost::asio::awaitable<http::Outcome> post_heartbeat(const Services& services, const Request& request) {
    std::optional<Id> machine;
    {
        const auto snapshot = services.snapshot();
        if (!snapshot) co_return refused(snapshot.error());
        const auto client = boot::find_rack_client(*snapshot, services.neighbours, request.peer);
        if (!client) co_return refused(client.error());
        if (*client) machine = (*client)->machine();
    }
    if (!machine)
        co_return http::problem(http::Status::forbidden,
                                "no registered machine has the address " + request.peer.to_string());
    const auto noted = co_await services.writer.submit(
        [&](Batch& batch) { return note_metrics(batch, *machine, request.json()); });
    if (!noted) co_return refused(noted.error());
    co_return http::Response::no_content();
}

http::Outcome read_of_machine(const Services& services, const Request& request) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto machine = require(*snapshot, kMachines, request.parameter("id"));
    if (!machine) return refused(machine.error());
    auto metrics = find_by(*snapshot, kResourceMetrics, kMetricsByMachine, machine->id.to_string());
    if (!metrics) return refused(metrics.error());
    if (!*metrics)
        return http::problem(http::Status::not_found, "nothing is known yet of this machine's load");
    return http::Response::json(visible(std::move((*metrics)->fields)));
}

}  // namespace

Outcome<void> remove_metrics(Batch& batch, Id machine) {
    const auto metrics = find_by(batch, kResourceMetrics, kMetricsByMachine, machine.to_string());
    if (!metrics) return pass_on(metrics.error());
    return *metrics ? erase_metrics(batch, **metrics) : Outcome<void>{};
}

void add_resource_metrics(http::Router& router, const Services& services) {
    add_resource(router, services, metrics_resource());
    router.add({.method = http::Method::get,
                .pattern = "/api/machines/{id}/metrics/",
                .tag = "Resource metrics",
                .summary = "Read those of a machine",
                .response = &metrics_schema()},
               [services](Request& request) { return read_of_machine(services, request); });
}

void add_heartbeat(http::Router& router, const Services& services) {
    router.add({.method = http::Method::post,
                .pattern = "/agent/metrics",
                .access = http::Access::anyone(),  // for the machine that has the peer's address
                .tag = "Agent",
                .summary = "A machine's system says that it runs, and how loaded it is",
                .body = http::BodyKind::json,
                .request = &heartbeat_schema(),
                .success = http::Status::no_content,
                .failures = {http::Status::forbidden, http::Status::insufficient_storage}},
               http::Handler([services](Request& request) { return post_heartbeat(services, request); }));
}

}  // namespace rouse::ims
