#include "mgmt/ims/metrics.hpp"

#include "mgmt/boot/lease_book.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/ims/observation.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <fstream>
#include <limits>
#include <map>
#include <sstream>
#include <utility>

#include <prometheus/text_serializer.h>
#include <unistd.h>

namespace rouse::ims {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

MetricFamily family(std::string name, std::string_view help, MetricType type) {
    return {std::move(name), std::string(help), type, {}};
}
void add(MetricFamily& to, double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (to.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    to.metric.push_back(std::move(metric));
}
MetricFamily single(std::string name, std::string_view help, MetricType type, double value) {
    auto out = family(std::move(name), help, type);
    add(out, value);
    return out;
}

double seconds(std::uint64_t nanos) {
    return static_cast<double>(nanos) / static_cast<double>(kNanosPerSecond);
}

void add_workers(const CountersLayout& layout, std::vector<MetricFamily>& out) {
    const std::size_t workers = events::DataplaneCounters::workers(layout);
    const auto each_worker = [&](MetricFamily& to, const auto& value_of, const Labels& labels = {}) {
        for (std::size_t i = 0; i < workers; ++i) {
            Labels all = labels;
            all.push_back({"worker", std::to_string(i)});
            add(to, static_cast<double>(value_of(layout.worker[i])), std::move(all));
        }
    };
    for (std::size_t c = 0; c < kCounters.size(); ++c) {
        auto counted = family("rouse_" + std::string(kCounters[c].name) + "_total", kCounters[c].help,
                              MetricType::Counter);
        each_worker(counted, [c](const WorkerCounters& w) { return w.get(static_cast<Counter>(c)); });
        out.push_back(std::move(counted));
    }
    auto drops = family("rouse_drops_total", "frames dropped, by reason", MetricType::Counter);
    for (std::size_t r = 1; r < kDropReasons.size(); ++r)
        each_worker(drops, [r](const WorkerCounters& w) { return w.get(static_cast<DropReason>(r)); },
                    {{"reason", std::string(kDropReasons[r].name)}});
    out.push_back(std::move(drops));
    auto sessions = family("rouse_tftp_sessions_open", "TFTP transfers under way", MetricType::Gauge);
    each_worker(sessions, [](const WorkerCounters& w) { return w.tftp_sessions_open.load(); });
    out.push_back(std::move(sessions));
    auto age = family("rouse_dataplane_heartbeat_age_seconds", "since the worker's last sign of life",
                      MetricType::Gauge);
    const std::uint64_t now = monotonic_ns();
    each_worker(age, [now](const WorkerCounters& w) {
        const std::uint64_t beat = w.heartbeat_ns.load();
        return seconds(now > beat ? now - beat : 0);
    });
    out.push_back(std::move(age));
}

// Of the whole dataplane: what its images take, and what the XDP program in front of it did.
void add_dataplane(const CountersLayout& layout, std::vector<MetricFamily>& out) {
    for (std::size_t g = 0; g < kGauges.size(); ++g)
        out.push_back(single("rouse_" + std::string(kGauges[g].name), kGauges[g].help, MetricType::Gauge,
                             static_cast<double>(layout.get(static_cast<Gauge>(g)))));
    auto frames = family("rouse_xdp_frames_total", "frames that the XDP program saw, by what it did",
                         MetricType::Counter);
    for (std::size_t a = 0; a < kXdpActions.size(); ++a)
        add(frames, static_cast<double>(layout.get(static_cast<XdpAction>(a))),
            {{"action", std::string(kXdpActions[a].name)}});
    out.push_back(std::move(frames));
}

// Of files, by machines, from the rack side's listener.
void add_transfers(const HttpTransfers::Statistics& counts, std::vector<MetricFamily>& out) {
    auto ended = family("rouse_http_transfers_total", "transfers of boot files by HTTP, by how they ended",
                        MetricType::Counter);
    add(ended, static_cast<double>(counts.complete), {{"ending", "complete"}});
    add(ended, static_cast<double>(counts.failed), {{"ending", "failed"}});
    add(ended, static_cast<double>(counts.missing), {{"ending", "missing"}});
    add(ended, static_cast<double>(counts.expected_misses), {{"ending", "expected_miss"}});
    out.push_back(std::move(ended));
    out.push_back(single("rouse_http_transfer_bytes_total", "bytes of boot files sent by HTTP",
                         MetricType::Counter, static_cast<double>(counts.bytes)));
    out.push_back(single("rouse_http_transfers_open", "transfers of boot files by HTTP under way",
                         MetricType::Gauge, static_cast<double>(counts.open)));
}

// Of transfers that ended well, by either protocol.
void add_rates(const events::TransferRates& rates, std::vector<MetricFamily>& out) {
    using Rates = events::TransferRates;
    auto histogram = family("rouse_transfer_bytes_per_second",
                            "rates of transfers of 64 KiB and more that ended well", MetricType::Histogram);
    auto bytes = family("rouse_transfer_rated_bytes_total", "bytes of these transfers", MetricType::Counter);
    auto took = family("rouse_transfer_seconds_total", "time that they took", MetricType::Counter);
    for (const auto& [protocol, one] : {std::pair{"tftp", &rates.tftp()}, {"http", &rates.http()}}) {
        ClientMetric metric;
        metric.label = {{"protocol", protocol}};
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < Rates::kBounds.size(); ++i) {
            below += one->counts[i];
            metric.histogram.bucket.push_back({.cumulative_count = below, .upper_bound = Rates::kBounds[i]});
        }
        metric.histogram.sample_count = below + one->counts[Rates::kBounds.size()];
        metric.histogram.bucket.push_back({.cumulative_count = metric.histogram.sample_count,
                                           .upper_bound = std::numeric_limits<double>::infinity()});
        histogram.metric.push_back(std::move(metric));
        add(bytes, static_cast<double>(one->bytes), {{"protocol", protocol}});
        add(took, seconds(one->nanos), {{"protocol", protocol}});
    }
    for (auto* made : {&histogram, &bytes, &took}) out.push_back(std::move(*made));
}

void add_live(const live::Hub::Statistics& counts, std::vector<MetricFamily>& out) {
    const auto add_one = [&out](const char* name, const char* help, MetricType type, std::uint64_t value) {
        out.push_back(single(name, help, type, static_cast<double>(value)));
    };
    add_one("rouse_live_followers", "live streams that are open", MetricType::Gauge, counts.followers);
    add_one("rouse_live_refused_total", "live streams that were too many", MetricType::Counter,
            counts.refused);
    add_one("rouse_live_messages_total", "changes that were made into messages", MetricType::Counter,
            counts.messages);
    add_one("rouse_live_sent_total", "messages sent, to all live streams together", MetricType::Counter,
            counts.sent);
    add_one("rouse_live_merged_total", "messages not sent, because a newer one about the object was",
            MetricType::Counter, counts.merged);
    add_one("rouse_live_catch_ups_total", "times that a live stream was so slow that it read from the store",
            MetricType::Counter, counts.catch_ups);
}

// Of rouse-mgmt itself (proc(5)).
void add_process(std::vector<MetricFamily>& out) {
    std::ifstream pages("/proc/self/statm");
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    pages >> total >> resident;
    out.push_back(single("rouse_mgmt_resident_bytes",
                         "memory of rouse-mgmt, its part of the store's map included", MetricType::Gauge,
                         static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE))));
    out.push_back(single("rouse_mgmt_cpu_seconds_total", "processor time that rouse-mgmt has used",
                         MetricType::Counter, seconds(clock_ns(CLOCK_PROCESS_CPUTIME_ID))));
}

