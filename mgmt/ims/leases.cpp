// /api/leases/: the lease records, as the dataplane sees them.

#include "mgmt/http/schema.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <cstring>

#include <nlohmann/json.hpp>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): records and how they are read
using nlohmann::json;

namespace {

constexpr auto kStates =
    std::to_array<const char*>({"", "reserved", "active", "expired", "released", "abandoned"});

const http::Schema& lease_schema() {
    static const http::Schema schema(
        "Lease", "An address that is promised to a machine",
        {http::string("id", "the address").read_only(), http::ipv4("ip_address", "the address").read_only(),
         http::mac("mac_address", "whose it is").read_only(),
         http::string("hostname", "the registered machine's; null for others").read_only(),
         http::uuid("machine", "the registered machine; null for others").read_only(),
         http::choice("binding_state", "reserved: planned for a registered machine",
                      {"reserved", "active", "expired", "released", "abandoned"})
             .read_only(),
         http::timestamp("lease_end", "null: does not end").read_only()});
    return schema;
}

Result<json> describe(const View& view, Ipv4Address address, const LeaseRecord& lease) {
    json out = {{"id", address.to_string()},
                {"ip_address", address.to_string()},
                {"mac_address", lease.mac.to_string()},
                {"hostname", nullptr},
                {"machine", nullptr},
                {"binding_state", kStates[static_cast<std::size_t>(lease.state)]},
                {"lease_end", nullptr}};
    if (lease.expires_unix != 0) out["lease_end"] = to_timestamp(lease.expires_unix * kNanosPerSecond);
    const auto host = view.record<HostRecord>(view.tables().hosts, bytes_of(lease.mac));
    if (!host) return tl::unexpected(host.error());
    if (*host) {
        out["hostname"] = (*host)->hostname.view();
        out["machine"] = std::string((*host)->machine_id.data(), (*host)->machine_id.size());
    }
    return out;
}

http::Outcome list(const Services& services) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    json out = json::array();
    Result<void> trouble;
    const auto scanned = scan(snapshot->txn(), snapshot->tables().leases, {}, [&](Bytes key, Bytes value) {
        Ipv4Address address;
        const auto lease = decode<LeaseRecord>(value);
        if (key.size() != sizeof address || !lease) return true;
        std::memcpy(&address, key.data(), sizeof address);
        auto one = describe(*snapshot, address, *lease);
        if (!one) trouble = tl::unexpected(one.error());
        if (one) out.push_back(std::move(*one));
        return one.has_value();
    });
    if (!scanned) return refused(scanned.error());
    if (!trouble) return refused(trouble.error());
    return http::Response::json(out);
}

}  // namespace

void add_leases(http::Router& router, const Services& services) {
    router.add({.method = http::Method::get,
                .pattern = "/api/leases/",
                .tag = "Leases",
                .summary = "List: each lease",
                .response = &lease_schema(),
                .response_is_list = true},
               [services](http::Request&) { return list(services); });
}

}  // namespace rouse::ims
