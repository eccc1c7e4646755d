#include "mgmt/boot/settings.hpp"
#include "mgmt/events/text.hpp"
#include "mgmt/ims/observation.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"
#include "shared/endian.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/statvfs.h>
#include <unistd.h>

namespace rouse::ims {
namespace {

// The dataplane's housekeeping turns several times a second.
constexpr std::uint64_t kHeartbeatNs = 3 * kNanosPerSecond;
constexpr std::uint64_t kMinimumFreeBytes = std::uint64_t{256} << 20;

struct Check {
    const char* name;
    bool good = false;
    std::string detail;  // what is wrong and what to do, or a figure
};

Check check_dataplane(events::DataplaneCounters& counters, std::uint64_t now_ns) {
    struct Pulse {
        std::vector<std::uint64_t> beats;  // by worker
        std::string port;
    };
    const auto pulse = counters.read([](const CountersLayout& layout) {
        Pulse out;
        for (std::size_t i = 0; i < events::DataplaneCounters::workers(layout); ++i)
            out.beats.push_back(layout.worker[i].heartbeat_ns.load());
        out.port = events::printable({layout.port, ::strnlen(layout.port, sizeof layout.port)});
        return out;
    });
    if (!pulse) return {"dataplane", false, pulse.error().message};
    const auto& beats = pulse->beats;
    if (beats.empty() || std::ranges::max(beats) == 0)
        return {"dataplane", false, "rouse-dataplane has not run since this machine started; start it"};
    const auto age = [now_ns](std::uint64_t beat) { return now_ns > beat ? now_ns - beat : 0; };
    const auto last = std::ranges::min_element(beats);
    if (age(*last) <= kHeartbeatNs) return {"dataplane", true, "runs on " + pulse->port};
    // One that stands still while others go on; or all of them: then the process is gone.
    const bool is_one = age(std::ranges::max(beats)) <= kHeartbeatNs;
    const std::string who =
        is_one ? "worker " + std::to_string(last - beats.begin()) + " of rouse-dataplane" : "rouse-dataplane";
    const std::string when =
        *last == 0 ? " has given no sign of life"
                   : " gave its last sign of life " + events::human_duration(age(*last)) + " ago";
    return {"dataplane", false, who + when + "; see its log and start it again"};
}

Check check_store(store::Store& store) {
    const auto snapshot = store.snapshot();
    if (!snapshot) return {"store", false, snapshot.error().message};
    MDB_envinfo info{};
    MDB_stat stat{};
    mdb_env_info(store.environment().raw(), &info);
    mdb_env_stat(store.environment().raw(), &stat);
    const double used = static_cast<double>(info.me_last_pgno + 1) * stat.ms_psize;
    const double part = used / static_cast<double>(info.me_mapsize);
    const std::string figure = events::human_bytes(static_cast<std::uint64_t>(used)) + " of " +
                               events::human_bytes(info.me_mapsize) + " used";
    if (part > 0.95) return {"store", false, figure + "; raise store.map_size_gib and restart rouse-mgmt"};
    return {"store", true, figure};
}

Check check_disk(const std::string& state_dir) {
    struct statvfs disk {};
    if (::statvfs(state_dir.c_str(), &disk) != 0)
        return {"disk", false, "cannot examine " + state_dir + ": " + std::strerror(errno)};
    const std::uint64_t available = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    const std::string figure = events::human_bytes(available) + " free below " + state_dir;
    if (available < kMinimumFreeBytes) return {"disk", false, "only " + figure + "; free some space there"};
    return {"disk", true, figure};
}

Check check_events(const events::Consumer::Statistics& statistics) {
    const std::uint64_t backlog = statistics.backlog;
    const std::string figure = std::to_string(backlog) + " events wait";
    if (statistics.failing)
        return {"events", false, figure + ", because the store takes none; the log says why"};
    if (backlog > EventRingLayout::kCapacity / 2)
        return {"events", false, figure + ", more than the management plane can keep up with"};
    return {"events", true, figure};
}

Check check_certificate(const http::TlsStatus& tls, std::int64_t now) {
    constexpr std::int64_t kSoon = 14 * 86'400;
    const std::int64_t left = tls.not_after - now;
    const auto human = [](std::int64_t seconds) {
        return events::human_duration(static_cast<std::uint64_t>(seconds) * kNanosPerSecond);
    };
    std::string detail = left <= 0 ? "the certificate expired " + human(-left) + " ago"
                                   : "the certificate is good for " + human(left);
    if (left <= kSoon) detail += "; put a new one and its key in their places";
    if (!tls.trouble.empty()) detail += "; the files as they are now are not in use: " + tls.trouble;
    return {"certificate", left > 0, std::move(detail)};
}

http::Outcome answer(const std::vector<Check>& checks) {
    bool good = true;
    auto list = nlohmann::ordered_json::array();
    for (const Check& check : checks) {
        good = good && check.good;
        list.push_back(
            {{"name", check.name}, {"status", check.good ? "ok" : "failing"}, {"detail", check.detail}});
    }
    nlohmann::ordered_json body;
    body["status"] = good ? "ok" : "failing";
    body["checks"] = std::move(list);
    return http::Response::json_text(body.dump(),
                                     good ? http::Status::ok : http::Status::service_unavailable);
}

// Writes, and waits until it is durable. At most every few seconds, however often it is asked for.
class WriteProbe {
  public:
    explicit WriteProbe(store::Writer& writer) : writer_(&writer) {}

