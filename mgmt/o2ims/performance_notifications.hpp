#pragma once
// Results of measurement jobs as notifications to subscribers. The standard leaves open what is in them
// (O2IMS 1.7): they are MeasurementResults as GET …/results has them, some hundred at a time.

#include "mgmt/o2ims/collector.hpp"
#include "mgmt/o2ims/outbox.hpp"
#include "mgmt/o2ims/subscription_filter.hpp"
#include "mgmt/store/writer.hpp"

#include <string_view>

namespace rouse::o2ims {

// {"performanceMeasurementJobId", "consumerPerformanceJobId"?, "collectionTime", "results"}
[[nodiscard]] const http::Schema& results_notification_schema();

// Puts new results into the outbox, if anybody subscribed to them. WRITER outlives what is returned, which
// waits for it.
[[nodiscard]] Collector::HandOn hand_to_subscribers(store::Writer& writer, OutboxTables tables);

// What is NOT told: "(neq,consumerPerformanceJobId,mine)".
[[nodiscard]] http::OrProblem<Excludes> parse_results_filter(std::string_view text);

}  // namespace rouse::o2ims
