#pragma once
// The purges of alarms that this process was asked for, one at a time. Thread safe.

#include "mgmt/store/id.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

class AlarmTasks {
  public:
    // One that is under way. It has failed when it goes without an end.
    class Task {
      public:
        Task(AlarmTasks& tasks, std::string id) : tasks_(&tasks), id_(std::move(id)) {}
        ~Task() { end("was broken off"); }
        Task(const Task&) = delete;
        Task& operator=(const Task&) = delete;

        [[nodiscard]] const std::string& id() const noexcept { return id_; }
        // ERROR: why it failed; empty: it did not. The first end counts.
        void end(const std::string& error);

      private:
        AlarmTasks* tasks_;
        std::string id_;
        bool has_ended_ = false;
    };

    // A new task with these parameters; null while another one is under way. This outlives it.
    [[nodiscard]] std::unique_ptr<Task> begin(nlohmann::json parameters);

    // TaskOperationInfo by id; the last kKept of them.
    [[nodiscard]] std::map<std::string, nlohmann::json> all() const;

  private:
    void end(const std::string& id, const std::string& error);

    static constexpr std::size_t kKept = 100;
    mutable std::mutex mutex_;
    std::map<std::string, nlohmann::json> tasks_;  // ids of which are in the order of their making
    bool is_busy_ = false;
};

}  // namespace rouse::o2ims
