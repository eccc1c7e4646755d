#pragma once
// What the centre has in memory of its workers: when each last beat, what it said of itself, and what it was
// told. Beats come fifty a second from five hundred workers; only what changes for good is written to the
// store (see coordinator.hpp).

#include "mgmt/store/store.hpp"
#include "mgmt/workers/assignment.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::workers {

struct Beat {
    std::uint64_t monotonic_ns = 0;
    std::uint64_t realtime_ns = 0;
    nlohmann::json services;  // {"dhcp": {"status", "last_error"}, "tftp": …}
    nlohmann::json metrics;

    // None of the services says that it failed.
    [[nodiscard]] bool services_run() const;
};

// Any thread.
class Roster {
  public:
    // TENURE_SECONDS: for how long a worker that hears nothing more serves on.
    explicit Roster(std::uint64_t tenure_seconds);

    void beat(const std::string& worker, nlohmann::json services, nlohmann::json metrics);
    // It has just been registered: nothing was ever told to it.
    void enrolled(const std::string& worker);
    // An answer of the feed, up to SEQUENCE, is about to go out.
    void answered(const std::string& worker, std::uint64_t sequence);
    void forget(const std::string& worker);

    // The last beat; nothing when this process has heard none.
    [[nodiscard]] std::optional<Beat> last_beat(const std::string& worker) const;
    // A centre that was just started knows of nobody's last word and presumes the latest: whoever is silent
    // is lost one period after the start.
    [[nodiscard]] WorkerState state(const std::string& worker) const;
    [[nodiscard]] Peer peer(const store::View& view, const std::string& worker) const;
    [[nodiscard]] std::uint64_t tenure_seconds() const noexcept { return tenure_seconds_; }
    // Beats so far, of all workers.
    [[nodiscard]] std::uint64_t beats() const;

  private:
    struct Known {
        std::optional<Beat> beat;
        bool is_new = false;              // registered while this process runs
        std::uint64_t answered_ns = 0;    // CLOCK_REALTIME
        std::uint64_t told = UINT64_MAX;  // what it was told before the start is not known
    };
    std::uint64_t tenure_seconds_;
    std::uint64_t started_monotonic_ns_;
    std::uint64_t started_realtime_ns_;
    mutable std::mutex mutex_;
    std::map<std::string, Known> known_;
    std::uint64_t beats_ = 0;
};

}  // namespace rouse::workers
