#pragma once
// The objects of the provisioning service (O2IMS 1.6) and the parameters of our templates.

#include "mgmt/http/schema.hpp"

namespace rouse::o2ims {

[[nodiscard]] const http::Schema& request_data_schema();  // ProvisioningRequestData
[[nodiscard]] const http::Schema& request_schema();       // ProvisioningRequestInfo
[[nodiscard]] const http::Schema& parameters_schema();  // of templateParameters, the same for every template
[[nodiscard]] const http::Schema& template_schema();    // ManagedInfrastructureTemplate

// Every boot profile is a template of this version: its name is the template's.
inline constexpr const char* kTemplateVersion = "1.0.0";

}  // namespace rouse::o2ims
