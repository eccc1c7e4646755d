#include "mgmt/o2ims/inventory/inventory_schemas.hpp"

namespace rouse::o2ims {

using http::Schema;

namespace {

http::Field extensions() {
    return http::any("extensions", "what the standard has no attribute for");
}

const Schema& element_schema() {
    static const Schema schema("ResourceElement", "A part of a server",
                               {http::uuid("resourceId", "identifies the part").required(),
                                http::uuid("resourcePoolId", "the pool of its server").required(),
                                http::uuid("resourceTypeId", "what it is").required(),
                                http::string("description", "for people").required(),
                                http::string("globalAssetId", "its serial number, if it is known"),
                                http::any("elements", "always empty: parts of parts are not told"),
                                http::array(http::string("tags", "always empty")),
                                http::array(http::string("groups", "always empty")), extensions()});
    return schema;
}

}  // namespace

const Schema& cloud_info_schema() {
    static const Schema schema(
        "CloudInfo", "This O-Cloud",
        {http::uuid("oCloudId", "identifies it").required(),
         http::uuid("globalCloudId", "assigned by the SMO").required(),
         http::uuid("globalcloudId", "the same, as some clients spell it"),
         http::string("name", "for people").required(), http::string("description", "for people").required(),
         http::string("serviceUri", "the root of its API").required(), extensions()});
    return schema;
}

const Schema& resource_type_schema() {
    static const Schema schema(
        "ResourceTypeInfo", "A kind of server, or of its parts",
        {http::uuid("resourceTypeId", "identifies it").required(),
         http::string("name", "for people").required(), http::string("description", "for people").required(),
         http::string("vendor", "who makes it").required(),
         http::string("model", "what the vendor calls it").required(),
         http::string("version", "of the model").required(),
         http::choice("resourceKind", "whether one can touch it", {"UNDEFINED", "PHYSICAL", "LOGICAL"})
             .required(),
         http::choice("resourceClass", "what it is for", {"UNDEFINED", "COMPUTE", "NETWORKING", "STORAGE"})
             .required(),
         http::uuid("alarmDictionaryId", "the alarms that it may raise"),
         http::uuid("performanceDictionaryId", "what is measured of it"),
         http::any("alarmDictionary", "the same, whole; only with all_fields"), extensions()});
    return schema;
}

const Schema& resource_pool_schema() {
    static const Schema schema(
        "ResourcePoolInfo", "Servers that belong together: a cluster, or those of none",
        {http::uuid("resourcePoolId", "identifies it").required(),
         http::string("name", "for people").required(), http::string("description", "for people").required(),
         http::uuid("oCloudSiteId", "where it stands").required(),
         http::uuid("oCloudId", "the O-Cloud it is of").required(),
         http::uuid("globalLocationId", "where its site stands").required(),
         http::string("location", "for people"), extensions()});
    return schema;
}

const Schema& resource_schema() {
    static const Schema schema(
        "ResourceInfo", "A server",
        {http::uuid("resourceId", "identifies it, from its first packet on").required(),
         http::uuid("resourcePoolId", "the pool it is in").required(),
         http::uuid("resourceTypeId", "what it is").required(),
         http::string("description", "for people").required(),
         http::string("globalAssetId", "its serial number, if it is known"),
         http::array(http::object("elements", "its parts", element_schema())).items(0, 4096),
         http::array(http::string("tags", "its role, and whether it is registered")),
         http::array(http::string("groups", "names of its cluster and boot profile")), extensions()});
    return schema;
}

const Schema& location_schema() {
    static const Schema schema(
        "LocationInfo", "Where sites stand",
        {http::uuid("globalLocationId", "identifies it").required(),
         http::string("name", "for people").required(), http::string("description", "for people").required(),
         http::array(http::uuid("oCloudSiteIds", "the sites there")),
         http::any("coordinate", "a GeoJSON point"), http::any("civicAddress", "by its parts"),
         http::string("address", "for people"), extensions()});
    return schema;
}

const Schema& site_schema() {
    static const Schema schema(
        "OCloudSiteInfo", "Where an appliance and its racks stand",
        {http::uuid("oCloudSiteId", "identifies it").required(),
         http::uuid("globalLocationId", "where it stands").required(),
         http::string("name", "for people").required(), http::string("description", "for people").required(),
         http::array(http::uuid("resourcePools", "the pools there")).items(0, 100'000).required(),
         extensions()});
    return schema;
}

const Schema& deployment_manager_schema() {
    static const Schema schema(
        "DeploymentManagerInfo", "What manages deployments on a cluster",
        {http::uuid("deploymentManagerId", "identifies it").required(),
         http::string("name", "for people").required(), http::string("description", "for people").required(),
         http::uuid("oCloudId", "the O-Cloud it is of").required(),
         http::string("serviceUri", "where it is").required(),
         http::array(http::uuid("supportedLocations", "where it deploys")).required(),
         http::any("capabilities", "what it can do").required(),
         http::any("capacity", "how much of it").required(), extensions()});
    return schema;
}

}  // namespace rouse::o2ims
