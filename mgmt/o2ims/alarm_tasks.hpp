#pragma once
// The purges of alarms that this process was asked for, one at a time. Thread safe.

#include "mgmt/store/id.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

class AlarmTasks {
  public:
    // A new task with these parameters; nothing while another one is under way.
    [[nodiscard]] std::optional<std::string> begin(nlohmann::json parameters);
    // ERROR: why it failed; empty: it did not.
    void end(const std::string& id, const std::string& error);

    // TaskOperationInfo by id; the last kKept of them.
    [[nodiscard]] std::map<std::string, nlohmann::json> all() const;

  private:
    static constexpr std::size_t kKept = 100;
    mutable std::mutex mutex_;
    std::map<std::string, nlohmann::json> tasks_;  // ids of which are in the order of their making
    bool is_busy_ = false;
};

}  // namespace rouse::o2ims
