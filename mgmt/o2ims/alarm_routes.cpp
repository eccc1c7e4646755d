#include "mgmt/o2ims/alarm_routes.hpp"

#include "mgmt/http/entity_tag.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/o2ims/alarm_records.hpp"
#include "mgmt/o2ims/alarm_schemas.hpp"
#include "mgmt/o2ims/alarm_tasks.hpp"
#include "mgmt/o2ims/alarm_view.hpp"
#include "mgmt/o2ims/collection.hpp"
#include "mgmt/o2ims/spelling.hpp"

#include <memory>
#include <utility>

namespace rouse::o2ims {

using http::Method;
using http::OrProblem;
using http::Request;
using http::Response;
using http::Role;
using http::Route;
using http::Status;
using nlohmann::json;
using store::Batch;
using store::Document;
namespace asio = boost::asio;

namespace {

constexpr const char* kOneAlarm = "/alarms/{alarmEventRecordId}";
constexpr const char* kConfiguration = "/alarmServiceConfiguration";
constexpr std::size_t kPurgedAtOnce = 500;  // in one transaction

struct Monitoring {
    ims::Services services;
    Cloud cloud;
    AlarmTeller tell;
    AlarmTasks tasks{};
};
using SharedMonitoring = std::shared_ptr<Monitoring>;

// Who sees to alarms may see them.
constexpr http::Roles kAlarmReaders{Role::o2ims_reader, Role::o2ims_maintainer};

Route alarm_route(Method method, const char* pattern, const char* summary, const http::Schema* response) {
    const bool reads = method == Method::get;
    Route out{.method = method,
              .pattern = pattern,
              .access = http::Access::of(reads ? kAlarmReaders : http::Roles(Role::o2ims_maintainer)),
              .summary = summary};
    out.response = response;
    if (!reads) out.failures = {Status::conflict, Status::insufficient_storage};
    return out;
}

// The major version that a request is of: its path has been matched, in whatever spelling.
unsigned major_of(const Request& request) {
    return request.route->pattern.find("/v2/") == std::string::npos ? 1 : 2;
}

http::Outcome list_alarms(const Monitoring& monitoring, const Request& request) {
    const unsigned major = major_of(request);
    const auto listing = Listing::parse(request, alarm_schema(major));
    if (!listing) return tl::unexpected(listing.error());
    const auto snapshot = monitoring.services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    Result<void> trouble;
    auto answer = listing->answer([&](const std::string& after, const Listing::Take& take) {
        trouble = store::for_each(
            *snapshot, store::kAlarms, store::Id::parse(after),
            [&](const Document& one) { return take(view_of_alarm(monitoring.cloud, one, major)); });
    });
    if (!trouble) return ims::refused(trouble.error());
    return answer;
}

http::Outcome read_alarm(const Monitoring& monitoring, const Request& request) {
    const unsigned major = major_of(request);
    const auto snapshot = monitoring.services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    const auto alarm = ims::require(*snapshot, store::kAlarms, request.parameter("alarmEventRecordId"));
    if (!alarm) return ims::refused(alarm.error());
    auto answer = answer_one(request, alarm_schema(major), view_of_alarm(monitoring.cloud, *alarm, major));
    if (answer) answer->headers.set("ETag", http::revision_tag(alarm->revision));
    return answer;
}

// True: to be acknowledged; false: to be cleared.
OrProblem<bool> wants_acknowledgement(const json& changes) {
    const auto acknowledged = changes.find("alarmAcknowledged");
    const auto severity = changes.find("perceivedSeverity");
    const bool has_both = acknowledged != changes.end() && severity != changes.end();
    if (!has_both && acknowledged != changes.end() && *acknowledged == true) return true;
    if (!has_both && severity != changes.end() && *severity == static_cast<int>(Severity::cleared))
        return false;
    return http::problem(Status::bad_request,
                         "must be either {\"alarmAcknowledged\": true} or {\"perceivedSeverity\": 5}");
}

asio::awaitable<http::Outcome> modify_alarm(const SharedMonitoring& monitoring, const Request& request) {
    const json& changes = request.json();
    const auto acknowledges = wants_acknowledgement(changes);
    if (!acknowledges) co_return tl::unexpected(acknowledges.error());
    const auto changed =
        co_await monitoring->services.change(request, [&](Batch& batch) -> rouse::Outcome<Document> {
            auto alarm = ims::require(batch, store::kAlarms, request.parameter("alarmEventRecordId"));
            if (!alarm) return alarm;
            if (auto matched = ims::check_match(request, http::revision_tag(alarm->revision)); !matched)
                return pass_on(matched.error());
            return *acknowledges ? acknowledge(batch, std::move(*alarm), monitoring->tell)
                                 : clear_by_hand(batch, std::move(*alarm), monitoring->tell);
        });
    if (!changed) co_return ims::refused(changed.error());
    auto response = Response::json(changes);
    response.headers.set("ETag", http::revision_tag(changed->revision));
    co_return response;
}

// -- how they are kept

Response configuration_response(const Retention& retention) {
    auto response =
        Response::json({{"retentionPeriod", retention.days}, {"extensions", retention.extensions}});
    response.headers.set("ETag", http::revision_tag(retention.revision));
    return response;
}

http::Outcome read_configuration(const Monitoring& monitoring) {
    const auto snapshot = monitoring.services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    const auto retention = read_retention(*snapshot);
    if (!retention) return ims::refused(retention.error());
    return configuration_response(*retention);
}

asio::awaitable<http::Outcome> change_configuration(const SharedMonitoring& monitoring,
                                                    const Request& request) {
    const json& body = request.json();
    const bool is_patch = request.method == Method::patch;
    const auto changed =
        co_await monitoring->services.change(request, [&](Batch& batch) -> rouse::Outcome<Retention> {
            const auto current = read_retention(batch);
            if (!current) return current;
            if (auto matched = ims::check_match(request, http::revision_tag(current->revision)); !matched)
                return pass_on(matched.error());
            json fields = body;
            if (is_patch) {
                auto merged = ims::merge(
                    alarm_configuration_schema(),
                    {{"retentionPeriod", current->days}, {"extensions", current->extensions}}, body);
                if (!merged) return pass_on(merged.error());
                fields = std::move(*merged);
            }
            return write_retention(batch, fields.at("retentionPeriod"),
                                   fields.value("extensions", json::object()));
        });
    if (!changed) co_return ims::refused(changed.error());
    co_return configuration_response(*changed);
}

// -- purges

OrProblem<Purge> purge_of(const json& body) {
    Purge out;
    if (body.contains("alarmRecordId")) {
        out.ids.emplace();
        for (const json& id : body["alarmRecordId"])
            if (const auto parsed = store::Id::parse(id.get_ref<const std::string&>()))
                out.ids->insert(*parsed);
    }
    if (body.contains("purgeConditions")) {
        const json& when = body["purgeConditions"];
        if (when.contains("startWindowTime"))
            out.from_ns = store::from_timestamp(when["startWindowTime"].get<std::string>()).value_or(0);
        out.to_ns = store::from_timestamp(when["endWindowTime"].get<std::string>()).value_or(0);
    } else if (!out.ids) {
        return http::problem(Status::bad_request, "must have alarmRecordId, purgeConditions or both");
    }
    return out;
}

asio::awaitable<Result<void>> erase_alarms(const Monitoring& monitoring, const Request& request,
                                           const Purge& purge) {
    std::vector<store::Id> ids;
    {
        const auto snapshot = monitoring.services.snapshot();
        if (!snapshot) co_return tl::unexpected(snapshot.error());
        auto found = alarms_to_purge(*snapshot, purge);
        if (!found) co_return tl::unexpected(found.error());
        ids = std::move(*found);
    }
    for (std::size_t done = 0; done < ids.size(); done += kPurgedAtOnce) {
        const auto erased =
            co_await monitoring.services.change(request, [&](Batch& batch) -> rouse::Outcome<void> {
                for (std::size_t i = done; i < std::min(ids.size(), done + kPurgedAtOnce); ++i)
                    if (auto gone = store::erase(batch, store::kAlarms, ids[i]); !gone)
                        return pass_on(gone.error());
                return {};
            });
        if (!erased) co_return fail(erased.error().message);
    }
    co_return Result<void>{};
}

asio::awaitable<http::Outcome> purge_alarms(const SharedMonitoring& monitoring, const Request& request) {
    const auto purge = purge_of(request.json());
    if (!purge) co_return tl::unexpected(purge.error());
    const auto task = monitoring->tasks.begin(request.json());
    if (!task) co_return http::problem(Status::conflict, "another purge is under way; try again soon");
    const auto erased = co_await erase_alarms(*monitoring, request, *purge);
    task->end(erased ? "" : erased.error().message);
    Response response;
    response.status = Status::accepted;
    response.headers.set("Location", spelled_base(request.path) + "/taskOperations/" + task->id());
    co_return response;
}

http::Outcome list_tasks(const Monitoring& monitoring, const Request& request) {
    const auto listing = Listing::parse(request, task_schema());
    if (!listing) return tl::unexpected(listing.error());
    const auto tasks = monitoring.tasks.all();
    return listing->answer([&tasks](const std::string& after, const Listing::Take& take) {
        for (auto at = tasks.upper_bound(after); at != tasks.end(); ++at)
            if (!take(at->second)) return;
    });
}

http::Outcome read_task(const Monitoring& monitoring, const Request& request) {
    const auto tasks = monitoring.tasks.all();
    const auto found = tasks.find(request.parameter("id"));
    if (found == tasks.end())
        return http::problem(Status::not_found, "there is no task " + request.parameter("id"));
    return answer_one(request, task_schema(), found->second);
}

void add_alarm_records(Service& service, const SharedMonitoring& monitoring, unsigned major) {
    auto listing = alarm_route(Method::get, "/alarms", "List: each alarm", &alarm_schema(major));
    listing.response_is_list = true;
    listing.query = listing_parameters();
    service.add_to(major, std::move(listing),
                   [monitoring](Request& request) { return list_alarms(*monitoring, request); });

    auto reading = alarm_route(Method::get, kOneAlarm, "Read one alarm", &alarm_schema(major));
    reading.query = selector_parameters();
    reading.has_tag = true;
    service.add_to(major, std::move(reading),
                   [monitoring](Request& request) { return read_alarm(*monitoring, request); });
}

void add_configuration(Service& service, const SharedMonitoring& monitoring) {
    const auto* schema = &alarm_configuration_schema();
    auto reading = alarm_route(Method::get, kConfiguration, "How alarms are kept", schema);
    reading.has_tag = true;
    service.add(std::move(reading), [monitoring](Request&) { return read_configuration(*monitoring); });
    for (const bool is_patch : {false, true}) {
        auto changing =
            alarm_route(is_patch ? Method::patch : Method::put, kConfiguration,
                        is_patch ? "Change how alarms are kept" : "Say how alarms are kept", schema);
        changing.body = is_patch ? http::BodyKind::patch : http::BodyKind::json;
        changing.request = schema;
        changing.has_tag = true;
        changing.failures = {Status::insufficient_storage};
        service.add(std::move(changing), http::Handler([monitoring](Request& request) {
                        return change_configuration(monitoring, request);
                    }));
    }
}

void add_purges(Service& service, const SharedMonitoring& monitoring) {
    auto purging =
        alarm_route(Method::post, "/alarms/purge", "Forget cleared and acknowledged alarms", nullptr);
    purging.body = http::BodyKind::json;
    purging.request = &purge_schema();
    purging.success = Status::accepted;
    service.add(std::move(purging),
                http::Handler([monitoring](Request& request) { return purge_alarms(monitoring, request); }));
    auto listing = alarm_route(Method::get, "/taskOperations", "List: each task", &task_schema());
    listing.response_is_list = true;
    listing.query = listing_parameters();
    service.add(std::move(listing),
                [monitoring](Request& request) { return list_tasks(*monitoring, request); });
    auto reading = alarm_route(Method::get, "/taskOperations/{id}", "Read one task", &task_schema());
    reading.query = selector_parameters();
    service.add(std::move(reading),
                [monitoring](Request& request) { return read_task(*monitoring, request); });
}

}  // namespace

Service monitoring_service(http::Router& router) {
    return {router, "infrastructureMonitoring", {{1, "1.2.0"}, {2, "2.0.0"}}};
}

void add_alarms(Service& service, const ims::Services& services, const Cloud& cloud, AlarmTeller tell) {
    const auto monitoring = std::make_shared<Monitoring>(services, cloud, std::move(tell));
    for (const unsigned major : {1U, 2U}) add_alarm_records(service, monitoring, major);
    auto modifying =
        alarm_route(Method::patch, kOneAlarm, "Acknowledge or clear an alarm", &alarm_modifications_schema());
    modifying.body = http::BodyKind::patch;
    modifying.request = &alarm_modifications_schema();
    modifying.has_tag = true;
    service.add(std::move(modifying),
                http::Handler([monitoring](Request& request) { return modify_alarm(monitoring, request); }));
    add_configuration(service, monitoring);
    add_purges(service, monitoring);
}

}  // namespace rouse::o2ims
