#pragma once
// Kinds of documents, and what happened to one of them. The feed of changes is in changes.hpp.

#include "mgmt/store/id.hpp"

#include <cstddef>
#include <cstdint>

namespace rouse::store {

// Kinds of documents. The numbers are stored in keys: append, never change or use again.
enum class Kind : std::uint8_t {
    cluster = 1,
    machine = 2,
    ip_pool = 3,
    boot_profile = 4,
    image = 5,
    user = 6,
    boot_token = 7,
    setting = 8,
    timeline = 9,  // no document: what happened to the machine with that Id, see mgmt/events
    resource_metrics = 10,
    worker = 16,
    enrolment = 17,
    worker_lease = 18,
    oauth_client = 20,
    audit = 21,
    provisioning_request = 22,
    alarm = 23,
    subscription = 24,
    measurement_job = 25,
};
inline constexpr std::size_t kKinds = 26;

// Secrets' hashes, and the log of who did what: no API, live stream or other appliance is told of these
// documents, not even that they changed.
[[nodiscard]] constexpr bool is_internal(Kind kind) noexcept {
    return kind == Kind::user || kind == Kind::boot_token || kind == Kind::enrolment ||
           kind == Kind::oauth_client || kind == Kind::audit;
}

struct Change {
    enum class What : std::uint8_t { created = 1, updated = 2, deleted = 3 };  // stored

    std::uint64_t sequence = 0;  // from 1, over all kinds; a later change has a greater one
    std::uint64_t time_ns = 0;   // CLOCK_REALTIME
    Kind kind{};
    What what{};
    Id id;
    std::uint64_t revision = 0;  // of the document after it; 0: there is none
    Id former_cluster;           // where a machine stood before the change; all zero: nowhere, or no machine
    // A timeline's new entries; 0 when read from the feed, which keeps no more than that it grew.
    std::uint64_t first_entry = 0;
    std::uint64_t last_entry = 0;

    friend bool operator==(const Change&, const Change&) noexcept = default;
};

}  // namespace rouse::store
