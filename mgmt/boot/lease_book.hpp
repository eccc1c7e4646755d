#pragma once
// Table `leases` and what is derived from it, kept in step in one transaction: which lease ends next, which
// free address has been free the longest, what address a machine had before, and how many there are of each
// sort. Nobody else writes these tables. No question here looks at more than a few records.

#include "mgmt/store/store.hpp"
#include "shared/addresses.hpp"
#include "shared/store/records.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace rouse::boot {

// How long an address that was given back, or whose lease ran out, goes to nobody but the machine that had
// it: the dataplane may have promised it once more just before it learnt, and the event that says so is in
// the ring by then.
inline constexpr std::uint64_t kReuseGraceSeconds = 10;

// Key of table `lease_times`.
struct LeaseTimeKey {
    enum class Kind : std::uint8_t {
        ends = 'e',  // offered, active and abandoned leases by their end; network 0
        free = 'f',  // expired and released ones by network and the time since when they are
    };
    Kind kind = Kind::ends;
    be32 network;
    be64 time_unix;
    Ipv4Address address;
};
static_assert(sizeof(LeaseTimeKey) == 17);

// Key of table `lease_former`: what address of a network a machine had before, while nobody else has it.
struct FormerKey {
    MacAddress mac;
    be32 network;
};
static_assert(sizeof(FormerKey) == 10);

struct LeaseCounts {
    std::uint16_t version = 1;
    std::uint16_t reserved = 0;
    std::uint32_t in_range = 0;  // taken addresses inside the network's range
    std::uint32_t guests = 0;    // taken addresses whose lease ends: guests', and those set aside
    std::array<std::uint32_t, store::kLeaseStates.size()> states{};  // by LeaseState - 1

    [[nodiscard]] std::uint32_t of(store::LeaseState state) const noexcept {
        return states[static_cast<std::size_t>(state) - 1];
    }
    [[nodiscard]] bool is_valid() const noexcept { return version == 1; }
};

[[nodiscard]] Result<std::optional<store::LeaseRecord>> find_lease(const store::View& view,
                                                                   Ipv4Address address);
Result<void> write_lease(store::Batch& batch, Ipv4Address address, const store::LeaseRecord& lease);
// As if it had never been. For leases of which no machine was told.
Result<void> erase_lease(store::Batch& batch, Ipv4Address address);
// Erases all leases of PREFIX, which was NETWORK's, with its guests' host records.
Result<void> erase_leases(store::Batch& batch, store::NetworkId network, const Ipv4Prefix& prefix);

// True when nobody is told that ADDRESS is theirs, and nobody may just have been.
[[nodiscard]] bool is_free(const std::optional<store::LeaseRecord>& lease, std::uint64_t now_unix) noexcept;

// The address that the machine had in NETWORK, if nobody else has it now. Expired and released leases are
// remembered by themselves; remember() is for one that still stands, though its machine is no more.
Result<void> remember(store::Batch& batch, const MacAddress& mac, store::NetworkId network,
                      Ipv4Address address);
[[nodiscard]] Result<std::optional<Ipv4Address>> former_address(const store::View& view,
                                                                const MacAddress& mac,
                                                                store::NetworkId network);
// The address of NETWORK that has been free the longest, of those that somebody had; nothing while they all
// may still be in use.
[[nodiscard]] Result<std::optional<Ipv4Address>> longest_free(const store::View& view,
                                                              store::NetworkId network,
                                                              std::uint64_t now_unix);
// Leases whose time is up, at most LIMIT of them, soonest first.
[[nodiscard]] Result<std::vector<Ipv4Address>> leases_due(const store::View& view, std::uint64_t now_unix,
                                                          std::size_t limit);

[[nodiscard]] Result<LeaseCounts> lease_counts(const store::View& view, store::NetworkId network);
// Counts NETWORK's leases anew, after its range changed.
Result<void> recount_leases(store::Batch& batch, const store::NetworkRecord& network);

}  // namespace rouse::boot
