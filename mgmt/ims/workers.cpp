// /api/ims-worker/: the appliances that serve racks for this one, how they are enrolled, and
// POST /api/cluster/{id}/hand_back/.

#include "mgmt/boot/boot_token.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/follow_up.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/words.hpp"
#include "mgmt/ims/worker_access.hpp"
#include "mgmt/workers/racks.hpp"
#include "shared/clock.hpp"

#include <nlohmann/json.hpp>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using http::Request;
using http::Response;
using nlohmann::json;
namespace asio = boost::asio;

namespace {

constexpr auto kWorkerStatuses = std::to_array<std::string_view>({"active", "inactive", "error"});
constexpr std::int64_t kLongestEnrolment = 30 * 86'400;

http::Field worker_id_field() {
    return http::string("worker_id", "its own name: letters, digits, \".\", \"_\" and \"-\"")
        .length(1, 63)
        .check(is_worker_id, "must be of letters, digits, \".\", \"_\" and \"-\", and not begin with a dot")
        .required();
}

const http::Schema& worker_schema() {
    static const http::Schema schema(
        "IMSWorker", "An appliance that serves racks for this one, its centre",
        {http::uuid("id", "identifies the worker").read_only(), worker_id_field(),
         http::ipv4("ip_address", "by which it is reached"),
         http::ipv4("rack_address", "its own on the rack, which no machine may have"),
         http::uuid("cluster", "the cluster that it stands in, for people"),
         http::choice("status", "inactive: not heard of for 30 s; error: one of its services failed",
                      words(kWorkerStatuses))
             .read_only(),
         http::timestamp("last_heartbeat", "when it was last heard of").read_only(),
         http::any("services", "what it says of its services").read_only(),
         http::any("metrics", "what it measures").read_only(),
         http::any("last_error", "what it last reported: message, details, at").read_only(),
         http::any("racks", "clusters that name it, and whether it serves them now").read_only(),
         http::timestamp("registered_at", "when it was last registered").read_only(),
         http::timestamp("created_at", "when it was first known").read_only(),
         http::timestamp("updated_at", "when it last changed").read_only()});
    return schema;
}

const http::Schema& registration_schema() {
    static const http::Schema schema(
        "WorkerRegistration", "What a worker registers with",
        {worker_id_field(), http::ipv4("ip_address", "by which it is reached").required(),
         http::ipv4("rack_address", "its own on the rack"),
         http::string("enrolment_token",
                      "from POST /api/ims-worker/enrolments/; unless the request has an "
                      "administrator's token or the worker's own")
             .length(0, 200)
             .write_only()});
    return schema;
}

const http::Schema& registered_schema() {
    static const http::Schema schema(
        "WorkerRegistered", "What a registered worker goes on with",
        {http::string("worker_id", "its name").read_only(), http::uuid("id", "of its object").read_only(),
         http::string("token", "sent as \"Authorization: Bearer\"; shown this once").read_only(),
         http::integer("heartbeat_seconds", "how often it is to beat").read_only(),
         http::integer("tenure_seconds", "for how long it may serve without news of its centre")
             .read_only()});
    return schema;
}

const http::Schema& enrolment_schema() {
    static const http::Schema schema(
        "WorkerEnrolment", "The permission to register one worker, once",
        {http::uuid("id", "identifies the enrolment").read_only(),
         http::string("worker_id", "the only worker it is good for; left out: any").length(0, 63),
         http::integer("valid_seconds", "for how long it is good")
             .range(60, kLongestEnrolment)
             .default_to(3600),
         http::string("token", "given to the worker; shown this once").read_only(),
         http::timestamp("expires_at", "when it is good no more").read_only(),
         http::timestamp("created_at", "when it was made").read_only()});
    return schema;
}

Outcome<void> decorate(const Services& services, const View& view, json& answer) {
    const std::string id = answer.at("worker_id");
    answer["status"] = workers::to_string(services.roster.state(id));
    if (const auto beat = services.roster.last_beat(id)) {
        answer["last_heartbeat"] = to_timestamp(beat->realtime_ns);
        answer["services"] = beat->services;
        answer["metrics"] = beat->metrics;
    }
    answer["racks"] = json::array();
    std::vector<Id> seen;
    for (const Index* index : {&kClusterByWorker, &kClusterByStandby, &kClusterByHolder}) {
        const auto clusters = ids_by(view, *index, id);
        if (!clusters) return pass_on(clusters.error());
        for (const Id& cluster : *clusters) {
            if (std::find(seen.begin(), seen.end(), cluster) != seen.end()) continue;
            seen.push_back(cluster);
            const auto document = find(view, kClusters, cluster);
            if (!document) return pass_on(document.error());
            if (!*document) continue;
            answer["racks"].push_back({{"cluster", cluster.to_string()},
                                       {"name", (*document)->text("name")},
                                       {"role", (*document)->text("worker") == id ? "worker" : "standby"},
                                       {"serving", (*document)->text("served_by") == id}});
        }
    }
    return {};
}

Outcome<void> check_foreign(const Services& services, const std::string& id) {
    if (id != services.appliance.id()) return {};
    return refuse(Failure::Kind::conflict, "this is the centre's own id; give the worker another",
                  "/worker_id");
}

Resource worker_resource(const Services& services) {
    Resource resource{.paths = {"/api/ims-worker"},
                      .tag = "Workers",
                      .collection = kWorkers,
                      .schema = worker_schema(),
                      .writes = http::Role::administrator,
                      .indexed = {{"worker_id", &kWorkerByWorkerId}}};
    resource.create = [services](Batch& batch, json fields) -> Outcome<Document> {
        if (auto checked = check_foreign(services, fields["worker_id"]); !checked)
            return pass_on(checked.error());
        fields["status"] = "inactive";
        services.roster.enrolled(fields["worker_id"]);
        return insert(batch, kWorkers, std::move(fields));
    };
    resource.change = [](Batch& batch, const Document& current, json fields) -> Outcome<Document> {
        if (fields["worker_id"] != current.fields["worker_id"])
            return refuse(Failure::Kind::invalid, "cannot change; register the worker under its new name",
                          "/worker_id");
        return update(batch, kWorkers, Document{current.id, current.revision, std::move(fields)});
    };
    resource.remove = [services](Batch& batch, const Document& current, bool) -> Outcome<void> {
        const std::string id = current.text("worker_id");
        for (const Index* index : {&kClusterByWorker, &kClusterByStandby, &kClusterByHolder}) {
            const auto cluster = find_by(batch, kClusters, *index, id);
            if (!cluster) return pass_on(cluster.error());
            if (*cluster)
                return refuse(Failure::Kind::conflict, "the cluster " + (*cluster)->text("name") +
                                                           " is this worker's; give it to another one first");
        }
        services.roster.forget(id);
        if (auto erased = erase(batch, kWorkers, current.id); !erased) return pass_on(erased.error());
        return {};
    };
    resource.decorate = [services](const View& view, json& answer) {
        return decorate(services, view, answer);
    };
    return resource;
}

// -- enrolment
// ------------------------------------------------------------------------------------------------

asio::awaitable<http::Outcome> enrol(const Services& services, const Request& request) {
    const std::string token = boot::make_token();
    const json& body = request.json();
    const auto made = co_await services.change(request, [&](Batch& batch) -> Outcome<Document> {
        const auto seconds = body.at("valid_seconds").get<std::uint64_t>();
        return insert(batch, kEnrolments,
                      {{"worker_id", body.value("worker_id", std::string())},
                       {"expires_at", to_timestamp(batch.now_ns() + seconds * kNanosPerSecond)},
                       {"_expires_ns", batch.now_ns() + seconds * kNanosPerSecond},
                       {"_token_hash", boot::hash_token(token)}});
    });
    if (!made) co_return refused(made.error());
    json out = visible(made->fields);
    out["token"] = token;
    auto response = Response::json(out, http::Status::created);
    response.headers.set("Location", "/api/ims-worker/enrolments/");
    response.headers.set("Cache-Control", "no-store");
    co_return response;
}

http::Outcome list_enrolments(const Services& services) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    json out = json::array();
    const auto listed = for_each(*snapshot, kEnrolments, std::nullopt, [&out](const Document& one) {
        out.push_back(visible(one.fields));
        return true;
    });
    if (!listed) return refused(listed.error());
    return Response::json(out);
}

