#include "mgmt/o2ims/performance/measurement_jobs.hpp"

#include "mgmt/ims/resource.hpp"
#include "mgmt/o2ims/performance/performance_schemas.hpp"

#include <utility>

namespace rouse::o2ims {

using nlohmann::json;
using store::Document;

namespace {

constexpr int kPreinstalledInterval = 300;  // seconds; what the information model has by default

std::string state_word(bool is_active) {
    return std::string(kJobStates[is_active ? 0 : 1]);
}

Outcome<void> install_job(store::Batch& batch, MeasuredOf of) {
    const std::string name(kMeasuredOf[static_cast<std::size_t>(of)]);
    const auto known =
        store::find_by(batch, store::kMeasurementJobs, store::kMeasurementJobByPreinstalled, name);
    if (!known) return pass_on(known.error());
    if (*known) return {};
    json measured = json::array();
    for (const Measurement& one : measurements())
        if (one.of == of) measured.push_back(one.id);
    const json data{
        {"collectionInterval", kPreinstalledInterval},
        {"measurementSelectionCriteria", {{"performanceMeasurementDefinitionIds", std::move(measured)}}}};
    const auto made = store::insert(batch, store::kMeasurementJobs,
                                    {{"data", data}, {"state", state_word(true)}, {"_preinstalled", name}});
    return made ? Outcome<void>{} : pass_on(made.error());
}

}  // namespace

Outcome<Document> create_job(store::Batch& batch, json data) {
    const auto count = store::count(batch, store::kMeasurementJobs);
    if (!count) return pass_on(count.error());
    if (*count >= kMaxJobs)
        return refuse(Failure::Kind::conflict, "there are " + std::to_string(kMaxJobs) +
                                                   " measurement jobs, which is the most; delete one first");
    return store::insert(batch, store::kMeasurementJobs,
                         {{"data", std::move(data)}, {"state", state_word(true)}});
}

Outcome<Document> change_job(store::Batch& batch, const std::string& id, const json& patch) {
    auto job = ims::require(batch, store::kMeasurementJobs, id);
    if (!job) return job;
    auto merged = ims::merge(job_request_schema(), job->fields.at("data"), patch);
    if (!merged) return pass_on(merged.error());
    job->fields["data"] = std::move(*merged);
    return store::update(batch, store::kMeasurementJobs, std::move(*job));
}

Outcome<Document> set_active(store::Batch& batch, const std::string& id, bool is_active) {
    auto job = ims::require(batch, store::kMeasurementJobs, id);
    if (!job || job->text("state") == state_word(is_active)) return job;
    job->fields["state"] = state_word(is_active);
    return store::update(batch, store::kMeasurementJobs, std::move(*job));
}

Outcome<void> remove_job(store::Batch& batch, const std::string& id) {
    const auto job = ims::require(batch, store::kMeasurementJobs, id);
    if (!job) return pass_on(job.error());
    if (job->text("state") == state_word(true))
        return refuse(Failure::Kind::conflict, "the job is ACTIVE; suspend it first");
    const auto erased = store::erase(batch, store::kMeasurementJobs, job->id);
    return erased ? Outcome<void>{} : pass_on(erased.error());
}

Result<void> install_jobs(store::Writer& writer) {
    const auto installed = writer.run([](store::Batch& batch) -> Outcome<void> {
        for (const MeasuredOf of : {MeasuredOf::server, MeasuredOf::appliance})
            if (auto made = install_job(batch, of); !made) return made;
        return {};
    });
    return installed ? Result<void>{} : fail(installed.error().message);
}

bool is_preinstalled(const Document& job) {
    return !job.text("_preinstalled").empty();
}

json view_of(const Document& job, const Collector& collector) {
    auto state = collector.state_of(Job::of(job));
    json out = job.fields.at("data");
    out["performanceMeasurementJobId"] = job.id.to_string();
    out["state"] = job.fields.at("state");
    out["status"] = kJobStatuses[static_cast<std::size_t>(state.status)];
    out["preinstalledJob"] = is_preinstalled(job);
    out["qualifiedResourceTypes"] = std::move(state.qualified_types);
    out["measuredResources"] = std::move(state.resources);
    out["collectedMeasurements"] = std::move(state.measurements);
    return out;
}

}  // namespace rouse::o2ims
