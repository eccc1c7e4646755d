#include "mgmt/o2ims/performance/performance_routes.hpp"

#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/o2ims/inventory/resource_view.hpp"
#include "mgmt/o2ims/performance/measurement_jobs.hpp"
#include "mgmt/o2ims/performance/performance_schemas.hpp"
#include "mgmt/o2ims/query/collection.hpp"
#include "mgmt/o2ims/query/spelling.hpp"
#include "mgmt/o2ims/service.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace rouse::o2ims {

using http::Method;
using http::OrProblem;
using http::Request;
using http::Response;
using http::Role;
using http::Route;
using http::Status;
using nlohmann::json;
using store::Document;
namespace asio = boost::asio;

namespace {

constexpr const char* kJobs = "/measurementJobs";
constexpr const char* kJob = "/measurementJobs/{performanceMeasurementJobId}";
constexpr const char* kJobParameter = "performanceMeasurementJobId";
constexpr const char* kConfiguration = "/performanceServiceConfiguration";

struct PerformanceContext {
    ims::Services services;
    Inventory* inventory;
    const Collector* collector;
};
using SharedPerformance = std::shared_ptr<const PerformanceContext>;

// Who may have something measured may see what came of it.
constexpr http::Roles kMeasurementReaders{Role::o2ims_reader, Role::o2ims_maintainer};

Route performance_route(Method method, std::string pattern, std::string summary, const http::Schema& schema) {
    const bool reads = method == Method::get;
    return {
        .method = method,
        .pattern = std::move(pattern),
        .access = reads ? http::Access::of(kMeasurementReaders) : http::Access::of(Role::o2ims_maintainer),
        .summary = std::move(summary),
        .response = &schema,
        .failures = reads ? std::vector<Status>{} : std::vector{Status::insufficient_storage}};
}

// What a job's scope names must be there; a 422 that says what is not.
OrProblem<void> check_scope(const PerformanceContext& context, const json& data) {
    const auto scope = data.find("resourceScopeCriteria");
    if (scope == data.end() || !scope->is_object()) return {};
    const Cloud& cloud = context.inventory->cloud();
    std::vector<http::FieldError> errors;
    const auto check = [&](const char* list, const auto& known, const std::string& own) {
        const auto ids = scope->find(list);
        if (ids == scope->end() || !ids->is_array()) return;
        for (std::size_t i = 0; i < ids->size(); ++i)
            if (const std::string id = (*ids)[i]; !known.contains(id) && id != own)
                errors.push_back({"/resourceScopeCriteria/" + std::string(list) + "/" + std::to_string(i),
                                  "is not in the inventory"});
    };
    const auto read = context.inventory->read([&](const Inventory::State& state) {
        check("resourceTypeIds", state.types, appliance_type_id(cloud));
        check("resourceIds", state.resources, cloud.id.to_string());
        check("resourcePoolIds", state.pools, "");
    });
    if (!read) return ims::refused(read.error());
    if (errors.empty()) return {};
    return tl::unexpected(http::Problem{
        Status::unprocessable_content, "the job's scope names what is not there", std::move(errors), {}});
}

OrProblem<Document> find_job(const PerformanceContext& context, const Request& request) {
    const auto snapshot = context.services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    auto job = ims::require(*snapshot, store::kMeasurementJobs, request.parameter(kJobParameter));
    if (!job) return ims::refused(job.error());
    return std::move(*job);
}

http::Outcome list_jobs(const PerformanceContext& context, const Request& request) {
    const auto listing =
        Listing::parse(request, job_schema(), {"measuredResources", "collectedMeasurements"});
    if (!listing) return tl::unexpected(listing.error());
    const auto snapshot = context.services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    Result<void> trouble;
    auto answer = listing->answer([&](const std::string& after, const Listing::Take& take) {
        trouble =
            store::for_each(*snapshot, store::kMeasurementJobs, store::Id::parse(after),
                            [&](const Document& one) { return take(view_of(one, *context.collector)); });
    });
    if (!trouble) return ims::refused(trouble.error());
    return answer;
}

http::Outcome read_job(const PerformanceContext& context, const Request& request) {
    const auto job = find_job(context, request);
    if (!job) return tl::unexpected(job.error());
    return answer_one(request, job_schema(), view_of(*job, *context.collector));
}

asio::awaitable<http::Outcome> post_job(const SharedPerformance& context, const Request& request) {
    if (auto checked = check_scope(*context, request.json()); !checked)
        co_return tl::unexpected(std::move(checked.error()));
    const auto made = co_await context->services.change(
        request, [&](store::Batch& batch) { return create_job(batch, request.json()); });
    if (!made) co_return ims::refused(made.error());
    auto response = Response::json(view_of(*made, *context->collector), Status::created);
    response.headers.set("Location", spelled_base(request.path) + kJobs + "/" + made->id.to_string());
    co_return response;
}

asio::awaitable<http::Outcome> patch_job(const SharedPerformance& context, const Request& request) {
    if (auto checked = check_scope(*context, request.json()); !checked)
        co_return tl::unexpected(std::move(checked.error()));
    const auto changed = co_await context->services.change(request, [&](store::Batch& batch) {
        return change_job(batch, request.parameter(kJobParameter), request.json());
    });
    if (!changed) co_return ims::refused(changed.error());
    co_return Response::json(view_of(*changed, *context->collector));
}

asio::awaitable<http::Outcome> post_state(const SharedPerformance& context, const Request& request,
                                          bool is_active) {
    const auto changed = co_await context->services.change(request, [&](store::Batch& batch) {
        return set_active(batch, request.parameter(kJobParameter), is_active);
    });
    if (!changed) co_return ims::refused(changed.error());
    co_return Response::json(view_of(*changed, *context->collector));
}

asio::awaitable<http::Outcome> delete_job(const SharedPerformance& context, const Request& request) {
    const auto job = find_job(*context, request);
    if (!job) co_return tl::unexpected(job.error());
    if (is_preinstalled(*job))
        co_return http::problem(Status::forbidden,
                                "the appliance's own jobs cannot be deleted; suspend it instead");
    const auto removed = co_await context->services.change(
        request, [&](store::Batch& batch) { return remove_job(batch, request.parameter(kJobParameter)); });
    if (!removed) co_return ims::refused(removed.error());
    co_return Response::no_content();
}

// Results of other resources than the one that is asked for need not be made into JSON.
http::Outcome list_results(const PerformanceContext& context, const Request& request) {
    const auto listing = Listing::parse(request, result_schema());
    if (!listing) return tl::unexpected(listing.error());
    const auto job = find_job(context, request);
    if (!job) return tl::unexpected(job.error());
    const auto collections = context.collector->results_of(job->id);
    const std::string* resource = listing->filter().equals("resourceId");
    return listing->answer([&](const std::string& after, const Listing::Take& take) {
        const auto start = store::Id::parse(after);
        for (const auto& collection : collections) {
            if (start && collection->results.back().id <= *start) continue;
            for (const Measured& one : collection->results) {
                if (start && one.id <= *start) continue;
                if (resource != nullptr && !http::equal_ignoring_case(*resource, one.resource)) continue;
                if (!take(view_of(job->id, *collection, one))) return;
            }
        }
    });
}

// -- configuration

OrProblem<json> configuration_of(const store::View& view) {
    const auto setting = store::find_by(view, store::kSettings, store::kSettingByName, kPerformanceSetting);
    if (!setting) return ims::refused(setting.error());
    const json stored = *setting ? (*setting)->fields : json::object();
    json out{{"retentionPeriod", stored.value("retentionPeriod", kResultRetentionDays)}};
    if (const auto more = stored.find("extensions"); more != stored.end()) out["extensions"] = *more;
    return out;
}

Outcome<void> write_configuration(store::Batch& batch, const json& body, bool is_patch) {
    auto setting = store::find_by(batch, store::kSettings, store::kSettingByName, kPerformanceSetting);
    if (!setting) return pass_on(setting.error());
    json fields = body;
    if (is_patch) {
        const auto current = configuration_of(batch);
        if (!current) return refuse(Failure::Kind::store, current.error().detail);
        auto merged = ims::merge(performance_configuration_schema(), *current, body);
        if (!merged) return pass_on(merged.error());
        fields = std::move(*merged);
    }
    fields["name"] = kPerformanceSetting;
    const auto written = *setting ? store::update(batch, store::kSettings,
                                                  {(*setting)->id, (*setting)->revision, std::move(fields)})
                                  : store::insert(batch, store::kSettings, std::move(fields));
    return written ? Outcome<void>{} : pass_on(written.error());
}

http::Outcome read_configuration(const PerformanceContext& context) {
    const auto snapshot = context.services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    const auto shown = configuration_of(*snapshot);
    if (!shown) return tl::unexpected(shown.error());
    return Response::json(*shown);
}

asio::awaitable<http::Outcome> change_configuration(const SharedPerformance& context, const Request& request,
                                                    bool is_patch) {
    const auto changed = co_await context->services.change(
        request, [&](store::Batch& batch) { return write_configuration(batch, request.json(), is_patch); });
    if (!changed) co_return ims::refused(changed.error());
    co_return read_configuration(*context);
}

// -- routes

void add_jobs(Service& service, const SharedPerformance& context) {
    auto listing = performance_route(Method::get, kJobs, "List: each measurement job", job_schema());
    listing.response_is_list = true;
    listing.query = listing_parameters();
    service.add(std::move(listing), [context](Request& request) { return list_jobs(*context, request); });

    auto reading = performance_route(Method::get, kJob, "Read one measurement job", job_schema());
    reading.query = selector_parameters();
    service.add(std::move(reading), [context](Request& request) { return read_job(*context, request); });

    auto creating = performance_route(Method::post, kJobs, "Have something measured", job_schema());
    creating.body = http::BodyKind::json;
    creating.request = &job_request_schema();
    creating.success = Status::created;
    creating.failures = {Status::conflict, Status::unprocessable_content, Status::insufficient_storage};
    service.add(std::move(creating),
                http::Handler([context](Request& request) { return post_job(context, request); }));

    auto changing = performance_route(Method::patch, kJob, "Have something else measured", job_schema());
    changing.body = http::BodyKind::patch;
    changing.request = &job_request_schema();
    changing.failures.push_back(Status::unprocessable_content);
    service.add(std::move(changing),
                http::Handler([context](Request& request) { return patch_job(context, request); }));

    auto deleting =
        performance_route(Method::delete_, kJob, "Forget a suspended job and its results", job_schema());
    deleting.response = nullptr;
    deleting.success = Status::no_content;
    deleting.failures.push_back(Status::conflict);
    service.add(std::move(deleting),
                http::Handler([context](Request& request) { return delete_job(context, request); }));

    for (const bool is_active : {false, true})
        service.add(
            performance_route(Method::post, std::string(kJob) + (is_active ? "/resume" : "/suspend"),
                              is_active ? "Collect again" : "Collect no more for a while", job_schema()),
            http::Handler(
                [context, is_active](Request& request) { return post_state(context, request, is_active); }));
}

void add_configuration(Service& service, const SharedPerformance& context) {
    const auto& schema = performance_configuration_schema();
    service.add(performance_route(Method::get, kConfiguration, "Read how long results are kept", schema),
                [context](Request&) { return read_configuration(*context); });
    for (const bool is_patch : {false, true}) {
        auto changing = performance_route(is_patch ? Method::patch : Method::put, kConfiguration,
                                          "Say how long results are kept", schema);
        changing.body = is_patch ? http::BodyKind::patch : http::BodyKind::json;
        changing.request = &schema;
        service.add(std::move(changing), http::Handler([context, is_patch](Request& request) {
                        return change_configuration(context, request, is_patch);
                    }));
    }
}

}  // namespace

Service add_performance(http::Router& router, const ims::Services& services, Inventory& inventory,
                        const Collector& collector) {
    const auto context =
        std::make_shared<const PerformanceContext>(PerformanceContext{services, &inventory, &collector});
    Service service(router, "infrastructurePerformance", {{1, "1.1.0"}, {2, "2.2.0"}});
    add_jobs(service, context);
    auto results = performance_route(Method::get, std::string(kJob) + "/results",
                                     "List: what a job has measured", result_schema());
    results.response_is_list = true;
    results.query = listing_parameters();
    service.add(std::move(results), [context](Request& request) { return list_results(*context, request); });
    add_configuration(service, context);
    return service;
}

}  // namespace rouse::o2ims