// Uses up the enrolment, and drops those that are good no more.
Outcome<void> use_enrolment(Batch& batch, const std::string& token, const std::string& worker_id) {
    std::vector<Document> all;
    const auto listed = for_each(batch, kEnrolments, std::nullopt, [&all](Document one) {
        all.push_back(std::move(one));
        return true;
    });
    if (!listed) return pass_on(listed.error());
    const std::string hash = boot::hash_token(token);
    bool is_good = false;
    for (const Document& one : all) {
        const bool expired = one.fields.value("_expires_ns", std::uint64_t{0}) <= batch.now_ns();
        const bool is_it = !expired && one.text("_token_hash") == hash &&
                           (one.text("worker_id").empty() || one.text("worker_id") == worker_id);
        is_good = is_good || is_it;
        if (!expired && !is_it) continue;
        if (auto erased = erase(batch, kEnrolments, one.id); !erased) return pass_on(erased.error());
    }
    if (is_good) return {};
    return refuse(
        Failure::Kind::not_found,
        "this enrolment token is not good for this worker, or not any more; ask an administrator for "
        "another: rousectl worker enrol " +
            worker_id);
}

// Whether the request itself, without an enrolment, may register the worker.
http::OrProblem<void> check_registrar(const Services& services, const Request& request,
                                      const std::string& worker_id) {
    const auto own = with_workers(services.writer.store(),
                                  [&services](const Request& of) { return services.auth.authenticate(of); });
    const auto principal = own(request);
    if (!principal) return tl::unexpected(principal.error());
    const bool is_itself =
        principal->user == worker_id && principal->roles == http::Roles(http::Role::worker);
    if (is_itself || http::allows(principal->roles, http::Role::administrator)) return {};
    return http::problem(http::Status::forbidden,
                         "registering a worker needs an enrolment token, or an administrator's");
}

