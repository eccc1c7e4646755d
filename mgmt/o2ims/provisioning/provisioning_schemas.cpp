#include "mgmt/o2ims/provisioning/provisioning_schemas.hpp"

#include "mgmt/o2ims/provisioning/provisioning.hpp"

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

using http::Schema;

namespace {

constexpr std::size_t kMaxServers = 1000;
constexpr std::int64_t kWeek = 7 * 86'400;

std::vector<std::string> words(std::span<const std::string_view> list) {
    return {list.begin(), list.end()};
}

const Schema& server_parameters_schema() {
    static const Schema schema(
        "ServerParameters", "A server that is wanted",
        {http::string("hostname", "its name").length(1, 100).required(),
         http::uuid("resourceId",
                    "which one, as the inventory has it; left out, and mac too: any that is free"),
         http::mac("mac", "which one, by its hardware address; it need not be known yet"),
         http::ipv4("ip", "its address; planned from a pool when left out"),
         http::choice("role", "what it is for", {"MASTER", "WORKER", "STORAGE", "GATEWAY"})});
    return schema;
}

const Schema& server_status_schema() {
    static const Schema schema(
        "ResourceProvisioningStatus", "How one server does",
        {http::string("resourceName", "its name").required(),
         http::string("resourceId", "as the inventory has it; empty while none is found").required(),
         http::choice("resourceProvisioningPhase", "how far it is", words(kServerPhases)).required()});
    return schema;
}

const Schema& status_schema() {
    static const Schema schema("ProvisioningStatus", "How the request does",
                               {http::timestamp("updateTime", "when it last changed").required(),
                                http::string("message", "one sentence for people").required(),
                                http::choice("provisioningPhase", "how far it is", words(kPhases)).required(),
                                http::array(http::object("infrastructureResourceProvisioningStatus",
                                                         "each server", server_status_schema()))});
    return schema;
}

const Schema& resource_set_schema() {
    static const Schema schema(
        "ProvisionedResourceSet", "What the request has made",
        {http::string("nodeClusterId", "always empty: no cluster is made"),
         http::array(http::uuid("infrastructureResourceIds", "the servers that are provisioned"))});
    return schema;
}

}  // namespace

const Schema& parameters_schema() {
    static const Schema schema(
        "TemplateParameters", "Which servers are to boot what the template is of",
        {http::uuid("resourcePoolId", "the pool (cluster) that they are put into; left out: none"),
         http::array(http::object("servers", "the servers", server_parameters_schema()))
             .items(1, kMaxServers)
             .required(),
         http::integer("powerOnSeconds", "until each is found and heard of").range(1, kWeek).default_to(1800),
         http::integer("totalSeconds", "until all are provisioned").range(1, kWeek).default_to(7200),
         http::integer("boots", "that each may try").range(1, 100).default_to(3)});
    return schema;
}

const Schema& request_data_schema() {
    static const Schema schema(
        "ProvisioningRequestData", "What is wanted",
        {http::uuid("provisioningRequestId", "chosen by the SMO").required(),
         http::string("name", "for people").length(1, 255).required(),
         http::string("description", "for people").length(0, 4096).multiline().required(),
         http::string("templateName", "of a template: a boot profile").length(1, 100).required(),
         http::string("templateVersion", "of the template").length(1, 100).required(),
         http::any("templateParameters", "as the template's parameterSchema asks for them")});
    return schema;
}

const Schema& request_schema() {
    static const Schema schema(
        "ProvisioningRequestInfo", "A provisioning request and how it does",
        {http::uuid("provisioningRequestReference", "our own id of it").required(),
         http::object("provisioningRequestData", "what was wanted", request_data_schema()).required(),
         http::object("status", "how it does", status_schema()).required(),
         http::object("provisionedResourceSet", "what it has made", resource_set_schema())});
    return schema;
}

const Schema& template_schema() {
    static const Schema schema(
        "ManagedInfrastructureTemplate", "What a provisioning request may ask for: a boot profile",
        {http::uuid("artifactResourceId", "identifies it, as the boot profile").required(),
         http::string("name", "for people").required(), http::string("version", "of the template").required(),
         http::string("description", "for people").required(),
         http::any("parameterSchema", "JSON Schema of templateParameters").required(),
         http::any("characteristics", "more of it"), http::any("extensions", "more of it")});
    return schema;
}

}  // namespace rouse::o2ims
