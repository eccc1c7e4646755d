#include "mgmt/o2ims/performance/performance_schemas.hpp"

#include "mgmt/o2ims/performance/collector.hpp"
#include "mgmt/o2ims/performance/measurement_job.hpp"
#include "mgmt/o2ims/performance/measurements.hpp"

#include <string>
#include <vector>

namespace rouse::o2ims {

using http::Schema;

namespace {

constexpr std::int64_t kLongestInterval = 86'400;
constexpr std::int64_t kLongestRetention = 30;  // days

std::vector<std::string> names_of_measurements() {
    std::vector<std::string> out;
    for (const Measurement& one : measurements()) out.emplace_back(one.id);
    return out;
}

std::vector<std::string> job_words(std::span<const std::string_view> list) {
    return {list.begin(), list.end()};
}

http::Field more() {
    return http::any("extensions", "what the standard has no attribute for");
}

const Schema& scope_schema() {
    static const Schema schema(
        "ResourceScopeCriteria", "Which resources are measured: those that satisfy each list that is there",
        {http::array(http::uuid("resourceTypeIds", "of one of these types")).items(1, 1000),
         http::array(http::uuid("resourceIds", "one of these; the O-Cloud's own id is the appliance"))
             .items(1, 1000),
         http::array(http::uuid("resourcePoolIds", "in one of these pools")).items(1, 1000)});
    return schema;
}

const Schema& selection_schema() {
    static const Schema schema(
        "MeasurementSelectionCriteria", "What is measured of them",
        {http::array(http::choice("performanceMeasurementDefinitionIds", "as the dictionaries name it",
                                  names_of_measurements()))
             .items(1, 1000)
             .required()});
    return schema;
}

std::vector<http::Field> followed(http::Field what) {
    return {http::uuid("resourceTypeId", "of what type").required(), std::move(what).required(),
            http::array(http::timestamp("timeAdded", "when it began to be measured; the last eight times"))
                .required(),
            http::array(http::timestamp("timeDeleted", "when that ended; likewise")).required(),
            http::boolean("isCurrentlyMeasured", "whether it is now").required()};
}

const Schema& measured_resource_schema() {
    static const Schema schema("MeasuredResource", "A resource that a job measures or measured",
                               followed(http::uuid("resourceId", "which")));
    return schema;
}

const Schema& collected_measurement_schema() {
    static const Schema schema(
        "CollectedMeasurement", "What a job collects or collected of a type",
        followed(http::string("performanceMeasurementDefinitionId", "which measurement")));
    return schema;
}

const Schema& definition_schema() {
    static const Schema schema(
        "PerformanceMeasurementDefinition", "Something that is measured",
        {http::string("performanceMeasurementDefinitionId", "by which jobs and results name it").required(),
         http::string("performanceMeasurementId", "its name").required(),
         http::string("standardReference", "of which standard it is").required(),
         http::array(http::string("supportedInterfaces", "by which it can be had")),
         http::any("measurementDefinition",
                   "description, unit, collectionMethod (CC: it only grows, SI: it "
                   "is as found) and where it is read"),
         more()});
    return schema;
}

const Schema& value_schema() {
    static const Schema schema(
        "MeasuredValue", "One figure",
        {http::string("performanceMeasurementDefinitionId", "of which measurement").required(),
         http::number("value", "in its unit").required(), http::string("unit", "of the value").required()});
    return schema;
}

std::vector<http::Field> request_fields() {
    return {
        http::string("consumerPerformanceJobId", "what the SMO calls the job").length(0, 255),
        http::integer("collectionInterval", "seconds from one collection to the next")
            .range(1, kLongestInterval)
            .required(),
        http::object("resourceScopeCriteria", "which resources are measured; left out: all", scope_schema()),
        http::object("measurementSelectionCriteria", "what is measured", selection_schema()).required(),
        more()};
}

}  // namespace

const Schema& dictionary_schema() {
    static const Schema schema(
        "PerformanceDictionary", "What is measured of a sort of resource",
        {http::uuid("performanceDictionaryId", "identifies it").required(),
         http::string("performanceDictionaryVersion", "of what stands in it").required(),
         http::string("performanceDictionarySchemaVersion", "of its form").required(),
         http::string("vendorSoftwareProduct", "what measures").required(),
         http::array(http::string("supportedInterfaces", "by which measurements can be had")).required(),
         http::array(http::object("supportedMeasurements", "each of them", definition_schema())).required(),
         more()});
    return schema;
}

const Schema& job_request_schema() {
    static const Schema schema("MeasurementJobRequest", "What is to be measured", request_fields());
    return schema;
}

const Schema& job_schema() {
    static const Schema schema = [] {
        std::vector<http::Field> fields{
            http::uuid("performanceMeasurementJobId", "identifies it").required(),
            http::choice("state", "whether it collects", job_words(kJobStates)).required(),
            http::choice("status", "how it does", job_words(kJobStatuses)).required(),
            http::boolean("preinstalledJob", "the appliance's own: it can be suspended, not deleted")
                .required(),
            http::array(http::uuid("qualifiedResourceTypes", "types that it measures now")),
            http::array(
                http::object("measuredResources", "since the appliance started", measured_resource_schema()))
                .items(0, 100'000),
            http::array(http::object("collectedMeasurements", "since the appliance started",
                                     collected_measurement_schema()))
                .items(0, 100'000)};
        for (auto& field : request_fields()) fields.push_back(std::move(field));
        return Schema("MeasurementJob", "A measurement job and how it does", std::move(fields));
    }();
    return schema;
}

const Schema& result_schema() {
    static const Schema schema(
        "MeasurementResult", "What was measured of a resource at one time",
        {http::uuid("resultId", "identifies it; a later one has a greater id").required(),
         http::uuid("performanceMeasurementJobId", "whose it is").required(),
         http::uuid("resourceId", "of what").required(),
         http::uuid("resourceTypeId", "of what type that is").required(),
         http::timestamp("collectionTime", "when").required(),
         http::array(http::object("values", "each figure that could be had", value_schema())).required()});
    return schema;
}

const Schema& performance_configuration_schema() {
    static const Schema schema("PerformanceServiceConfiguration", "How long results are kept",
                               {http::integer("retentionPeriod", "days, while the appliance runs")
                                    .range(1, kLongestRetention)
                                    .required(),
                                more()});
    return schema;
}

}  // namespace rouse::o2ims
