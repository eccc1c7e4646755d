#include "mgmt/o2ims/query/spelling.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace rouse::o2ims {
namespace {

constexpr auto kServices = std::to_array<std::string_view>(
    {"infrastructureInventory", "infrastructureMonitoring", "infrastructureProvisioning",
     "infrastructurePerformance", "infrastructureArtifacts", "infrastructureCluster"});

// Whose a resource is, for paths that name no service.
constexpr auto kOwners = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"resourceTypes", "infrastructureInventory"},
     {"resourcePools", "infrastructureInventory"},
     {"resources", "infrastructureInventory"},
     {"deploymentManagers", "infrastructureInventory"},
     {"subscriptions", "infrastructureInventory"},
     {"locations", "infrastructureInventory"},
     {"oCloudSites", "infrastructureInventory"},
     {"oCloudInfrastructure", "infrastructureInventory"},
     {"alarms", "infrastructureMonitoring"},
     {"alarmSubscriptions", "infrastructureMonitoring"},
     {"provisioningRequests", "infrastructureProvisioning"},
     {"measurementJobs", "infrastructurePerformance"}});

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

bool is_version(std::string_view text) {
    return text == "v1" || text == "v2";
}

// Without empty segments: some clients double their slashes.
std::vector<std::string_view> segments_of(std::string_view path) {
    std::vector<std::string_view> out;
    while (!path.empty()) {
        const auto segment = path.substr(0, path.find('/'));
        if (!segment.empty()) out.push_back(segment);
        path.remove_prefix(std::min(segment.size() + 1, path.size()));
    }
    return out;
}

// "o2ims-infrastructureInventory" in any spelling; empty: it names no service.
std::string_view service_of(std::string_view segment) {
    constexpr std::string_view kPrefix = "o2ims";
    if (segment.size() <= kPrefix.size() || !equal_ignoring_case(segment.substr(0, kPrefix.size()), kPrefix))
        return {};
    const char separator = segment[kPrefix.size()];
    if (separator != '-' && separator != '_') return {};
    const auto name = segment.substr(kPrefix.size() + 1);
    const auto known = std::find_if(kServices.begin(), kServices.end(),
                                    [name](std::string_view one) { return equal_ignoring_case(one, name); });
    return known == kServices.end() ? std::string_view{} : *known;
}

std::string joined(std::string_view service, const std::vector<std::string_view>& rest, std::size_t from) {
    std::string out = "/o2ims-" + std::string(service);
    for (std::size_t i = from; i < rest.size(); ++i) out.append("/").append(rest[i]);
    return out;
}

}  // namespace

std::optional<std::string> canonical_path(std::string_view path) {
    const auto segments = segments_of(path);
    if (segments.empty()) return std::nullopt;
    if (const auto service = service_of(segments[0]); !service.empty()) return joined(service, segments, 1);
    if (!equal_ignoring_case(segments[0], "o2ims")) return std::nullopt;
    // "/o2ims/v1/resource…", "/o2ims/api/v1/resource…".
    const std::size_t version = segments.size() > 1 && segments[1] == "api" ? 2 : 1;
    if (segments.size() < version + 2 || !is_version(segments[version])) return std::nullopt;
    const auto resource = segments[version + 1];
    const auto owner = std::find_if(kOwners.begin(), kOwners.end(),
                                    [resource](const auto& one) { return one.first == resource; });
    if (owner == kOwners.end()) return std::nullopt;
    if (resource == "oCloudInfrastructure")
        return "/o2ims-" + std::string(owner->second) + "/" + std::string(segments[version]);
    return joined(owner->second, segments, version);
}

std::string spelled_base(std::string_view path) {
    std::string out;
    for (const auto segment : segments_of(path)) {
        out.append("/").append(segment);
        if (is_version(segment)) break;
    }
    return out;
}

}  // namespace rouse::o2ims
