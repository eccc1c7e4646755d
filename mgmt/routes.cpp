#include "mgmt/routes.hpp"

#include "mgmt/http/openapi.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/live_events.hpp"
#include "mgmt/ims/worker_access.hpp"
#include "mgmt/o2ims/alarm_routes.hpp"
#include "mgmt/o2ims/inventory_routes.hpp"
#include "mgmt/o2ims/performance_routes.hpp"
#include "mgmt/o2ims/provisioning_routes.hpp"
#include "mgmt/o2ims/service.hpp"
#include "mgmt/o2ims/subscriptions.hpp"

namespace rouse::mgmt {

void add_api_routes(http::Router& router, const ims::Services& services, const ims::Observation& observation,
                    live::Hub& live, o2ims::Inventory& inventory, const o2ims::Collector& collector,
                    o2ims::Delivery& delivery, bool tests_callbacks) {
    ims::add_api(router, services);
    router.authenticate_with(ims::with_workers(services.writer.store(), router.authenticator()));
    ims::add_live_events(router, live);
    ims::add_timeline(router, observation);
    ims::add_health(router, observation);
    ims::add_metrics(router, observation);
    o2ims::accept_spellings(router);
    auto service = o2ims::add_inventory(router, inventory);
    o2ims::add_subscriptions(
        service, {services, delivery, inventory.cloud().profile, tests_callbacks},
        {.service = o2ims::kInventoryService, .schema = &o2ims::inventory_subscription_schema()});
    o2ims::add_provisioning(router, services, o2ims::Provisioner(services, inventory));
    o2ims::add_templates(router, services);
    auto monitoring = o2ims::monitoring_service(router);
    o2ims::add_alarms(monitoring, services, inventory.cloud());
    o2ims::add_performance(router, services, inventory, collector);
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
