#pragma once
// A measurement job and what becomes of it (O2IMS 1.7). Pure: documents, readings and time are arguments;
// collector.hpp keeps what comes out.
//
//   ACTIVE  <--resume-- / --suspend-->  SUSPENDED --DELETE--> gone
//   ACTIVE is RUNNING, DEGRADED (of a resource nothing could be measured), FAILED (nothing could be read);
//   SUSPENDED is IDLE. No job becomes DEPRECATED here: no measurement was ever taken back.

#include "mgmt/o2ims/measurements.hpp"
#include "mgmt/store/documents.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

inline constexpr auto kJobStates = std::to_array<std::string_view>({"ACTIVE", "SUSPENDED", "DEPRECATED"});
enum class JobStatus : std::uint8_t { running, degraded, failed, idle };
inline constexpr auto kJobStatuses =
    std::to_array<std::string_view>({"RUNNING", "DEGRADED", "FAILED", "IDLE", "PENDING_DELETE"});

// A resource and what can be said of it now: the value of each row of measurements(), in their order.
struct Reading {
    std::string resource;  // resourceId
    std::string type;      // resourceTypeId
    std::string pool;      // resourcePoolId; empty: the appliance
    MeasuredOf of = MeasuredOf::server;
    std::vector<std::optional<double>> values;
};

// READING's values, by the table.
[[nodiscard]] std::vector<std::optional<double>> read_all(MeasuredOf of, const Facts& facts);

// What a job's document asks for: "data" (MeasurementJobRequest), "state", "_preinstalled".
struct Job {
    store::Id id;
    bool is_active = true;
    std::uint64_t interval_ns = 0;
    std::set<std::string> types, resources, pools;  // each: empty means any
    std::vector<std::size_t> measured;              // rows of measurements(), ascending

    [[nodiscard]] static Job of(const store::Document& document);
    [[nodiscard]] bool covers(const Reading& reading) const;
};

// What was measured of one resource at one time.
struct Measured {
    store::Id id;  // ascending in the order of collection
    std::string resource;
    std::string type;
    std::vector<std::pair<std::size_t, double>> values;  // row of measurements(), value
};

// One turn of a job.
struct Collection {
    std::uint64_t time_ns = 0;  // CLOCK_REALTIME
    JobStatus status = JobStatus::running;
    std::vector<Measured> results;
};
[[nodiscard]] Collection collect(const Job& job, std::span<const Reading> readings, std::uint64_t now_ns);

// Whether JOB, which last collected at LAST_NS (0: never), is to do so at NOW.
[[nodiscard]] bool is_due(const Job& job, std::uint64_t last_ns, std::uint64_t now_ns) noexcept;

// Since when, and until when, things are measured: of pairs of a type's id and of what is measured of it.
class Followed {
  public:
    using Key = std::pair<std::string, std::string>;
    static constexpr std::size_t kMaxTimes = 8;    // of one thing, the newest
    static constexpr std::size_t kMaxGone = 1000;  // things that are measured no more; then all are forgotten

    void follow(const std::set<Key>& measured, std::uint64_t now_ns);
    // [{"resourceTypeId", NAME, "timeAdded", "timeDeleted", "isCurrentlyMeasured"}]
    [[nodiscard]] nlohmann::json describe(const char* name) const;
    [[nodiscard]] std::set<std::string> types() const;  // of what is measured now

  private:
    struct Times {
        std::vector<std::string> added, deleted;
        bool is_measured = false;
    };
    std::map<Key, Times> all_;
};

// A result as it is served and handed on: MeasurementResult.
[[nodiscard]] nlohmann::json view_of(const store::Id& job, const Collection& collection,
                                     const Measured& result);
// What a subscriber is told of RESULTS, which are some of COLLECTION's, of JOB.
[[nodiscard]] nlohmann::json notification_of(const store::Document& job, const Collection& collection,
                                             std::span<const Measured> results);

}  // namespace rouse::o2ims
