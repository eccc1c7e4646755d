#include "mgmt/o2ims/monitoring/alarm_schemas.hpp"

#include "mgmt/o2ims/monitoring/alarm_records.hpp"

#include <initializer_list>
#include <utility>
#include <vector>

namespace rouse::o2ims {

using http::Field;
using http::Schema;

namespace {

constexpr std::int64_t kLongestRetention = 3650;

Field severity() {
    return http::integer("perceivedSeverity",
                         "0 critical, 1 major, 2 minor, 3 warning, 4 indeterminate, 5 cleared")
        .range(0, 5);
}

std::vector<Field> record_fields(unsigned major) {
    std::vector<Field> out{
        http::uuid("alarmEventRecordId", "identifies it").required(),
        http::timestamp("alarmRaisedTime", "when it was raised").required(),
        http::timestamp("alarmChangedTime", "when it last changed; left out: not yet"),
        http::timestamp("alarmClearedTime", "when it was cleared; left out: not yet"),
        http::timestamp("alarmAcknowledgeTime", "when it was acknowledged; left out: not yet"),
        http::boolean("alarmAcknowledged", "whether somebody has seen to it").required(),
        severity().required()};
    struct Id {
        const char *second, *first, *other;
        const char* description;
    };
    for (const auto& id :
         {Id{"objectTypeId", "resourceTypeID", "resourceTypeId", "what kind of thing it is about"},
          Id{"objectId", "resourceID", "resourceId", "what it is about"},
          Id{"alarmDefinitionId", "alarmDefinitionID", "alarmDefinitionId",
             "its definition, in an alarm dictionary"},
          Id{"probableCauseId", "probableCauseID", "probableCauseId", "why, most likely"}}) {
        out.push_back(http::uuid(major > 1 ? id.second : id.first, id.description).required());
        if (major == 1) out.push_back(http::uuid(id.other, "the same, as some clients spell it"));
    }
    if (major > 1) out.push_back(http::string("objectClass", "the class of what it is about").required());
    if (major == 1)
        out.push_back(
            http::timestamp("alarmAcknowledgedTime", "alarmAcknowledgeTime, as some clients spell it"));
    out.push_back(http::any("extensions",
                            "alarmName, text (what is wrong), probableCause, eventType, "
                            "proposedRepairActions"));
    return out;
}

const Schema& purge_conditions_schema() {
    static const Schema schema("PurgeConditions", "When they were cleared",
                               {http::timestamp("startWindowTime", "then or later"),
                                http::timestamp("endWindowTime", "then or before").required()});
    return schema;
}

const Schema& definition_schema() {
    static const Schema schema(
        "AlarmDefinition", "An alarm that there may be",
        {http::uuid("alarmDefinitionId", "identifies it").required(),
         http::string("alarmName", "for people").required(),
         http::string("alarmLastChange", "the dictionary's version in which it changed last").required(),
         http::string("alarmChangeType", "what that change was").required(),
         http::string("alarmDescription", "for people").required(),
         http::string("proposedRepairActions", "what to do").required(),
         http::string("clearingType", "whether it is cleared by itself or by somebody").required(),
         http::array(http::string("managementInterfaceId", "where it is told")),
         http::array(http::string("pkNotificationField", "what identifies it in notifications")),
         http::any("alarmAdditionalFields", "its severity, probable cause and event type")});
    return schema;
}

const Schema& cause_schema() {
    static const Schema schema("ProbableCause", "Why an alarm may be",
                               {http::string("probableCauseCode", "as the standard has it").required(),
                                http::string("probableCauseDescription", "for people").required(),
                                http::any("standardReference", "where the code comes from")});
    return schema;
}

}  // namespace

const Schema& alarm_schema(unsigned major) {
    static const Schema first("AlarmEventRecordV1", "An alarm, by the names of version 1", record_fields(1));
    static const Schema second("AlarmEventRecord", "An alarm", record_fields(2));
    return major > 1 ? second : first;
}

const Schema& alarm_modifications_schema() {
    static const Schema schema("AlarmEventRecordModifications", "What to do with an alarm: one of the two",
                               {http::boolean("alarmAcknowledged", "true: somebody sees to it"), severity()});
    return schema;
}

const Schema& alarm_configuration_schema() {
    static const Schema schema("AlarmServiceConfiguration", "How alarms are kept",
                               {http::integer("retentionPeriod", "days for which cleared ones are kept")
                                    .range(1, kLongestRetention)
                                    .required(),
                                http::any("extensions", "kept as it is")});
    return schema;
}

const Schema& purge_schema() {
    static const Schema schema(
        "PurgeRequest", "Which alarms to forget, of the cleared and acknowledged ones; both: what fits both",
        {http::array(http::uuid("alarmRecordId", "these")).items(1, kMostAlarms),
         http::object("purgeConditions", "those cleared at a time", purge_conditions_schema())});
    return schema;
}

const Schema& task_schema() {
    static const Schema schema(
        "TaskOperationInfo", "Something that takes its time",
        {http::uuid("id", "identifies it").required(),
         http::choice("operationState", "how far it is", {"PROCESSING", "COMPLETED", "FAILED", "ROLLED_BACK"})
             .required(),
         http::timestamp("stateEnteredTime", "since when").required(),
         http::timestamp("startTime", "when it began").required(),
         http::choice("operation", "what it does", {"PURGE"}).required(),
         http::any("operationParams", "what was asked for"), http::any("error", "why it failed")});
    return schema;
}

const Schema& alarm_dictionary_schema() {
    static const Schema schema(
        "AlarmDictionary", "The alarms that a kind of thing may raise",
        {http::uuid("alarmDictionaryId", "identifies it").required(),
         http::string("alarmDictionaryVersion", "of its contents").required(),
         http::string("alarmDictionarySchemaVersion", "of its form").required(),
         http::string("entityType", "what raises them").required(),
         http::string("vendor", "who made it").required(),
         http::array(http::string("managementInterfaceId", "where they are told")).required(),
         http::array(http::string("pkNotificationField", "what identifies one in notifications")).required(),
         http::array(http::object("alarmDefinition", "the alarms", definition_schema())),
         http::array(http::object("probableCauses", "why they may be", cause_schema())).required()});
    return schema;
}

}  // namespace rouse::o2ims
