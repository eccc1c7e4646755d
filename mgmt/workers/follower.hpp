#pragma once
// A worker's life towards its centre, on three threads of its own: it registers, beats and reports; it
// follows what it is to serve; it fetches images. While the centre is away it serves on with what it has, and
// what is to be told waits in the timelines.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/boot/catalogue.hpp"
#include "mgmt/events/consumer.hpp"
#include "mgmt/store/writer.hpp"
#include "mgmt/workers/centre_link.hpp"
#include "mgmt/workers/replica.hpp"
#include "shared/result.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::workers {

struct FollowerOptions {
    CentreAddress centre;
    std::string enrolment_token_file;  // read when the centre does not know this worker (any more)
    std::string netns;                 // where the centre is reached (a path); empty: the process's own
    // {"services", "metrics"} of a beat; from the beating thread.
    std::function<nlohmann::json()> state;
};

class Follower {
  public:
    // Read by /metrics and /health at any time.
    struct Statistics {
        std::atomic<std::uint64_t> contact_unix{0};  // when the centre last answered; 0: not yet
        std::atomic<std::uint64_t> sequence{0};      // up to which it follows
        std::atomic<std::uint64_t> images_wanted{0};
        std::atomic<std::uint64_t> reported{0};  // entries told
    };

    // All references outlive it. Starts nothing yet.
    Follower(FollowerOptions options, store::Writer& writer, const boot::Catalogue& catalogue,
             const boot::Appliance& appliance, events::Consumer& consumer);
    ~Follower();  // like stop(), and waits for the threads
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    void start();
    // Any thread; returns at once.
    void stop();
    [[nodiscard]] const Statistics& statistics() const noexcept { return statistics_; }

  private:
    using Step = std::chrono::milliseconds (Follower::*)(CentreLink& link);
    // Runs STEP again and again on a thread of its own, each time after the pause that the last one asked
    // for.
    void run(Step step);
    std::chrono::milliseconds beat(CentreLink& link);
    std::chrono::milliseconds follow(CentreLink& link);
    std::chrono::milliseconds fetch(CentreLink& link);

    bool enrol(CentreLink& link, const std::string& address);
    bool tell_timelines(CentreLink& link, const Following& following);
    bool tell_leases(CentreLink& link, const Following& following,
                     const std::vector<nlohmann::ordered_json>& machines);
    void tell_error(CentreLink& link, const Following& following);
    void note_error(const std::string& message);
    // Of an answer, or of its absence: says once when the centre goes, and when it is back. True: a success.
    bool heard(const Result<CentreAnswer>& answer, const char* of_what);
    void forget_token();
    [[nodiscard]] Following following() const;

    FollowerOptions options_;
    store::Writer* writer_;
    const boot::Catalogue* catalogue_;
    const boot::Appliance* appliance_;
    events::Consumer* consumer_;
    Statistics statistics_;
    std::atomic<bool> stopping_{false};

    // Of the following thread: a walk through all that there is, in several answers.
    Seen seen_;
    std::uint64_t walked_ = 0;

    std::mutex mutex_;
    std::condition_variable wake_;
    std::string trouble_;  // that the log has told of; empty: all is well
    std::string error_;    // to be reported
    std::string reported_error_;
    std::uint64_t next_beat_ns_ = 0;
    std::vector<std::thread> threads_;
};

}  // namespace rouse::workers
