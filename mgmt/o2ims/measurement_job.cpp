#include "mgmt/o2ims/measurement_job.hpp"

#include "shared/clock.hpp"

#include <algorithm>

namespace rouse::o2ims {

using nlohmann::json;

namespace {

std::set<std::string> ids_of(const json& scope, const char* name) {
    return scope.value(name, std::set<std::string>{});
}

bool is_among(const std::set<std::string>& wanted, const std::string& id) {
    return wanted.empty() || wanted.contains(id);
}

void note_time(std::vector<std::string>& times, const std::string& now) {
    times.push_back(now);
    if (times.size() > Followed::kMaxTimes) times.erase(times.begin());
}

}  // namespace

std::vector<std::optional<double>> read_all(MeasuredOf of, const Facts& facts) {
    std::vector<std::optional<double>> out;
    out.reserve(measurements().size());
    for (const Measurement& one : measurements())
        out.push_back(one.of == of ? one.read(facts) : std::optional<double>());
    return out;
}

Job Job::of(const store::Document& document) {
    const json& data = document.fields.at("data");
    const json scope = data.value("resourceScopeCriteria", json::object());
    Job out{.id = document.id,
            .is_active = document.text("state") == kJobStates[0],
            .interval_ns = data.at("collectionInterval").get<std::uint64_t>() * kNanosPerSecond,
            .types = ids_of(scope, "resourceTypeIds"),
            .resources = ids_of(scope, "resourceIds"),
            .pools = ids_of(scope, "resourcePoolIds"),
            .measured = {}};
    const auto wanted = data.at("measurementSelectionCriteria")
                            .at("performanceMeasurementDefinitionIds")
                            .get<std::set<std::string>>();
    for (std::size_t row = 0; row < measurements().size(); ++row)
        if (wanted.contains(std::string(measurements()[row].id))) out.measured.push_back(row);
    return out;
}

bool Job::covers(const Reading& reading) const {
    const bool is_measured_so = std::any_of(measured.begin(), measured.end(), [&](std::size_t row) {
        return measurements()[row].of == reading.of;
    });
    return is_measured_so && is_among(types, reading.type) && is_among(resources, reading.resource) &&
           is_among(pools, reading.pool);
}

Collection collect(const Job& job, std::span<const Reading> readings, std::uint64_t now_ns) {
    Collection out{.time_ns = now_ns, .status = JobStatus::running, .results = {}};
    for (const Reading& reading : readings) {
        if (!job.covers(reading)) continue;
        Measured result{.id = {}, .resource = reading.resource, .type = reading.type, .values = {}};
        for (const std::size_t row : job.measured)
            if (reading.values[row]) result.values.emplace_back(row, *reading.values[row]);
        if (result.values.empty()) {
            out.status = JobStatus::degraded;
            continue;
        }
        result.id = store::Id::make();
        out.results.push_back(std::move(result));
    }
    return out;
}

// A clock that was set back does not stop a job.
bool is_due(const Job& job, std::uint64_t last_ns, std::uint64_t now_ns) noexcept {
    return job.is_active && (last_ns == 0 || now_ns < last_ns || now_ns - last_ns >= job.interval_ns);
}

void Followed::follow(const std::set<Key>& measured, std::uint64_t now_ns) {
    const std::string now = store::to_timestamp(now_ns);
    for (const Key& key : measured) {
        Times& times = all_[key];
        if (std::exchange(times.is_measured, true)) continue;
        note_time(times.added, now);
    }
    std::size_t gone = 0;
    for (auto& [key, times] : all_) {
        if (measured.contains(key)) continue;
        ++gone;
        if (std::exchange(times.is_measured, false)) note_time(times.deleted, now);
    }
    if (gone > kMaxGone) std::erase_if(all_, [](const auto& one) { return !one.second.is_measured; });
}

json Followed::describe(const char* name) const {
    json out = json::array();
    for (const auto& [key, times] : all_)
        out.push_back({{"resourceTypeId", key.first},
                       {name, key.second},
                       {"timeAdded", times.added},
                       {"timeDeleted", times.deleted},
                       {"isCurrentlyMeasured", times.is_measured}});
    return out;
}

std::set<std::string> Followed::types() const {
    std::set<std::string> out;
    for (const auto& [key, times] : all_)
        if (times.is_measured) out.insert(key.first);
    return out;
}

json view_of(const store::Id& job, const Collection& collection, const Measured& result) {
    json values = json::array();
    for (const auto& [row, value] : result.values)
        values.push_back({{"performanceMeasurementDefinitionId", measurements()[row].id},
                          {"value", value},
                          {"unit", measurements()[row].unit}});
    return {{"resultId", result.id.to_string()},
            {"performanceMeasurementJobId", job.to_string()},
            {"resourceId", result.resource},
            {"resourceTypeId", result.type},
            {"collectionTime", store::to_timestamp(collection.time_ns)},
            {"values", std::move(values)}};
}

json notification_of(const store::Document& job, const Collection& collection,
                     std::span<const Measured> results) {
    json views = json::array();
    for (const Measured& one : results) views.push_back(view_of(job.id, collection, one));
    json out{{"performanceMeasurementJobId", job.id.to_string()},
             {"collectionTime", store::to_timestamp(collection.time_ns)},
             {"results", std::move(views)}};
    const json& data = job.fields.at("data");
    if (const auto own = data.find("consumerPerformanceJobId"); own != data.end())
        out["consumerPerformanceJobId"] = *own;
    return out;
}

}  // namespace rouse::o2ims
