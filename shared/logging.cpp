#include "shared/logging.hpp"

#include <ctime>
#include <memory>
#include <utility>

#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>

namespace rouse {
namespace {

using nlohmann::ordered_json;

// What comes after the message: ,"request_id":"…"
thread_local std::string fields;

std::string to_json(const ordered_json& value) {
    // Log messages may quote whatever came over a wire.
    return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string timestamp(spdlog::log_clock::time_point time) {
    const auto millis =
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    const std::time_t seconds = millis / 1000;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char date[32];
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    char text[48];
    std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>(millis % 1000));
    return text;
}

class JsonFormatter final : public spdlog::formatter {
  public:
    explicit JsonFormatter(std::string process) : process_(std::move(process)) {}

    void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
        const auto level = spdlog::level::to_string_view(line.level);
        const ordered_json object{{"time", timestamp(line.time)},
                                  {"level", std::string(level.data(), level.size())},
                                  {"process", process_},
                                  {"message", std::string(line.payload.data(), line.payload.size())}};
        std::string text = to_json(object);
        text.pop_back();
        text += fields;
        text += "}\n";
        out.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JsonFormatter>(process_);
    }

  private:
    std::string process_;
};

}  // namespace

void log_as_json(std::string_view process) {
    spdlog::default_logger()->set_formatter(std::make_unique<JsonFormatter>(std::string(process)));
}

LogFields::LogFields(const ordered_json& more) : outer_(fields) {
    if (!more.is_object() || more.empty()) return;
    std::string text = to_json(more);
    text.front() = ',';
    text.pop_back();
    fields += text;
}

LogFields::~LogFields() {
    fields = std::move(outer_);
}

}  // namespace rouse
