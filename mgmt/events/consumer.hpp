#pragma once
// Reads the dataplane's event rings, has the Writer apply them, and only then releases them: a crash at any
// instant neither loses an event nor applies one twice. Its one thread also passes verdicts on boots that
// stand still, ends leases whose time is up, and sends home the waiters whose is.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/events/followed_segment.hpp"
#include "mgmt/events/recorder.hpp"
#include "mgmt/events/rings.hpp"
#include "mgmt/events/tables.hpp"
#include "mgmt/events/transfer_rates.hpp"
#include "mgmt/events/waiters.hpp"
#include "mgmt/store/writer.hpp"
#include "shared/clock.hpp"
#include "shared/counters.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>

namespace rouse::events {

class Consumer {
  public:
    // Monotonic; read by /metrics at any time.
    struct Statistics {
        std::atomic<std::uint64_t> events{0};    // applied
        std::atomic<std::uint64_t> batches{0};   // commits that held them
        std::atomic<std::uint64_t> backlog{0};   // a gauge: waiting in the rings at the last look
        std::atomic<std::uint64_t> failures{0};  // batches that the store could not take; tried again
        std::atomic<bool> failing{false};        // the last batch was such a one
        std::atomic<std::uint64_t> own_lost{0};  // given to report() faster than the store took them
    };
    using Clock = std::uint64_t (*)() noexcept;

    // Makes its tables; starts nothing yet. REALTIME is for tests.
    [[nodiscard]] static Result<std::unique_ptr<Consumer>> create(store::Writer& writer,
                                                                  const boot::Appliance& appliance,
                                                                  const std::string& run_dir,
                                                                  Clock realtime = realtime_ns);
    ~Consumer();
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    // Starts the thread, which stops on destruction.
    void start();
    // One round of the thread's work: a batch of what waits in the rings, and deadlines if nothing is left
    // waiting. Returns how many events were applied. For tests and the thread itself, one at a time.
    Result<std::size_t> turn();

    // Puts an event of the management plane's own on its machine's timeline, with the dataplane's. Any
    // thread; returns at once.
    void report(const Event& event);

    // Waits, SECONDS at most, until the machine's timeline has entries after AFTER. True: it has.
    [[nodiscard]] boost::asio::awaitable<bool> wait_for_timeline(store::Id machine, std::uint64_t after,
                                                                 double seconds);

    [[nodiscard]] const EventTables& tables() const noexcept { return tables_; }
    // For operations elsewhere that append to timelines: publish after the commit.
    [[nodiscard]] Waiters& waiters() noexcept { return waiters_; }
    [[nodiscard]] const Statistics& statistics() const noexcept { return statistics_; }
    [[nodiscard]] const TransferRates& rates() const noexcept { return rates_; }
    // Other DHCP servers that answered on the rack since this process started, and when each last did
    // (CLOCK_REALTIME, ns); the first 64. Any thread.
    [[nodiscard]] std::map<IpAddress, std::uint64_t> foreign_servers() const;

  private:
    Consumer(store::Writer& writer, const boot::Appliance& appliance, EventTables tables,
             const std::string& run_dir, Clock realtime);
    Result<void> follow_rings();
    Result<std::size_t> drain();
    Result<std::size_t> drain_own();
    void count(const TouchedMachines& touched, std::size_t events);
    void log(const Event& event);
    Result<void> pass_verdicts();
    Result<void> end_leases();
    void loop();

    store::Writer* writer_;
    const boot::Appliance* appliance_;
    EventTables tables_;
    Clock realtime_;
    FollowedSegment<CountersLayout> counters_;
    EventRings rings_;
    std::map<IpAddress, std::uint64_t> foreign_servers_;  // that the log has told of
    std::uint64_t next_look_ns_ = 0;  // for new workers, replaced segments and deadlines; monotonic
    std::mutex own_mutex_;
    std::vector<Event> own_;  // reported and not yet applied
    Statistics statistics_;
    TransferRates rates_;
    Waiters waiters_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
    mutable std::mutex foreign_mutex_;
};

}  // namespace rouse::events