MetricFamily machines_by_status(const store::View& view) {
    auto out = family("rouse_machines", "registered machines, by status", MetricType::Gauge);
    for (const std::string_view status : store::kMachineStatuses) {
        std::size_t count = 0;
        const auto counted = store::for_each_id(view, store::kMachineByStatus, status, [&](store::Id) {
            ++count;
            return true;
        });
        if (counted) add(out, static_cast<double>(count), {{"status", std::string(status)}});
    }
    return out;
}

// Appliances that serve racks for this one, as their centre sees them.
MetricFamily workers_by_status(const store::View& view) {
    auto out = family("rouse_workers", "registered workers, by status", MetricType::Gauge);
    std::map<std::string, double> counts{{"active", 0}, {"inactive", 0}, {"error", 0}};
    const auto counted =
        store::for_each(view, store::kWorkers, std::nullopt, [&](const store::Document& worker) {
            ++counts[worker.text("status")];
            return true;
        });
    if (counted)
        for (const auto& [status, count] : counts) add(out, count, {{"status", status}});
    return out;
}

// How many leases there are of each sort, and how full the pools are.
void add_leases(const store::View& view, std::vector<MetricFamily>& out) {
    auto leases =
        family("rouse_leases", "addresses that are or were somebody's, by state", MetricType::Gauge);
    auto range = family("rouse_pool_range", "addresses of the pool's range", MetricType::Gauge);
    auto used = family("rouse_pool_used", "those of them that nobody else may have now", MetricType::Gauge);
    const auto pools = boot::all_pools(view);
    if (!pools) return;
    for (const boot::Pool& pool : *pools) {
        const auto counts = boot::lease_counts(view, pool.network.id);
        if (!counts) continue;
        const ClientMetric::Label label{"pool", pool.network.prefix.to_string()};
        for (std::size_t s = 0; s < counts->states.size(); ++s)
            add(leases, counts->states[s], {label, {"state", std::string(store::kLeaseStates[s].name)}});
        add(range, pool.network.range_end.host() - pool.network.range_start.host() + 1.0, {label});
        add(used, counts->in_range, {label});
    }
    for (auto* one : {&leases, &range, &used}) out.push_back(std::move(*one));
}

}  // namespace

