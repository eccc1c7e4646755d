// What workers say: POST /api/ims-worker/heartbeat/, report_lease/, report_error/, report_timelines/; and
// GET /api/ims-leases/, the leases that they reported.

#include "mgmt/boot/lease_book.hpp"
#include "mgmt/events/reported.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/words.hpp"
#include "mgmt/ims/worker_access.hpp"
#include "shared/clock.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using http::Request;
using http::Response;
using nlohmann::json;
namespace asio = boost::asio;

namespace {

constexpr std::size_t kMostMachines = 1000;
constexpr std::size_t kLargestReport = std::size_t{8} << 20;

// Tolerant all: an appliance must understand newer workers.
http::Field worker_id() {
    return http::string("worker_id", "who says it").length(1, 63).required();
}
bool is_time(std::string_view text) {
    return from_timestamp(text).has_value();
}
http::Field time(std::string name, std::string description) {
    return http::string(std::move(name), std::move(description))
        .length(0, 40)
        .check(is_time, "must be a time such as 2026-11-20T12:34:56Z (RFC 3339)");
}

const http::Schema kService =
    http::Schema("WorkerService", "One of a worker's services",
                 {http::string("status", "running, stopped or error").length(1, 32).required(),
                  http::string("last_error", "why").length(0, 1000)})
        .tolerant();
const http::Schema kHeartbeat =
    http::Schema(
        "WorkerHeartbeat", "A sign of life, every ten seconds",
        {worker_id(),
         http::map("services", "dhcp, tftp", {}, http::object("service", "its state", kService)).items(0, 16),
         http::map("metrics", "what it measures", {}, http::any("metric", "a figure")).items(0, 64)})
        .tolerant();
const http::Schema kHeard("WorkerHeard", "What the centre makes of a sign of life",
                          {worker_id(), http::string("status", "what the worker is taken for").read_only(),
                           http::integer("heartbeat_seconds", "in which it is to beat again").read_only(),
                           http::integer("sequence", "of the newest change").read_only()});
const http::Schema kErrorDetail =
    http::Schema("WorkerErrorDetail", "What went wrong",
                 {http::string("message", "for people").length(1, 2000).required(),
                  http::any("details", "more of it")})
        .tolerant();
const http::Schema kError =
    http::Schema("WorkerError", "What went wrong at a worker",
                 {worker_id(), http::object("error", "what", kErrorDetail).required()})
        .tolerant();
const http::Schema kLease =
    http::Schema(
        "IMSLease", "An address that a worker's dataplane gave",
        {http::uuid("id", "identifies it").read_only(), http::ipv4("ip_address", "the address").required(),
         http::mac("mac_address", "whose it is").required(),
         http::string("hostname", "the machine's").length(0, 255), time("lease_start", "since when"),
         time("lease_end", "until when"), http::string("worker", "who gave it").read_only(),
         http::prefix("cidr", "its network"), http::ipv4("gateway", "of that network"),
         http::string("status", "active").read_only(),
         http::timestamp("updated_at", "when it was last given").read_only()})
        .tolerant();
const http::Schema kLeaseReport =
    http::Schema("WorkerLease", "An address that a worker's dataplane gave",
                 {worker_id(), http::object("lease", "the lease", kLease).required()})
        .tolerant();
const http::Schema kEntry =
    http::Schema(
        "ReportedEntry", "An entry of a machine's timeline",
        {http::integer("sequence", "its number at the worker").range(1, INT64_MAX).required(),
         time("time", "when it happened").required(),
         http::string("event", "what happened").length(1, 64).required(),
         http::string("text", "for people").length(0, 4000).multiline(), http::any("details", "figures")})
        .tolerant();
const http::Schema kReportedMachine =
    http::Schema("ReportedMachine", "What happened to a machine at its worker",
                 {http::uuid("machine", "which").required(),
                  http::integer("last", "the last entry's number").range(0, INT64_MAX),
                  http::string("stage", "how far its boot is").length(0, 64),
                  http::integer("boot", "the number of its boot").range(0, UINT32_MAX),
                  http::integer("bytes", "received in it").range(0, INT64_MAX),
                  http::integer("files", "received in it").range(0, UINT32_MAX),
                  http::choice("status", "of the machine", words(kMachineStatuses)),
                  http::string("health", "of the machine").length(0, 16),
                  http::string("verdict", "why its last boot failed").length(0, 2000),
                  http::any("hardware", "what its ramdisk found"),
                  http::array(http::object("entries", "new ones, oldest first", kEntry)).items(0, 1000)})
        .tolerant();
const http::Schema kTimelines =
    http::Schema(
        "WorkerTimelines", "What happened to a worker's machines",
        {worker_id(), http::uuid("instance", "of the worker's store").required(),
         http::array(http::object("machines", "each once", kReportedMachine)).items(1, kMostMachines)})
        .tolerant();

http::Outcome heartbeat(const Services& services, const Request& request) {
    const json& body = request.json();
    const std::string id = body.at("worker_id");
    const auto worker = acting_worker(services, request, id);
    if (!worker) return tl::unexpected(worker.error());
    services.roster.beat(id, body.value("services", json::object()), body.value("metrics", json::object()));
    return Response::json({{"worker_id", id},
                           {"status", workers::to_string(services.roster.state(id))},
                           {"heartbeat_seconds", workers::kBeatNs / kNanosPerSecond},
                           {"sequence", services.writer.changes().last()}});
}

asio::awaitable<http::Outcome> report_error(const Services& services, const Request& request) {
    const json& body = request.json();
    const auto worker = acting_worker(services, request, body.at("worker_id"));
    if (!worker) co_return tl::unexpected(worker.error());
    spdlog::warn("worker {} reports: {}", worker->text("worker_id"),
                 body["error"]["message"].get_ref<const std::string&>());
    const auto noted = co_await services.writer.submit([&](Batch& batch) -> Outcome<void> {
        auto now = find(batch, kWorkers, worker->id);
        if (!now) return pass_on(now.error());
        if (!*now) return {};
        json error = body["error"];
        error["at"] = to_timestamp(batch.now_ns());
        (*now)->fields["last_error"] = std::move(error);
        const auto updated = update(batch, kWorkers, std::move(**now));
        return updated ? Outcome<void>{} : pass_on(updated.error());
    });
    if (!noted) co_return refused(noted.error());
    co_return Response::no_content();
}

// The lease record says what was promised elsewhere, so that nobody else is given the address meanwhile.
Outcome<void> follow_promise(Batch& batch, const json& lease) {
    const auto address = Ipv4Address::parse(lease.at("ip_address").get_ref<const std::string&>());
    const auto mac = MacAddress::parse(lease.at("mac_address").get_ref<const std::string&>());
    const auto stored = boot::find_lease(batch, *address);
    if (!stored) return pass_on(stored.error());
    if (!*stored || (*stored)->mac != *mac || (*stored)->expires_unix != 0) return {};
    const auto seconds = [&lease](const char* name) {
        const auto when = from_timestamp(lease.value(name, std::string()));
        return when ? *when / kNanosPerSecond : 0;
    };
    LeaseRecord record = **stored;
    record.state = LeaseState::active;
    record.promised_unix = std::max(record.promised_unix, seconds("lease_end"));
    if (record.started_unix == 0) record.started_unix = seconds("lease_start");
    record.last_unix = batch.now_unix();
    if (auto written = boot::write_lease(batch, *address, record); !written) return pass_on(written.error());
    return {};
}

asio::awaitable<http::Outcome> report_lease(const Services& services, const Request& request) {
    const json& body = request.json();
    const auto worker = acting_worker(services, request, body.at("worker_id"));
    if (!worker) co_return tl::unexpected(worker.error());
    const auto noted = co_await services.writer.submit([&](Batch& batch) -> Outcome<void> {
        json lease = body["lease"];
        lease["worker"] = worker->text("worker_id");
        lease["status"] = "active";
        if (auto followed = follow_promise(batch, lease); !followed) return followed;
        const std::string key = worker_lease_key(lease["ip_address"].get_ref<const std::string&>(),
                                                 lease["mac_address"].get_ref<const std::string&>());
        const auto known = find_by(batch, kWorkerLeases, kWorkerLeaseByAddresses, key);
        if (!known) return pass_on(known.error());
        const auto written = *known ? update(batch, kWorkerLeases, {(*known)->id, 0, std::move(lease)})
                                    : insert(batch, kWorkerLeases, std::move(lease));
        return written ? Outcome<void>{} : pass_on(written.error());
    });
    if (!noted) co_return refused(noted.error());
    co_return Response::no_content();
}

// Only of racks that the worker has, or had when it was cut off.
Outcome<bool> is_followed_by(const View& view, const json& report, const std::string& worker) {
    const auto id = Id::parse(report.at("machine").get_ref<const std::string&>());
    const auto machine = id ? find(view, kMachines, *id) : Result<std::optional<Document>>{};
    if (!machine) return pass_on(machine.error());
    const auto cluster_id = *machine ? Id::parse((*machine)->text("cluster")) : std::nullopt;
    const auto cluster = cluster_id ? find(view, kClusters, *cluster_id) : Result<std::optional<Document>>{};
    if (!cluster) return pass_on(cluster.error());
    if (!*cluster) return false;
    return (*cluster)->text("worker") == worker || (*cluster)->text("standby") == worker ||
           (*cluster)->text("served_by") == worker;
}

asio::awaitable<http::Outcome> report_timelines(const Services& services, const Request& request) {
    const json& body = request.json();
    const auto worker = acting_worker(services, request, body.at("worker_id"));
    if (!worker) co_return tl::unexpected(worker.error());
    const std::string id = worker->text("worker_id");
    const Id instance = *Id::parse(body["instance"].get_ref<const std::string&>());
    const auto touched =
        co_await services.writer.submit([&](Batch& batch) -> Outcome<events::TouchedMachines> {
            events::TouchedMachines all;
            for (const json& report : body["machines"]) {
                const auto followed = is_followed_by(batch, report, id);
                if (!followed) return pass_on(followed.error());
                if (!*followed) continue;
                const auto some = events::apply_reported(batch, services.consumer.tables(),
                                                         services.appliance, id, instance, report);
                if (!some) return pass_on(some.error());
                all.insert(all.end(), some->begin(), some->end());
            }
            return all;
        });
    if (!touched) co_return refused(touched.error());
    for (const auto& machine : *touched)
        services.consumer.waiters().publish(machine.machine, machine.last_sequence);
    co_return Response::no_content();
}

http::Outcome list_worker_leases(const Services& services, const Request& request) {
    const auto query = ListQuery::parse(kLease, request);
    if (!query) return tl::unexpected(query.error());
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto page = query->run(*snapshot, kWorkerLeases, {{"worker", &kWorkerLeaseByWorker}});
    if (!page) return refused(page.error());
    return ListQuery::answer(request, *page);
}

http::Route report(const std::string& name, const http::Schema& schema, const std::string& summary) {
    return {.method = http::Method::post,
            .pattern = "/api/ims-worker/" + name + "/",
            .access = http::Access::of(http::Role::worker),
            .tag = "Workers",
            .summary = summary,
            .body = http::BodyKind::json,
            .request = &schema,
            .success = http::Status::no_content};
}

}  // namespace

void add_worker_reports(http::Router& router, const Services& services) {
    auto beating = report("heartbeat", kHeartbeat, "A worker's sign of life, every ten seconds");
    beating.success = http::Status::ok;
    beating.response = &kHeard;
    router.add(std::move(beating), [services](Request& request) { return heartbeat(services, request); });
    router.add(report("report_error", kError, "Something went wrong at a worker"),
               http::Handler([services](Request& request) { return report_error(services, request); }));
    router.add(report("report_lease", kLeaseReport, "A worker's dataplane gave an address"),
               http::Handler([services](Request& request) { return report_lease(services, request); }));
    auto telling = report("report_timelines", kTimelines, "What happened to a worker's machines");
    telling.max_body = kLargestReport;
    router.add(std::move(telling),
               http::Handler([services](Request& request) { return report_timelines(services, request); }));
    router.add({.method = http::Method::get,
                .pattern = "/api/ims-leases/",
                .tag = "Workers",
                .summary = "List: each lease that a worker reported",
                .response = &kLease,
                .response_is_list = true},
               [services](Request& request) { return list_worker_leases(services, request); });
}

}  // namespace rouse::ims
