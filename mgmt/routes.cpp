#include "mgmt/routes.hpp"

#include "mgmt/http/openapi.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/live_events.hpp"
#include "mgmt/ims/worker_access.hpp"
#include "mgmt/o2ims/inventory_routes.hpp"
#include "mgmt/o2ims/performance_routes.hpp"
#include "mgmt/o2ims/provisioning_routes.hpp"
#include "mgmt/o2ims/service.hpp"

namespace rouse::mgmt {

void add_api_routes(http::Router& router, const ims::Services& services, const ims::Observation& observation,
                    live::Hub& live, o2ims::Inventory& inventory, const o2ims::Collector& collector) {
    ims::add_api(router, services);
    router.authenticate_with(ims::with_workers(services.writer.store(), router.authenticator()));
    ims::add_live_events(router, live);
    ims::add_timeline(router, observation);
    ims::add_health(router, observation);
    ims::add_metrics(router, observation);
    o2ims::accept_spellings(router);
    o2ims::add_inventory(router, inventory);
    o2ims::add_provisioning(router, services, o2ims::Provisioner(services, inventory));
    o2ims::add_templates(router, services);
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
