#include "mgmt/ims/api.hpp"

#include "mgmt/ims/backup.hpp"

namespace rouse::ims {

void add_api(http::Router& router, const Services& services) {
    services.auth.install(router);
    add_clusters(router, services);
    add_machines(router, services);
    add_machine_import(router, services);
    add_resource_metrics(router, services);
    add_ip_pools(router, services);
    add_leases(router, services);
    add_service_config(router, services);
    add_boot_profiles(router, services);
    add_images(router, services);
    add_image_imports(router, services);
    add_image_care(router, services);
    add_users(router, services);
    add_oauth_clients(router, services);
    add_audit(router, services);
    add_workers(router, services);
    add_backup(router, services);
}

}  // namespace rouse::ims
