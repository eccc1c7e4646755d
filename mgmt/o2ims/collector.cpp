#include "mgmt/o2ims/collector.hpp"

#include "shared/clock.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace rouse::o2ims {

using nlohmann::json;

namespace {

constexpr std::uint64_t kDayNs = 86'400 * kNanosPerSecond;

}  // namespace

Result<std::int64_t> retention_days(const store::View& view) {
    const auto setting = store::find_by(view, store::kSettings, store::kSettingByName, kPerformanceSetting);
    if (!setting) return tl::unexpected(setting.error());
    return *setting ? (*setting)->fields.value("retentionPeriod", kResultRetentionDays)
                    : kResultRetentionDays;
}

Result<void> Collector::turn(std::uint64_t now_ns) {
    std::vector<store::Document> documents;
    std::vector<Job> jobs;
    std::uint64_t keep_ns = 0;
    {
        const auto snapshot = store_->snapshot();
        if (!snapshot) return tl::unexpected(snapshot.error());
        const auto days = retention_days(*snapshot);
        if (!days) return tl::unexpected(days.error());
        keep_ns = static_cast<std::uint64_t>(*days) * kDayNs;
        const auto read = store::for_each(*snapshot, store::kMeasurementJobs, std::nullopt,
                                          [&documents](store::Document document) {
                                              documents.push_back(std::move(document));
                                              return true;
                                          });
        if (!read) return read;
    }
    for (const auto& document : documents) jobs.push_back(Job::of(document));
    settle(jobs, now_ns > keep_ns ? now_ns - keep_ns : 0, now_ns);
    const auto due = [&](const Job& job) { return is_due_now(job, now_ns); };
    if (std::none_of(jobs.begin(), jobs.end(), due)) return {};
    const auto readings = take_readings_();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (!due(jobs[i])) continue;
        if (!readings) {
            fail(jobs[i], now_ns);
            continue;
        }
        const auto made = std::make_shared<const Collection>(collect(jobs[i], *readings, now_ns));
        keep(jobs[i], made);
        if (hand_on_ && !made->results.empty()) hand_on_(documents[i], *made);
    }
    return readings ? Result<void>{} : tl::unexpected(readings.error());
}

// Forgets what nobody may read any more, and notes which jobs measure nothing now.
void Collector::settle(const std::vector<Job>& jobs, std::uint64_t oldest_ns, std::uint64_t now_ns) {
    std::map<store::Id, const Job*> known;
    for (const Job& job : jobs) known.emplace(job.id, &job);
    const std::lock_guard lock(mutex_);
    std::erase_if(runs_, [&known](const auto& run) { return !known.contains(run.first); });
    for (auto& [id, run] : runs_) {
        while (!run.collections.empty() && run.collections.front()->time_ns < oldest_ns) forget_oldest(run);
        if (known.at(id)->is_active) continue;
        run.resources.follow({}, now_ns);
        run.measurements.follow({}, now_ns);
    }
}

bool Collector::is_due_now(const Job& job, std::uint64_t now_ns) const {
    const std::lock_guard lock(mutex_);
    const auto run = runs_.find(job.id);
    return is_due(job, run == runs_.end() ? 0 : run->second.last_ns, now_ns);
}

void Collector::fail(const Job& job, std::uint64_t now_ns) {
    const std::lock_guard lock(mutex_);
    Run& run = runs_[job.id];
    run.last_ns = now_ns;
    run.status = JobStatus::failed;
}

void Collector::keep(const Job& job, std::shared_ptr<const Collection> collection) {
    std::set<Followed::Key> resources, measured;
    for (const Measured& one : collection->results) {
        resources.emplace(one.type, one.resource);
        for (const auto& [row, value] : one.values) measured.emplace(one.type, measurements()[row].id);
    }
    const std::lock_guard lock(mutex_);
    Run& run = runs_[job.id];
    const std::uint64_t now_ns = collection->time_ns;
    // What a turn comes late by is not added up, unless it is a whole interval.
    const std::uint64_t expected_ns = run.last_ns + job.interval_ns;
    const bool is_in_step =
        run.last_ns != 0 && expected_ns <= now_ns && now_ns - expected_ns < job.interval_ns;
    run.last_ns = is_in_step ? expected_ns : now_ns;
    run.status = collection->status;
    run.resources.follow(resources, now_ns);
    run.measurements.follow(measured, now_ns);
    if (collection->results.empty()) return;
    run.results += collection->results.size();
    run.collections.push_back(std::move(collection));
    while (run.results > kMaxResultsOfJob && run.collections.size() > 1) forget_oldest(run);
}

void Collector::forget_oldest(Run& run) {
    run.results -= run.collections.front()->results.size();
    run.collections.pop_front();
}

Collector::State Collector::state_of(const Job& job) const {
    State out;
    const std::lock_guard lock(mutex_);
    if (const auto run = runs_.find(job.id); run != runs_.end()) {
        out.status = run->second.status;
        out.qualified_types = run->second.resources.types();
        out.resources = run->second.resources.describe("resourceId");
        out.measurements = run->second.measurements.describe("performanceMeasurementDefinitionId");
    }
    if (!job.is_active) out.status = JobStatus::idle;
    return out;
}

Collector::Collections Collector::results_of(const store::Id& job) const {
    const std::lock_guard lock(mutex_);
    const auto run = runs_.find(job);
    if (run == runs_.end()) return {};
    return {run->second.collections.begin(), run->second.collections.end()};
}

}  // namespace rouse::o2ims
