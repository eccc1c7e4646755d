#pragma once
// The objects of the performance service (O2IMS 1.7), and its dictionaries in the inventory (1.4), attribute
// by attribute. Names of measurements are those of measurements().

#include "mgmt/http/schema.hpp"

namespace rouse::o2ims {

[[nodiscard]] const http::Schema& dictionary_schema();
[[nodiscard]] const http::Schema& job_request_schema();
[[nodiscard]] const http::Schema& job_schema();
[[nodiscard]] const http::Schema& result_schema();
[[nodiscard]] const http::Schema& performance_configuration_schema();

}  // namespace rouse::o2ims
