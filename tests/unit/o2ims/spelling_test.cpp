#include "mgmt/o2ims/query/spelling.hpp"

#include "mgmt/o2ims/uuid.hpp"

#include <gtest/gtest.h>

namespace rouse::o2ims {
namespace {

TEST(O2imsSpelling, EveryOneFoundInTheWildIsUnderstood) {
    const std::pair<const char*, const char*> cases[] = {
        {"/o2ims-infrastructureInventory/v1/resourcePools",
         "/o2ims-infrastructureInventory/v1/resourcePools"},
        {"/O2ims_infrastructureInventory/v2", "/o2ims-infrastructureInventory/v2"},
        {"/O2ims-infrastructureInventory/v2/", "/o2ims-infrastructureInventory/v2"},
        {"/o2ims_infrastructureInventory/v1/resourcePools/a",
         "/o2ims-infrastructureInventory/v1/resourcePools/a"},
        {"//o2ims-infrastructureMonitoring//v1/alarms", "/o2ims-infrastructureMonitoring/v1/alarms"},
        {"/O2ims_infrastructureProvisioning/v1/provisioningRequests",
         "/o2ims-infrastructureProvisioning/v1/provisioningRequests"},
        {"/o2ims-infrastructureInventory/api_versions", "/o2ims-infrastructureInventory/api_versions"},
        {"/o2ims/v1/resources", "/o2ims-infrastructureInventory/v1/resources"},
        {"/o2ims/api/v1/resourcePools/x", "/o2ims-infrastructureInventory/v1/resourcePools/x"},
        {"/o2ims/v1/oCloudInfrastructure", "/o2ims-infrastructureInventory/v1"},
        {"/o2ims/v1/measurementJobs/j/results",
         "/o2ims-infrastructurePerformance/v1/measurementJobs/j/results"},
    };
    for (const auto& [path, canonical] : cases) EXPECT_EQ(canonical_path(path), canonical) << path;
}

TEST(O2imsSpelling, OtherPathsAreLeftAlone) {
    for (const char* path :
         {"/", "/api/machines/", "/o2ims", "/o2ims/v1", "/o2ims/v3/resources", "/o2imsx-a/v1",
          "/o2ims-infrastructureNothing/v1", "/o2ims+infrastructureInventory/v1", "/o2ims/v1/machines"})
        EXPECT_EQ(canonical_path(path), std::nullopt) << path;
}

TEST(O2imsSpelling, WhatIsSentBackIsInTheClientsOwn) {
    EXPECT_EQ(spelled_base("/O2ims_infrastructureInventory/v2/resourcePools"),
              "/O2ims_infrastructureInventory/v2");
    EXPECT_EQ(spelled_base("/o2ims/v1/resources"), "/o2ims/v1");
}

TEST(O2imsUuid, IsOfVersion5) {
    // RFC 9562 A.4: the name space DNS and www.example.com.
    const auto dns = store::Id::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    ASSERT_TRUE(dns);
    EXPECT_EQ(named_id(*dns, "www.example.com").to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

}  // namespace
}  // namespace rouse::o2ims
