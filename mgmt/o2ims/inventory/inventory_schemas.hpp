#pragma once
// The objects of the inventory service (O2IMS 1.4), attribute by attribute.

#include "mgmt/http/schema.hpp"

namespace rouse::o2ims {

[[nodiscard]] const http::Schema& cloud_info_schema();
[[nodiscard]] const http::Schema& resource_type_schema();
[[nodiscard]] const http::Schema& resource_pool_schema();
[[nodiscard]] const http::Schema& resource_schema();
[[nodiscard]] const http::Schema& location_schema();
[[nodiscard]] const http::Schema& site_schema();
[[nodiscard]] const http::Schema& deployment_manager_schema();

}  // namespace rouse::o2ims
