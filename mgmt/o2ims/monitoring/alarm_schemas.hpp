#pragma once
// The objects of the monitoring service (O2IMS 1.5) and the alarm dictionaries, attribute by attribute.

#include "mgmt/http/schema.hpp"

namespace rouse::o2ims {

// By the names of major version MAJOR: 1 or 2.
[[nodiscard]] const http::Schema& alarm_schema(unsigned major);
[[nodiscard]] const http::Schema& alarm_modifications_schema();
[[nodiscard]] const http::Schema& alarm_configuration_schema();
[[nodiscard]] const http::Schema& purge_schema();
[[nodiscard]] const http::Schema& task_schema();
[[nodiscard]] const http::Schema& alarm_dictionary_schema();

}  // namespace rouse::o2ims
