#pragma once
// Logs for programs: with log.format = "json" each line is an object {"time","level","process","message",…}
// with the fields of whatever is being done on the thread.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace rouse {

// The default logger's lines are JSON from now on.
void log_as_json(std::string_view process);

// Fields, an object, that this thread's lines have as long as it lives; not across a suspension point. In
// text they do not show: what matters there is in the message.
class LogFields {
  public:
    explicit LogFields(const nlohmann::ordered_json& fields);
    ~LogFields();
    LogFields(const LogFields&) = delete;
    LogFields& operator=(const LogFields&) = delete;

  private:
    std::string outer_;
};

}  // namespace rouse
