#pragma once
// The handlers by which people and monitoring see what happens: timelines, strangers, health, metrics; and
// the one by which a ramdisk's agent says it.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/boot/rack_client.hpp"
#include "mgmt/events/consumer.hpp"
#include "mgmt/events/dataplane_counters.hpp"
#include "mgmt/http/rate_limiter.hpp"
#include "mgmt/http/router.hpp"
#include "mgmt/http/tls.hpp"
#include "mgmt/ims/audit.hpp"
#include "mgmt/ims/http_transfers.hpp"
#include "mgmt/ims/request_counts.hpp"
#include "mgmt/live/hub.hpp"
#include "mgmt/o2ims/notifications/delivery.hpp"
#include "mgmt/store/writer.hpp"

#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace rouse::ims {

// What these handlers work with. All of it outlives the routers.
struct Observation {
    store::Writer& writer;
    events::Consumer& consumer;
    events::DataplaneCounters& dataplane;
    boot::Appliance& appliance;
    RequestCounts& requests;
    const HttpTransfers& transfers;
    const http::RateLimiter& limiter;
    const AuditTrail& audit;
    std::function<std::optional<http::TlsStatus>()> tls;  // of the API's listener; nothing: it is plain
    std::string state_dir;                                // whose disk space is watched
    boot::NeighbourLookup neighbours{};
    const live::Hub* live = nullptr;                      // null: there are no live events to count
    const o2ims::Delivery::Statistics* outbox = nullptr;  // null: nobody is told of anything
};

// GET /api/machines/{id}/timeline, GET /api/strangers
void add_timeline(http::Router& router, const Observation& observation);
// GET /health and GET /ready, for everybody: 200, or 503 and what is wrong and what to do
void add_health(http::Router& router, const Observation& observation);
// {"services": {"dhcp": {"status", "last_error"}, "tftp": …}, "metrics"}: what a worker says of itself
[[nodiscard]] nlohmann::json self_report(const Observation& observation);
// What is wrong with the dataplane and what to do, as /health says it; empty: it polls.
[[nodiscard]] std::string dataplane_trouble(const Observation& observation);
// GET /metrics, for everybody
void add_metrics(http::Router& router, const Observation& observation);
// From now on the router's answers are in the metrics
void count_requests(http::Router& router, const Observation& observation);
// POST /agent/report, on the rack side's router
void add_agent_report(http::Router& router, const Observation& observation);

}  // namespace rouse::ims
