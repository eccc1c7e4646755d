#pragma once
// Lets measurement jobs collect at their intervals, and keeps what they collected: in memory, within limits,
// until the retention period is over or the appliance ends. Jobs themselves are documents and stay.

#include "mgmt/o2ims/measurement_job.hpp"
#include "mgmt/store/store.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

inline constexpr std::size_t kMaxJobs = 32;
inline constexpr std::size_t kMaxResultsOfJob = 20'000;  // the oldest collections go first
inline constexpr std::int64_t kResultRetentionDays = 1;
// The setting's document: performanceServiceConfiguration.
inline constexpr const char* kPerformanceSetting = "performance_service";
[[nodiscard]] Result<std::int64_t> retention_days(const store::View& view);

// Functions may be called from any thread.
class Collector {
  public:
    using TakeReadings = std::function<Result<std::vector<Reading>>()>;
    // New results, as they come: for whoever delivers them to subscribers. Called by turn(), without a lock.
    using HandOn = std::function<void(const store::Document& job, const Collection& collection)>;
    using Collections = std::vector<std::shared_ptr<const Collection>>;

    // STORE outlives this.
    Collector(store::Store& store, TakeReadings take_readings, HandOn hand_on = {})
        : store_(&store), take_readings_(std::move(take_readings)), hand_on_(std::move(hand_on)) {}

    // Collects for each job that is due, and forgets what is too old and whose job is gone. One at a time.
    Result<void> turn(std::uint64_t now_ns);

    struct State {
        JobStatus status = JobStatus::running;
        nlohmann::json qualified_types = nlohmann::json::array();
        nlohmann::json resources = nlohmann::json::array();     // MeasuredResource
        nlohmann::json measurements = nlohmann::json::array();  // CollectedMeasurement
    };
    [[nodiscard]] State state_of(const Job& job) const;
    // What there is of a job's, oldest first.
    [[nodiscard]] Collections results_of(const store::Id& job) const;

  private:
    struct Run {
        std::uint64_t last_ns = 0;
        JobStatus status = JobStatus::running;
        Followed resources, measurements;
        std::deque<std::shared_ptr<const Collection>> collections;
        std::size_t results = 0;  // in all collections together
    };

    void settle(const std::vector<Job>& jobs, std::uint64_t oldest_ns, std::uint64_t now_ns);
    [[nodiscard]] bool is_due_now(const Job& job, std::uint64_t now_ns) const;
    void fail(const Job& job, std::uint64_t now_ns);
    void keep(const Job& job, std::shared_ptr<const Collection> collection);
    static void forget_oldest(Run& run);

    store::Store* store_;
    TakeReadings take_readings_;
    HandOn hand_on_;
    mutable std::mutex mutex_;  // what follows
    std::map<store::Id, Run> runs_;
};

}  // namespace rouse::o2ims
