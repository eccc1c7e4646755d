#pragma once
// An alarm's document in the words of the standard (O2IMS 1.5). Pure.

#include "mgmt/o2ims/cloud.hpp"
#include "mgmt/store/documents.hpp"

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

// AlarmEventRecord by the names of major version MAJOR: 1 or 2. In the interop profile version 1 has the
// later spellings beside its own, since clients read either.
[[nodiscard]] nlohmann::json view_of_alarm(const Cloud& cloud, const store::Document& alarm, unsigned major);

// AlarmEventNotification of what happened last to ALARM, by the names of both major versions: subscribers of
// either take it. Every such event is one change of the document.
[[nodiscard]] nlohmann::json notification_of_alarm(const Cloud& cloud, const store::Document& alarm);

}  // namespace rouse::o2ims