asio::awaitable<http::Outcome> register_worker(const Services& services, const Request& request) {
    const json& body = request.json();
    const std::string worker_id = body.at("worker_id");
    const std::string enrolment = body.value("enrolment_token", std::string());
    if (services.appliance.is_worker())
        co_return http::problem(http::Status::conflict,
                                "this appliance is a worker itself; register at its centre");
    if (enrolment.empty())
        if (const auto may = check_registrar(services, request, worker_id); !may)
            co_return tl::unexpected(may.error());
    const std::string token = std::string(kWorkerTokenPrefix) + boot::make_token();
    const auto registered = co_await services.change(request, [&](Batch& batch) -> Outcome<Document> {
        if (auto checked = check_foreign(services, worker_id); !checked) return pass_on(checked.error());
        if (!enrolment.empty())
            if (auto used = use_enrolment(batch, enrolment, worker_id); !used) return pass_on(used.error());
        auto known = find_by(batch, kWorkers, kWorkerByWorkerId, worker_id);
        if (!known) return pass_on(known.error());
        json fields = *known ? (*known)->fields : json{{"worker_id", worker_id}, {"status", "inactive"}};
        for (const char* name : {"ip_address", "rack_address"})
            if (body.contains(name)) fields[name] = body[name];
        fields["registered_at"] = to_timestamp(batch.now_ns());
        fields["_token_hash"] = boot::hash_token(token);
        if (*known) return update(batch, kWorkers, {(*known)->id, (*known)->revision, std::move(fields)});
        services.roster.enrolled(worker_id);
        return insert(batch, kWorkers, std::move(fields));
    });
    if (!registered) {
        auto problem = to_problem(registered.error());
        if (registered.error().kind == Failure::Kind::not_found) {
            problem.status = http::Status::unauthorized;
            problem.headers.add("WWW-Authenticate", "Bearer realm=\"rouse\"");
        }
        co_return tl::unexpected(std::move(problem));
    }
    auto response = Response::json({{"worker_id", worker_id},
                                    {"id", registered->id.to_string()},
                                    {"token", token},
                                    {"heartbeat_seconds", workers::kBeatNs / kNanosPerSecond},
                                    {"tenure_seconds", services.roster.tenure_seconds()}},
                                   http::Status::created);
    response.headers.set("Location", "/api/ims-worker/" + registered->id.to_string() + "/");
    response.headers.set("Cache-Control", "no-store");
    co_return response;
}

