#pragma once
// Alarms as notifications to subscribers (O2IMS 1.5): AlarmEventNotification, and what a subscription's
// filter says.

#include "mgmt/o2ims/alarm_records.hpp"
#include "mgmt/o2ims/cloud.hpp"
#include "mgmt/o2ims/outbox.hpp"
#include "mgmt/o2ims/subscription_filter.hpp"

#include <string_view>

namespace rouse::o2ims {

// Puts each into the outbox. CLOUD outlives what is returned.
[[nodiscard]] AlarmTeller tell_subscribers(OutboxTables tables, const Cloud& cloud);

// What is NOT told: the events of one kind ("NEW", "CHANGE", "CLEAR", "ACKNOWLEDGE"), or alarms by their
// attributes, in the names of either major version: "(in,perceivedSeverity,3,4)".
[[nodiscard]] http::OrProblem<Excludes> parse_alarm_filter(std::string_view text);

}  // namespace rouse::o2ims
