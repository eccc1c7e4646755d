#include "mgmt/routes.hpp"

#include "mgmt/http/openapi.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/live_events.hpp"
#include "mgmt/ims/worker_access.hpp"
#include "mgmt/o2ims/alarm_notifications.hpp"
#include "mgmt/o2ims/alarm_routes.hpp"
#include "mgmt/o2ims/inventory_routes.hpp"
#include "mgmt/o2ims/performance_routes.hpp"
#include "mgmt/o2ims/provisioning_routes.hpp"
#include "mgmt/o2ims/service.hpp"
#include "mgmt/o2ims/subscription_kinds.hpp"

namespace rouse::mgmt {

namespace {

void add_o2ims(http::Router& router, const ims::Services& services, const O2imsParts& parts) {
    const auto& cloud = parts.inventory.cloud();
    const o2ims::Subscribing subscribing{services, parts.delivery, cloud.profile, parts.tests_callbacks};
    o2ims::accept_spellings(router);
    auto inventory = o2ims::add_inventory(router, parts.inventory);
    o2ims::add_subscriptions(inventory, subscribing, o2ims::inventory_subscriptions());
    o2ims::add_provisioning(router, services, o2ims::Provisioner(services, parts.inventory));
    o2ims::add_templates(router, services);
    auto monitoring = o2ims::monitoring_service(router);
    o2ims::add_alarms(monitoring, services, cloud, o2ims::tell_subscribers(parts.delivery.tables(), cloud));
    o2ims::add_subscriptions(monitoring, subscribing, o2ims::alarm_subscriptions());
    auto performance = o2ims::add_performance(router, services, parts.inventory, parts.collector);
    o2ims::add_subscriptions(performance, subscribing, o2ims::performance_subscriptions());
}

}  // namespace

void add_api_routes(http::Router& router, const ims::Services& services, const ims::Observation& observation,
                    live::Hub& live, const O2imsParts& o2ims) {
    ims::add_api(router, services);
    router.authenticate_with(ims::with_workers(services.writer.store(), router.authenticator()));
    ims::add_live_events(router, live);
    ims::add_timeline(router, observation);
    ims::add_health(router, observation);
    ims::add_metrics(router, observation);
    add_o2ims(router, services, o2ims);
    http::add_documentation(router, "rouse");
    ims::count_requests(router, observation);
}

void add_rack_routes(http::Router& router, const ims::Services& services, const ims::Observation& observation,
                     ims::HttpTransfers& transfers) {
    ims::add_boot_files(router, services, transfers);
    ims::add_agent_report(router, observation);
    ims::add_heartbeat(router, services);
    ims::count_requests(router, observation);
}

}  // namespace rouse::mgmt
