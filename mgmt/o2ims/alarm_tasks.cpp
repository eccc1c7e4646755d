#include "mgmt/o2ims/alarm_tasks.hpp"

#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <utility>

namespace rouse::o2ims {

using nlohmann::json;

void AlarmTasks::Task::end(const std::string& error) {
    if (!std::exchange(has_ended_, true)) tasks_->end(id_, error);
}

std::unique_ptr<AlarmTasks::Task> AlarmTasks::begin(json parameters) {
    const std::lock_guard lock(mutex_);
    if (is_busy_) return nullptr;
    const std::string now = store::to_timestamp(realtime_ns());
    const std::string id = store::Id::make().to_string();
    tasks_[id] = {
        {"id", id},         {"operationState", "PROCESSING"}, {"stateEnteredTime", now},
        {"startTime", now}, {"operation", "PURGE"},           {"operationParams", std::move(parameters)}};
    while (tasks_.size() > kKept) tasks_.erase(tasks_.begin());
    is_busy_ = true;
    return std::make_unique<Task>(*this, id);
}

void AlarmTasks::end(const std::string& id, const std::string& error) {
    const std::lock_guard lock(mutex_);
    is_busy_ = false;
    const auto task = tasks_.find(id);
    if (task == tasks_.end()) return;
    task->second["operationState"] = error.empty() ? "COMPLETED" : "FAILED";
    task->second["stateEnteredTime"] = store::to_timestamp(realtime_ns());
    if (!error.empty()) task->second["error"] = {{"detail", error}, {"status", 507}};
}

std::map<std::string, json> AlarmTasks::all() const {
    const std::lock_guard lock(mutex_);
    return tasks_;
}

}  // namespace rouse::o2ims
