#include "mgmt/o2ims/performance_notifications.hpp"

#include "mgmt/o2ims/performance_schemas.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace rouse::o2ims {

using nlohmann::json;

namespace {

constexpr std::size_t kResultsAtOnce = 250;  // in one notification
constexpr const char* kKind = "MeasurementResults";

Result<void> hand_on(store::Writer& writer, const OutboxTables& tables, const store::Document& job,
                     const Collection& collection) {
    {
        const auto snapshot = writer.store().snapshot();
        if (!snapshot) return tl::unexpected(snapshot.error());
        const auto wanted = has_subscribers(*snapshot, kPerformanceService);
        if (!wanted) return tl::unexpected(wanted.error());
        if (!*wanted) return {};
    }
    std::vector<Notification> notifications;
    const std::span results(collection.results);
    for (std::size_t done = 0; done < results.size(); done += kResultsAtOnce) {
        const auto some = results.subspan(done, std::min(kResultsAtOnce, results.size() - done));
        json body = notification_of(job, collection, some);
        body["notificationId"] = store::Id::make().to_string();
        notifications.push_back({kPerformanceService, kKind, body.dump()});
    }
    return writer.run([&](store::Batch& batch) -> Result<void> {
        for (const auto& one : notifications)
            if (auto appended = append(batch, tables, one); !appended) return appended;
        return {};
    });
}

}  // namespace

Collector::HandOn hand_to_subscribers(store::Writer& writer, OutboxTables tables) {
    return [&writer, tables](const store::Document& job, const Collection& collection) {
        if (const auto handed = hand_on(writer, tables, job, collection); !handed)
            spdlog::error("subscribers are not told of what was measured: {}", handed.error().message);
    };
}

const http::Schema& results_notification_schema() {
    static const http::Schema schema(
        "MeasurementResultsNotification", "What a measurement job has measured",
        {http::uuid("notificationId", "the same when it is sent again").required(),
         http::string("consumerSubscriptionId", "the consumer's name for the subscription"),
         http::uuid("performanceMeasurementJobId", "whose they are").required(),
         http::string("consumerPerformanceJobId", "the consumer's name for the job"),
         http::timestamp("collectionTime", "when").required(),
         http::array(http::object("results", "of one resource each", result_schema())).required()});
    return schema;
}

http::OrProblem<Excludes> parse_results_filter(std::string_view text) {
    auto filter = Filter::parse(text, results_notification_schema());
    if (!filter)
        return http::invalid_field("/filter", "is not a filter of results: " + filter.error().detail);
    return excludes_matching(std::move(*filter));
}

}  // namespace rouse::o2ims
