#pragma once
// The audit log as it is filled by requests and read over REST.

#include "mgmt/http/router.hpp"
#include "mgmt/store/audit.hpp"
#include "mgmt/store/writer.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace rouse::ims {

// Who sent REQUEST, for the log.
[[nodiscard]] store::Author author_of(const http::Request& request);

// Logs what no operation of its own logs: requests that were refused for want of a role, logins that failed,
// and requests that changed something outside the documents. Any thread.
class AuditTrail {
  public:
    static constexpr double kPerSecond = 20;  // who floods us with refusals does not flood the log
    static constexpr double kAtOnce = 500;

    explicit AuditTrail(store::Writer& writer) noexcept : writer_(&writer) {}

    // From now on what ROUTER answers; both outlive the io_context.
    void watch(http::Router& router);
    // Refusals and failed logins that came faster than they are logged.
    [[nodiscard]] std::uint64_t suppressed() const noexcept { return suppressed_; }
    // Entries that the store could not take.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

  private:
    using Clock = std::chrono::steady_clock;

    void note(const http::Request& request, http::Status status);
    bool may_log();

    store::Writer* writer_;
    std::mutex mutex_;
    double tokens_ = kAtOnce;
    Clock::time_point last_ = Clock::now();
    std::atomic<std::uint64_t> suppressed_{0};
    std::atomic<std::uint64_t> lost_{0};
};

}  // namespace rouse::ims
