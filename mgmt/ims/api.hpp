#pragma once
// The REST services under /api/ (IMS), and the rack side's files.

#include "mgmt/http/router.hpp"
#include "mgmt/ims/http_transfers.hpp"
#include "mgmt/ims/services.hpp"

namespace rouse::ims {

// Each adds one resource's routes.
void add_clusters(http::Router& router, const Services& services);
void add_machines(http::Router& router, const Services& services);
void add_ip_pools(http::Router& router, const Services& services);
void add_leases(http::Router& router, const Services& services);
void add_service_config(http::Router& router, const Services& services);
void add_images(http::Router& router, const Services& services);
void add_image_imports(http::Router& router, const Services& services);
void add_image_care(http::Router& router, const Services& services);
void add_boot_profiles(http::Router& router, const Services& services);
void add_users(http::Router& router, const Services& services);
void add_resource_metrics(http::Router& router, const Services& services);
void add_machine_import(http::Router& router, const Services& services);
void add_audit(http::Router& router, const Services& services);
void add_oauth_clients(http::Router& router, const Services& services);
// With the two that follow.
void add_workers(http::Router& router, const Services& services);
void add_worker_reports(http::Router& router, const Services& services);
void add_worker_feed(http::Router& router, const Services& services);

// All of the above and the login.
void add_api(http::Router& router, const Services& services);

// GET /boot/{name...}: for machines, on the rack side's listener. TRANSFERS outlives the router.
void add_boot_files(http::Router& router, const Services& services, HttpTransfers& transfers);

// POST /agent/metrics: likewise.
void add_heartbeat(http::Router& router, const Services& services);

}  // namespace rouse::ims