// -- hand back

asio::awaitable<http::Outcome> hand_back(const Services& services, const Request& request) {
    const workers::Centre centre{services.appliance, services.roster, services.consumer.tables()};
    const std::string& id = request.parameter("id");
    const auto decided = co_await services.change(request, [&](Batch& batch) -> Outcome<workers::Decision> {
        auto cluster = require(batch, kClusters, id);
        if (!cluster) return pass_on(cluster.error());
        const auto now = workers::assignment_of(cluster->fields);
        if (now.worker.empty())
            return refuse(Failure::Kind::conflict,
                          "this cluster is given to no worker; PATCH its worker first");
        if (now.holder == now.worker)
            return refuse(Failure::Kind::conflict, "its worker " + now.worker + " serves it already");
        const auto moment = workers::moment_of(centre, batch, batch.now_ns());
        if (!moment) return pass_on(moment.error());
        const auto next = workers::hand_back(now, workers::peers_of(centre, batch), *moment);
        if (next == now)
            return refuse(
                Failure::Kind::conflict,
                "its worker " + now.worker + " is not heard of; it gets the cluster when it is back");
        return workers::write_assignment(batch, centre, std::move(*cluster), next);
    });
    if (!decided) co_return refused(decided.error());
    std::vector<Id> machines;
    {
        const auto snapshot = services.snapshot();
        if (!snapshot) co_return refused(snapshot.error());
        auto found = ids_by(*snapshot, kMachineByCluster, decided->cluster.to_string());
        if (!found) co_return refused(found.error());
        machines = std::move(*found);
    }
    const auto projected = co_await project_machines(services, std::move(machines));
    if (!projected) co_return refused(projected.error());
    co_return Response::json({{"served_by", decided->holder}, {"epoch", decided->epoch}});
}

const http::Schema kHandedBack("ClusterHandedBack", "Who serves the cluster now",
                               {http::string("served_by", "the worker's id").read_only(),
                                http::integer("epoch", "of the assignment").read_only()});

}  // namespace

void add_workers(http::Router& router, const Services& services) {
    router.add({.method = http::Method::post,
                .pattern = "/api/ims-worker/register/",
                .access = http::Access::anyone(),  // the handler checks the enrolment or the token
                .tag = "Workers",
                .summary = "Register a worker, or give a known one a new token",
                .body = http::BodyKind::json,
                .request = &registration_schema(),
                .response = &registered_schema(),
                .success = http::Status::created},
               http::Handler([services](Request& request) { return register_worker(services, request); }));
    router.add({.method = http::Method::post,
                .pattern = "/api/ims-worker/enrolments/",
                .access = http::Access::of(http::Role::administrator),
                .tag = "Workers",
                .summary = "Permit one worker to register, once and for a time",
                .body = http::BodyKind::json,
                .request = &enrolment_schema(),
                .response = &enrolment_schema(),
                .success = http::Status::created},
               http::Handler([services](Request& request) { return enrol(services, request); }));
    router.add({.method = http::Method::get,
                .pattern = "/api/ims-worker/enrolments/",
                .access = http::Access::of(http::Role::administrator),
                .tag = "Workers",
                .summary = "List: each enrolment that was not used yet",
                .response = &enrolment_schema(),
                .response_is_list = true},
               [services](Request&) { return list_enrolments(services); });
    for (const char* path : {"/api/cluster", "/api/clusters"})
        router.add({.method = http::Method::post,
                    .pattern = std::string(path) + "/{id}/hand_back/",
                    .access = http::Access::of(http::Role::operator_),
                    .tag = "Clusters",
                    .summary = "Give the cluster back to its own worker, from the standby that took over",
                    .response = &kHandedBack,
                    .failures = {http::Status::conflict}},
                   http::Handler([services](Request& request) { return hand_back(services, request); }));
    add_worker_reports(router, services);
    add_worker_feed(router, services);
    add_resource(router, services, worker_resource(services));
}

}  // namespace rouse::ims
