#include "mgmt/o2ims/alarm_definitions.hpp"

#include "mgmt/o2ims/uuid.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace rouse::o2ims {

using nlohmann::json;

namespace {

constexpr const char* kDictionaryVersion = "1.0.0";
constexpr const char* kLastChange = "1.0.0";  // the dictionary's version in which a definition changed last

}  // namespace

const std::array<AlarmDefinition, kAlarmDefinitions> kAlarmTable{{
    {.name = "worker-lost",
     .severity = Severity::major,
     .cause = "NODE_DOWN",
     .event_type = "COMMUNICATIONS_ALARM",
     .raise_seconds = 10,
     .clear_seconds = 30,
     .description = "A worker has not been heard of for 30 seconds",
     .repair = "See whether the worker runs and reaches its centre; racks without a standby are not served"},
    {.name = "dataplane-not-polling",
     .severity = Severity::critical,
     .cause = "NIC_RECEIVE_FAILURE",
     .event_type = "PROCESSING_ERROR_ALARM",
     .raise_seconds = 10,
     .clear_seconds = 10,
     .description = "rouse-dataplane, or one of its workers, takes no packets: machines get no answer",
     .repair = "Read the log of rouse-dataplane and start it again"},
    {.name = "pool-exhausted",
     .severity = Severity::major,
     .cause = "NETWORK_OVERLOAD",
     .event_type = "QOS_ALARM",
     .clear_seconds = 30,
     .description = "An address pool has no free address (major), or less than a tenth (minor)",
     .repair = "Widen the pool's range, shorten its leases, or delete machines that are gone"},
    {.name = "image-missing",
     .severity = Severity::major,
     .cause = "STORAGE_CHECK",
     .event_type = "PROCESSING_ERROR_ALARM",
     .raise_seconds = 60,
     .description = "A boot profile names an image that is not there: its machines cannot boot",
     .repair = "Store the image, or take its name out of the boot profile"},
    {.name = "boot-failed",
     .subject = AlarmSubject::server,
     .severity = Severity::major,
     .cause = "NODE_DOWN",
     .event_type = "EQUIPMENT_ALARM",
     .description = "A server has failed to boot three times, and has not booted since",
     .repair = "Read the server's timeline: it names the stage and the reason"},
    {.name = "foreign-dhcp-server",
     .severity = Severity::major,
     .cause = "NETWORK_CONFIGURATION",
     .event_type = "OPERATIONAL_VIOLATION",
     .is_automatic = false,
     .description = "Another DHCP server answers machines of the rack",
     .repair = "Switch that server off, or set the pool's mode to proxy; then clear the alarm"},
    {.name = "certificate-expiring",
     .severity = Severity::minor,
     .cause = "CERTIFICATE_EXPIRATION",
     .event_type = "SECURITY_SERVICE_OR_MECHANISM VIOLATION",
     .description = "The API's certificate ends within 14 days (minor), within 2 (major), or has ended "
                    "(critical)",
     .repair = "Put a new certificate and its key in their places; they are taken by themselves"},
    {.name = "disk-filling",
     .severity = Severity::minor,
     .cause = "STORAGE_CAPACITY",
     .event_type = "EQUIPMENT_ALARM",
     .raise_seconds = 10,
     .clear_seconds = 30,
     .description = "Less than a tenth of the disk below store.state_dir is free (minor), or less than 256 "
                    "MiB (critical)",
     .repair = "Delete images that nobody needs, or enlarge the disk"},
}};

const AlarmDefinition* find_alarm(std::string_view name) noexcept {
    const auto found = std::ranges::find(kAlarmTable, name, &AlarmDefinition::name);
    return found == kAlarmTable.end() ? nullptr : &*found;
}

std::string alarm_definition_id(const Cloud& cloud, std::string_view name) {
    return named_id(cloud.id, "alarm-definition/" + std::string(name)).to_string();
}

std::string probable_cause_id(const Cloud& cloud, std::string_view code) {
    return named_id(cloud.id, "probable-cause/" + std::string(code)).to_string();
}

std::string alarm_dictionary_id(const Cloud& cloud, AlarmSubject subject) {
    return named_id(cloud.id,
                    "alarm-dictionary/" + std::string(kAlarmSubjects[static_cast<std::size_t>(subject)]))
        .to_string();
}

json alarm_dictionary(const Cloud& cloud, AlarmSubject subject) {
    const bool is_strict = cloud.profile == Profile::strict;  // its words are in small letters
    json definitions = json::array();
    json causes = json::array();
    std::set<std::string_view> listed;
    for (const auto& alarm : kAlarmTable) {
        if (alarm.subject != subject) continue;
        const char* clearing =
            alarm.is_automatic ? (is_strict ? "automatic" : "AUTOMATIC") : (is_strict ? "manual" : "MANUAL");
        definitions.push_back({{"alarmDefinitionId", alarm_definition_id(cloud, alarm.name)},
                               {"alarmName", alarm.name},
                               {"alarmLastChange", kLastChange},
                               {"alarmChangeType", is_strict ? "added" : "ADDED"},
                               {"alarmDescription", alarm.description},
                               {"proposedRepairActions", alarm.repair},
                               {"clearingType", clearing},
                               {"managementInterfaceId", {"O2IMS"}},
                               {"pkNotificationField", {"alarmDefinitionId"}},
                               {"alarmAdditionalFields",
                                {{"perceivedSeverity", static_cast<int>(alarm.severity)},
                                 {"probableCauseId", probable_cause_id(cloud, alarm.cause)},
                                 {"eventType", alarm.event_type}}}});
        if (listed.insert(alarm.cause).second)
            causes.push_back({{"probableCauseCode", alarm.cause},
                              {"probableCauseDescription", alarm.description},
                              {"standardReference",
                               {{"standardDefinitionOrganization", "O-RAN"},
                                {"standardSpecification", "O-RAN.WG6.O2IMS-INTERFACE"},
                                {"versionOrRelease", "R004-v10.00"}}}});
    }
    return {{"alarmDictionaryId", alarm_dictionary_id(cloud, subject)},
            {"alarmDictionaryVersion", kDictionaryVersion},
            {"alarmDictionarySchemaVersion", kDictionaryVersion},
            {"entityType", kAlarmSubjects[static_cast<std::size_t>(subject)]},
            {"vendor", "rouse"},
            {"managementInterfaceId", {"O2IMS"}},
            {"pkNotificationField", {"alarmDefinitionId"}},
            {"alarmDefinition", std::move(definitions)},
            {"probableCauses", std::move(causes)}};
}

}  // namespace rouse::o2ims
