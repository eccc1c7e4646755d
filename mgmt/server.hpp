#pragma once
// rouse-mgmt put together: store and writer, catalogue, the events' consumer, the API's and the rack side's
// listeners, and the housekeeping between them.

#include "mgmt/boot/catalogue.hpp"
#include "mgmt/events/consumer.hpp"
#include "mgmt/events/dataplane_counters.hpp"
#include "mgmt/http/auth.hpp"
#include "mgmt/http/listener.hpp"
#include "mgmt/http/rate_limiter.hpp"
#include "mgmt/http/router.hpp"
#include "mgmt/ims/audit.hpp"
#include "mgmt/ims/observation.hpp"
#include "mgmt/ims/services.hpp"
#include "mgmt/ims/users.hpp"
#include "mgmt/live/hub.hpp"
#include "mgmt/o2ims/inventory/inventory.hpp"
#include "mgmt/o2ims/inventory/inventory_events.hpp"
#include "mgmt/o2ims/notifications/smo_link.hpp"
#include "mgmt/o2ims/performance/collector.hpp"
#include "mgmt/store/writer.hpp"
#include "mgmt/workers/follower.hpp"
#include "mgmt/workers/racks.hpp"
#include "shared/config.hpp"
#include "shared/result.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

namespace rouse::mgmt {

class Server {
  public:
    // Opens everything but the rack side, whose interface may not be there yet.
    [[nodiscard]] static Result<std::unique_ptr<Server>> open(const Config& config);

    // Serves until stop().
    void run();
    // From any thread: takes no new requests, and lets those under way finish within a few seconds.
    void stop();

    // From any thread: reads certificate and key again.
    void reload();

    [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }
    [[nodiscard]] std::uint16_t api_port() const noexcept { return api_listener_->port(); }
    [[nodiscard]] const http::Router& api() const noexcept { return api_router_; }

  private:
    using Timer = boost::asio::steady_timer;

    explicit Server(const Config& config);
    Result<void> introduce();
    Result<void> open_store();
    Result<void> open_outbox();
    void start_outbox();
    void stop_outbox();
    Result<void> open_api();
    void add_routes();
    [[nodiscard]] ims::Services services();
    [[nodiscard]] ims::Observation observation();
    boost::asio::awaitable<void> serve_rack();
    Result<void> listen_on_rack(const std::string& address);
    void listen_on_rack6();
    boost::asio::awaitable<void> project_all();
    boost::asio::awaitable<void> collect_regularly();
    boost::asio::awaitable<void> keep_secure();
    boost::asio::awaitable<void> stay_small();
    // Moves provisioning requests on as their machines do.
    boost::asio::awaitable<void> provision();
    // Raises and clears alarms by what really happens.
    boost::asio::awaitable<void> watch_for_alarms();
    boost::asio::awaitable<void> forget_alarms();
    // Has measurement jobs collect at their intervals.
    boost::asio::awaitable<void> measure();
    // A centre's: watches its workers, and gives the racks of lost ones to others.
    boost::asio::awaitable<void> coordinate();
    boost::asio::awaitable<void> carry_out(workers::Decisions decisions);
    void learn_others();
    void follow_centre();
    // False when the server stops meanwhile.
    boost::asio::awaitable<bool> pause(Timer& timer, std::chrono::milliseconds duration);

    Config config_;
    boost::asio::io_context io_;
    // The server's own coroutines: one at a time, though two threads run the io_context.
    boost::asio::strand<boost::asio::io_context::executor_type> strand_{io_.get_executor()};
    Timer rack_timer_{strand_};
    Timer collect_timer_{strand_};
    Timer security_timer_{strand_};
    Timer memory_timer_{strand_};
    Timer provision_timer_{strand_};
    Timer alarm_timer_{strand_};
    Timer measure_timer_{strand_};
    Timer coordinate_timer_{strand_};
    bool stopping_ = false;
    std::atomic<std::uint64_t> deadline_ns_{0};  // monotonic; when to stop waiting for anybody; 0: not yet

    // In the order in which they use each other; the last goes first.
    std::unique_ptr<store::Store> store_;
    std::optional<ims::AuditTrail> audit_;  // told by the writer what became of its entries
    std::unique_ptr<store::Writer> writer_;
    std::optional<boot::Catalogue> catalogue_;
    boot::Appliance appliance_;
    std::unique_ptr<events::Consumer> consumer_;
    std::unique_ptr<o2ims::Inventory> inventory_;
    std::unique_ptr<o2ims::SmoLink> smo_;
    std::unique_ptr<o2ims::Delivery> delivery_;
    std::unique_ptr<o2ims::InventoryEvents> inventory_events_;
    std::unique_ptr<live::Hub> live_;
    events::DataplaneCounters dataplane_;
    std::optional<ims::Users> users_;
    std::optional<http::Auth> auth_;
    std::optional<workers::Roster> roster_;
    ims::RequestCounts requests_;
    http::RateLimiter limiter_;
    std::optional<ims::HttpTransfers> transfers_;
    std::unique_ptr<o2ims::Collector> collector_;
    boost::asio::thread_pool disk_{2};
    std::unique_ptr<workers::Follower> follower_;  // a worker's
    http::Router api_router_;
    http::Router rack_router_;
    // The rack side has threads of its own: a storm of machines, or a file that is read from a slow disk,
    // does not hold up the API. After what its connections use to the last.
    boost::asio::io_context rack_io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> rack_stays_{
        rack_io_.get_executor()};
    std::optional<http::Listener> api_listener_;
    std::optional<http::Listener> rack_listener_;
    std::optional<http::Listener> rack_listener6_;
};

}  // namespace rouse::mgmt
