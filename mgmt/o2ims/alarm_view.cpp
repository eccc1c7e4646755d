#include "mgmt/o2ims/alarm_view.hpp"

#include "mgmt/o2ims/alarm_definitions.hpp"

namespace rouse::o2ims {

using nlohmann::json;
using store::Document;

json view_of_alarm(const Cloud& cloud, const Document& alarm, unsigned major) {
    const std::string name = alarm.text("definition");
    const auto* definition = find_alarm(name);
    const bool has_both = major == 1 && cloud.profile == Profile::interop;
    json out{{"alarmEventRecordId", alarm.id.to_string()},
             {"alarmAcknowledged", alarm.fields.value("acknowledged", false)},
             {"alarmRaisedTime", alarm.text("raised_at")},
             {"perceivedSeverity", alarm.fields.value("severity", 0)}};
    const auto copy = [&](const char* from, const char* to) {
        if (auto at = alarm.text(from); !at.empty()) out[to] = std::move(at);
    };
    copy("changed_at", "alarmChangedTime");
    copy("cleared_at", "alarmClearedTime");
    copy("acknowledged_at", "alarmAcknowledgeTime");
    if (has_both) copy("acknowledged_at", "alarmAcknowledgedTime");
    // An id by its names: version 2's, version 1's, and the one of version 1 that some clients have.
    const auto id = [&](const char* second, const char* first, const char* other, std::string value) {
        if (major > 1)
            out[second] = std::move(value);
        else if (has_both)
            out[first] = out[other] = std::move(value);
        else
            out[first] = std::move(value);
    };
    id("objectTypeId", "resourceTypeID", "resourceTypeId", alarm.text("object_type_id"));
    id("objectId", "resourceID", "resourceId", alarm.text("object_id"));
    id("alarmDefinitionId", "alarmDefinitionID", "alarmDefinitionId", alarm_definition_id(cloud, name));
    id("probableCauseId", "probableCauseID", "probableCauseId",
       probable_cause_id(cloud, definition ? definition->cause : ""));
    if (major > 1) out["objectClass"] = alarm.text("object_class");
    json& more = out["extensions"];
    more = {{"alarmName", name}, {"text", alarm.text("text")}, {"objectClass", alarm.text("object_class")}};
    if (definition != nullptr) {
        more["probableCause"] = definition->cause;
        more["eventType"] = definition->event_type;
        more["proposedRepairActions"] = definition->repair;
    }
    return out;
}

json notification_of_alarm(const Cloud& cloud, const Document& alarm) {
    json out = view_of_alarm(cloud, alarm, 1);
    out.update(view_of_alarm(cloud, alarm, 2));
    out["globalCloudId"] = cloud.global_id;
    if (cloud.profile == Profile::interop) out["globalCloudID"] = cloud.global_id;
    out["notificationEventType"] = alarm.fields.value("event", 0);
    out["objectRef"] =
        cloud.service_uri + "/o2ims-infrastructureMonitoring/v1/alarms/" + alarm.id.to_string();
    return out;
}

}  // namespace rouse::o2ims
