#pragma once
// The metrics of both processes in Prometheus' terms. Names and help of the dataplane's come from the lists
// in shared/: a counter added there is exported without another line.

#include "mgmt/events/consumer.hpp"
#include "mgmt/events/dataplane_counters.hpp"
#include "mgmt/http/rate_limiter.hpp"
#include "mgmt/http/tls.hpp"
#include "mgmt/ims/audit.hpp"
#include "mgmt/ims/http_transfers.hpp"
#include "mgmt/ims/request_counts.hpp"
#include "mgmt/live/hub.hpp"
#include "mgmt/o2ims/notifications/delivery.hpp"
#include "mgmt/store/writer.hpp"

#include <optional>
#include <string>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

namespace rouse::ims {

// Counters, drops and gauges of each worker. Nothing of them while the segment cannot be read, but
// rouse_dataplane_up is always there.
class DataplaneMetrics final : public prometheus::Collectable {
  public:
    explicit DataplaneMetrics(events::DataplaneCounters& counters) : counters_(&counters) {}
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

  private:
    events::DataplaneCounters* counters_;
};

// Machines by status, the writer, the events, live streams (LIVE may be null), the requests, the transfers by
// HTTP, the process.
class ManagementMetrics final : public prometheus::Collectable {
  public:
    ManagementMetrics(store::Writer& writer, events::Consumer& consumer, const RequestCounts& requests,
                      const HttpTransfers& transfers, const live::Hub* live = nullptr)
        : writer_(&writer), consumer_(&consumer), requests_(&requests), transfers_(&transfers), live_(live) {}
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

  private:
    store::Writer* writer_;
    events::Consumer* consumer_;
    const RequestCounts* requests_;
    const HttpTransfers* transfers_;
    const live::Hub* live_;
};

// Who was turned away, what is not on the audit log, when the certificate ends.
class SecurityMetrics final : public prometheus::Collectable {
  public:
    SecurityMetrics(const http::RateLimiter& limiter, const AuditTrail& audit,
                    std::optional<http::TlsStatus> tls)
        : limiter_(&limiter), audit_(&audit), tls_(std::move(tls)) {}
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

  private:
    const http::RateLimiter* limiter_;
    const AuditTrail* audit_;
    std::optional<http::TlsStatus> tls_;
};

// What O2ims subscribers are told.
class OutboxMetrics final : public prometheus::Collectable {
  public:
    explicit OutboxMetrics(const o2ims::Delivery::Statistics& counts) : counts_(&counts) {}
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

  private:
    const o2ims::Delivery::Statistics* counts_;
};

// In the text format 0.0.4.
[[nodiscard]] std::string to_text(const std::vector<const prometheus::Collectable*>& sources);

}  // namespace rouse::ims