std::vector<MetricFamily> DataplaneMetrics::Collect() const {
    std::vector<MetricFamily> out;
    const auto read = counters_->read([&](const CountersLayout& layout) {
        add_workers(layout, out);
        add_dataplane(layout, out);
        return events::DataplaneCounters::workers(layout) != 0;
    });
    out.push_back(single("rouse_dataplane_seen", "1 once a dataplane has run on this machine",
                         MetricType::Gauge, read && *read ? 1 : 0));
    return out;
}

std::vector<MetricFamily> ManagementMetrics::Collect() const {
    std::vector<MetricFamily> out;
    const auto snapshot = writer_->store().snapshot();
    if (snapshot) {
        out.push_back(machines_by_status(*snapshot));
        out.push_back(workers_by_status(*snapshot));
        add_leases(*snapshot, out);
        const auto strangers = snapshot->txn().count(consumer_->tables().strangers);
        if (strangers)
            out.push_back(single("rouse_strangers", "machines that spoke and are not registered",
                                 MetricType::Gauge, static_cast<double>(*strangers)));
    }
    const auto counter = [&](const char* name, const char* help, double value) {
        out.push_back(single(name, help, MetricType::Counter, value));
    };
    const auto& writes = writer_->statistics();
    counter("rouse_store_operations_total", "operations committed", static_cast<double>(writes.operations));
    counter("rouse_store_failures_total", "operations refused or failed",
            static_cast<double>(writes.failures));
    counter("rouse_store_commits_total", "commits; each holds a group of operations",
            static_cast<double>(writes.commits));
    counter("rouse_store_commit_seconds_total", "time spent in commits", seconds(writes.commit_ns));
    const auto& consumed = consumer_->statistics();
    counter("rouse_events_applied_total", "events of the dataplane that are on timelines",
            static_cast<double>(consumed.events));
    counter("rouse_events_batches_total", "commits that held them", static_cast<double>(consumed.batches));
    counter("rouse_events_failures_total", "batches that the store could not take and that are tried again",
            static_cast<double>(consumed.failures));
    out.push_back(single("rouse_events_backlog", "events that wait in the rings", MetricType::Gauge,
                         static_cast<double>(consumed.backlog)));
    out.push_back(single("rouse_timeline_waiters", "requests that wait for a timeline to grow",
                         MetricType::Gauge, static_cast<double>(consumer_->waiters().size())));
    counter("rouse_events_own_lost_total",
            "events of transfers by HTTP that came faster than they were stored",
            static_cast<double>(consumed.own_lost));
    add_transfers(transfers_->statistics(), out);
    add_rates(consumer_->rates(), out);
    if (live_ != nullptr) add_live(live_->statistics(), out);
    add_process(out);
    auto requests = family("rouse_http_requests_total", "requests answered", MetricType::Counter);
    for (const auto& one : requests_->read())
        add(requests, static_cast<double>(one.requests),
            {{"method", one.method}, {"route", one.route}, {"code", std::to_string(one.code)}});
    out.push_back(std::move(requests));
    return out;
}

