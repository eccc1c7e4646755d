#pragma once
// IP pools: the addresses of one rack network, as documents and as the NetworkRecords that the dataplane
// reads.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "shared/addresses.hpp"
#include "shared/store/records.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::boot {

// For how long an address is set aside that a machine found in use: as Kea (decline-probation-period) and
// ISC dhcpd (abandon-lease-time) do.
inline constexpr std::uint32_t kQuarantineSeconds = 86'400;

// An ip-pool's document as the plan works with it.
struct Pool {
    store::Id id;
    store::NetworkRecord network;  // kProxy as the document says; project_pool() knows the rest
    std::string cluster;           // id; empty: for every machine
    std::string boot_profile;      // name; empty: none
    std::uint32_t quarantine_seconds = kQuarantineSeconds;
    std::uint32_t guest_limit = 0;  // addresses that guests, and what they declined, may take

    [[nodiscard]] static Result<Pool> of(const store::Document& document);
    // Whether the address is one that no machine may have: network, broadcast, gateway, an
    // appliance's.
    [[nodiscard]] bool is_special(const Appliance& appliance, Ipv4Address address) const;
    [[nodiscard]] bool is_in_range(Ipv4Address address) const noexcept {
        return network.range_start <= address && address <= network.range_end;
    }
    // Addresses of the range that machines may have.
    [[nodiscard]] std::uint32_t capacity(const Appliance& appliance) const noexcept;
};

// All pools in order of creation: there are few, one per rack network.
[[nodiscard]] Result<std::vector<Pool>> all_pools(const store::View& view);

// Checks a pool's fields against each other and against the other pools, and fills in a range that was left
// out (every host address). SELF: the pool that these fields are a new version of.
[[nodiscard]] Outcome<void> check_pool(const store::View& view, nlohmann::json& fields,
                                       std::optional<store::Id> self);

// The NetworkRecord of a pool.
[[nodiscard]] Outcome<void> project_pool(store::Batch& batch, const store::Document& pool);
// Deletes a pool and its records, its guests' leases among them; no machine may have an address of it.
[[nodiscard]] Outcome<void> remove_pool(store::Batch& batch, const store::Document& pool);

}  // namespace rouse::boot
