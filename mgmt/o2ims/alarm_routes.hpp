#pragma once
// The monitoring service (O2IMS 1.5) but for its subscriptions.

#include "mgmt/http/router.hpp"
#include "mgmt/ims/services.hpp"
#include "mgmt/o2ims/alarm_records.hpp"
#include "mgmt/o2ims/cloud.hpp"
#include "mgmt/o2ims/service.hpp"

namespace rouse::o2ims {

// The service itself, for whoever adds routes to it.
[[nodiscard]] Service monitoring_service(http::Router& router);
// TELL: whom what is done to alarms here is told; nothing: nobody.
void add_alarms(Service& service, const ims::Services& services, const Cloud& cloud, AlarmTeller tell = {});

}  // namespace rouse::o2ims
