#include "mgmt/o2ims/alarm_notifications.hpp"

#include "mgmt/o2ims/alarm_schemas.hpp"
#include "mgmt/o2ims/alarm_view.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

using nlohmann::json;

AlarmTeller tell_subscribers(OutboxTables tables, const Cloud& cloud) {
    return [tables, &cloud](store::Batch& batch, const store::Document& alarm) {
        const auto event = static_cast<std::size_t>(alarm.fields.value("event", 0));
        json body = notification_of_alarm(cloud, alarm);
        body["notificationId"] = store::Id::make().to_string();
        return append(batch, tables, {kMonitoringService, std::string(kAlarmEvents.at(event)), body.dump()});
    };
}

http::OrProblem<Excludes> parse_alarm_filter(std::string_view text) {
    if (std::ranges::find(kAlarmEvents, text) != kAlarmEvents.end())
        return [kind = std::string(text)](const Notification& one) { return one.kind == kind; };
    auto filter = Filter::parse(text, alarm_schema(2));
    if (!filter) filter = Filter::parse(text, alarm_schema(1));
    if (!filter)
        return http::invalid_field(
            "/filter",
            "is neither NEW, CHANGE, CLEAR or ACKNOWLEDGE nor a filter of alarms: " + filter.error().detail);
    return excludes_matching(std::move(*filter));
}

}  // namespace rouse::o2ims
