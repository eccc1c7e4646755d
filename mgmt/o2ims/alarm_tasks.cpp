#include "mgmt/o2ims/alarm_tasks.hpp"

#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <utility>

namespace rouse::o2ims {

using nlohmann::json;

std::optional<std::string> AlarmTasks::begin(json parameters) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_busy_, true)) return std::nullopt;
    const std::string now = store::to_timestamp(realtime_ns());
    const std::string id = store::Id::make().to_string();
    tasks_[id] = {
        {"id", id},         {"operationState", "PROCESSING"}, {"stateEnteredTime", now},
        {"startTime", now}, {"operation", "PURGE"},           {"operationParams", std::move(parameters)}};
    while (tasks_.size() > kKept) tasks_.erase(tasks_.begin());
    return id;
}

void AlarmTasks::end(const std::string& id, const std::string& error) {
    const std::lock_guard lock(mutex_);
    is_busy_ = false;
    json& task = tasks_.at(id);
    task["operationState"] = error.empty() ? "COMPLETED" : "FAILED";
    task["stateEnteredTime"] = store::to_timestamp(realtime_ns());
    if (!error.empty()) task["error"] = {{"detail", error}, {"status", 507}};
}

std::map<std::string, json> AlarmTasks::all() const {
    const std::lock_guard lock(mutex_);
    return tasks_;
}

}  // namespace rouse::o2ims
