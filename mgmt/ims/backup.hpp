#pragma once
// The whole appliance as one tar archive, while it serves; see mgmt/maintenance/backup_format.hpp.

#include "mgmt/http/router.hpp"
#include "mgmt/ims/services.hpp"

namespace rouse::ims {

// GET /api/backup/
void add_backup(http::Router& router, const Services& services);

}  // namespace rouse::ims
