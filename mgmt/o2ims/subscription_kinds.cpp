#include "mgmt/o2ims/subscription_kinds.hpp"

#include "mgmt/o2ims/outbox.hpp"

namespace rouse::o2ims {

namespace {

// A subscription's attributes: the name of the first and the filter's language differ from service to
// service.
std::vector<http::Field> subscription_fields(const char* id_name, const char* filter) {
    return {http::uuid(id_name, "identifies it").read_only(),
            http::string("consumerSubscriptionId", "the consumer's name for it, which each notification has"),
            http::string("filter", filter).length(0, 4096),
            http::string("callback", "URL that notifications are posted to").length(1, 2048).required()};
}

}  // namespace

SubscriptionKind inventory_subscriptions() {
    static const http::Schema schema(
        "InventorySubscriptionInfo", "Who is told of changes of the inventory",
        subscription_fields("subscriptionId",
                            "what is NOT told: (eq,objectType,ResourceTypeInfo)|(eq,tags,discovered)"));
    return {.service = kInventoryService, .schema = &schema};
}

SubscriptionKind alarm_subscriptions() {
    static const http::Schema schema("AlarmSubscriptionInfo", "Who is told of alarms", [] {
        constexpr const char* kLanguage =
            "what is NOT told: NEW, CHANGE, CLEAR, ACKNOWLEDGE or (eq,perceivedSeverity,3)";
        auto fields = subscription_fields("alarmSubscriptionId", kLanguage);
        fields.push_back(http::string("eventFilter", "the same by its name since 2.2").length(0, 4096));
        return fields;
    }());
    return {.service = kMonitoringService,
            .path = "/alarmSubscriptions",
            .id_name = "alarmSubscriptionId",
            .noun = "alarm subscription",
            .schema = &schema,
            .patched_since = 2};
}

SubscriptionKind performance_subscriptions() {
    static const http::Schema schema(
        "PerformanceSubscriptionInfo", "Who is told of what is measured",
        subscription_fields("performanceSubscriptionId",
                            "what is NOT told: (neq,consumerPerformanceJobId,mine)"));
    return {.service = kPerformanceService,
            .path = "/performanceSubscriptions",
            .id_name = "performanceSubscriptionId",
            .noun = "performance subscription",
            .schema = &schema};
}

}  // namespace rouse::o2ims