    boost::asio::awaitable<Check> check() {
        {
            const std::lock_guard lock(mutex_);
            if (last_ && monotonic_ns() - last_ns_ < kProbeEveryNs) co_return *last_;
        }
        const std::uint64_t began = monotonic_ns();
        auto probe = [](store::Batch& batch) {
            const be64 now(batch.now_ns());
            return batch.put(batch.tables().meta, store::bytes_of(std::string_view("write_probe")),
                             store::bytes_of(now));
        };
        const auto written = co_await writer_->submit(probe);
        Check made{"store_writable", written.has_value(), {}};
        made.detail = written ? "a write was durable after " + events::human_duration(monotonic_ns() - began)
                              : written.error().message;
        const std::lock_guard lock(mutex_);
        last_ = made;
        last_ns_ = monotonic_ns();
        co_return made;
    }

  private:
    static constexpr std::uint64_t kProbeEveryNs = 5 * kNanosPerSecond;
    store::Writer* writer_;
    std::mutex mutex_;
    std::optional<Check> last_;
    std::uint64_t last_ns_ = 0;
};

Check check_images(const std::string& state_dir) {
    const std::string directory = state_dir + "/images/sha256";
    if (::access(directory.c_str(), R_OK | X_OK) == 0) return {"images", true, directory + " can be read"};
    return {"images", false,
            directory + " cannot be read (" + std::strerror(errno) +
                "): mount it, or let rouse-mgmt's user read it"};
}

std::vector<Check> checks_of_health(const Observation& observation) {
    std::vector<Check> checks{
        check_dataplane(observation.dataplane, monotonic_ns()),
        check_store(observation.writer.store()),
        check_disk(observation.state_dir),
        check_events(observation.consumer.statistics()),
    };
    if (const auto tls = observation.tls())
        checks.push_back(check_certificate(*tls, static_cast<std::int64_t>(realtime_ns() / kNanosPerSecond)));
    return checks;
}

boost::asio::awaitable<http::Outcome> get_ready(const Observation& observation, WriteProbe& probe) {
    auto checks = checks_of_health(observation);
    checks.push_back(co_await probe.check());
    checks.push_back(check_images(observation.state_dir));
    co_return answer(checks);
}

}  // namespace

std::string dataplane_trouble(const Observation& observation) {
    Check check = check_dataplane(observation.dataplane, monotonic_ns());
    return check.good ? "" : std::move(check.detail);
}

nlohmann::json self_report(const Observation& observation) {
    const Check dataplane = check_dataplane(observation.dataplane, monotonic_ns());
    const auto snapshot = observation.writer.store().snapshot();
    const auto settings = snapshot ? boot::read_settings(*snapshot) : Outcome<boot::Settings>{};
    const auto service = [&](bool enabled) {
        nlohmann::json out{{"status", !dataplane.good ? "error" : enabled ? "running" : "stopped"}};
        if (!dataplane.good) out["last_error"] = dataplane.detail;
        return out;
    };
    nlohmann::json out;
    out["services"]["dhcp"] = service(!settings || settings->dhcp);
    out["services"]["tftp"] = service(!settings || settings->tftp);
    out["metrics"]["events_backlog"] = observation.consumer.statistics().backlog.load();
    if (const auto machines = snapshot ? store::count(*snapshot, store::kMachines) : Result<std::size_t>(0))
        out["metrics"]["machines"] = *machines;
    struct statvfs disk {};
    if (::statvfs(observation.state_dir.c_str(), &disk) == 0)
        out["metrics"]["disk_free_bytes"] = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    return out;
}

void add_health(http::Router& router, const Observation& observation) {
    router.add(
        {.method = http::Method::get,
         .pattern = "/health",
         .access = http::Access::anyone(),
         .tag = "Observation",
         .summary = "Whether the appliance can do its work: 200, or 503 with what is wrong and what to do",
         .answer_media = {"application/json"},
         .failures = {http::Status::service_unavailable}},
        [observation](http::Request&) { return answer(checks_of_health(observation)); });
    const auto probe = std::make_shared<WriteProbe>(observation.writer);
    router.add(
        {.method = http::Method::get,
         .pattern = "/ready",
         .access = http::Access::anyone(),
         .tag = "Observation",
         .summary = "Whether to send it work: the checks of /health, and that a write becomes durable and "
                    "images can be read",
         .answer_media = {"application/json"},
         .failures = {http::Status::service_unavailable}},
        http::Handler([observation, probe](http::Request&) { return get_ready(observation, *probe); }));
}

}  // namespace rouse::ims