std::vector<MetricFamily> OutboxMetrics::Collect() const {
    std::vector<MetricFamily> out;
    const auto add_one = [&out](const char* name, const char* help, MetricType type, std::uint64_t value) {
        out.push_back(single(name, help, type, static_cast<double>(value)));
    };
    add_one("rouse_outbox_subscriptions", "O2ims subscriptions", MetricType::Gauge, counts_->subscriptions);
    add_one("rouse_outbox_delivered_total", "notifications that subscribers took", MetricType::Counter,
            counts_->delivered);
    add_one("rouse_outbox_retried_total", "attempts to deliver a notification that failed",
            MetricType::Counter, counts_->retried);
    add_one("rouse_outbox_dropped_total", "notifications that a subscriber missed or refused for good",
            MetricType::Counter, counts_->dropped);
    add_one("rouse_outbox_waiting", "notifications that wait, for all subscribers together",
            MetricType::Gauge, counts_->waiting);
    const std::uint64_t oldest = counts_->oldest_ns, now = realtime_ns();
    out.push_back(single("rouse_outbox_oldest_seconds", "age of the oldest notification that waits",
                         MetricType::Gauge, oldest == 0 || oldest > now ? 0 : seconds(now - oldest)));
    return out;
}

std::vector<MetricFamily> SecurityMetrics::Collect() const {
    std::vector<MetricFamily> out;
    const auto counter = [&out](const char* name, const char* help, std::uint64_t value) {
        out.push_back(single(name, help, MetricType::Counter, static_cast<double>(value)));
    };
    counter("rouse_http_rate_limited_total", "requests refused because their client asked for too much",
            limiter_->refused());
    out.push_back(single("rouse_http_rate_clients", "clients whose rate is known", MetricType::Gauge,
                         static_cast<double>(limiter_->clients())));
    counter("rouse_audit_suppressed_total",
            "refusals and failed logins that came too fast to be on the audit log", audit_->suppressed());
    counter("rouse_audit_lost_total", "entries that the store could not take", audit_->lost());
    if (!tls_) return out;
    out.push_back(single("rouse_tls_certificate_not_after_seconds",
                         "when the API's certificate expires, in seconds since 1970", MetricType::Gauge,
                         static_cast<double>(tls_->not_after)));
    counter("rouse_tls_reloads_total", "times that a new certificate was taken", tls_->reloads);
    counter("rouse_tls_reload_failures_total", "times that a new certificate could not be used",
            tls_->failures);
    return out;
}

std::string to_text(const std::vector<const prometheus::Collectable*>& sources) {
    std::vector<MetricFamily> all;
    for (const auto* source : sources) {
        auto families = source->Collect();
        std::move(families.begin(), families.end(), std::back_inserter(all));
    }
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, all);
    return std::move(out).str();
}

void count_requests(http::Router& router, const Observation& observation) {
    router.observe_with(
        [&requests = observation.requests](const http::Request& request, http::Status status) {
            requests.count(request, status);
        });
}

void add_metrics(http::Router& router, const Observation& observation) {
    router.add({.method = http::Method::get,
                .pattern = "/metrics",
                .access = http::Access::anyone(),
                .tag = "Observation",
                .summary = "Metrics of both processes for Prometheus",
                .answer_media = {"text/plain"}},
               [observation](http::Request&) -> http::Outcome {
                   const DataplaneMetrics dataplane(observation.dataplane);
                   const ManagementMetrics management(observation.writer, observation.consumer,
                                                      observation.requests, observation.transfers,
                                                      observation.live);
                   const SecurityMetrics security(observation.limiter, observation.audit, observation.tls());
                   static const o2ims::Delivery::Statistics kNobody;
                   const OutboxMetrics outbox(observation.outbox != nullptr ? *observation.outbox : kNobody);
                   return http::Response::text(to_text({&dataplane, &management, &security, &outbox}),
                                               "text/plain; version=0.0.4; charset=utf-8");
               });
}

}  // namespace rouse::ims
