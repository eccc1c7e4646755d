#include "mgmt/ims/metrics.hpp"
#include "shared/client_kind.hpp"
#include "shared/clock.hpp"
#include "tests/unit/ims_events/observed.hpp"

#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::ims {
namespace {

using ::testing::HasSubstr;

class Observing : public ObservedTest {
  protected:
    void SetUp() override {
        ObservedTest::SetUp();
        ring_.emplace(open_event_ring(run_dir_, 0).value());
        producer_.emplace(**ring_);
    }
    void power_on(unsigned n) {
        Event event;
        event.kind = EventKind::dhcp_discover;
        event.mac = *MacAddress::parse(boot::mac_text(n));
        event.time_ns = realtime_ns();
        event.detail = static_cast<std::uint16_t>(ClientKind::ipxe);
        event.architecture = 7;
        event.set_text("PXEClient:Arch:00007:UNDI:003010");
        ASSERT_TRUE(producer_->push(event));
    }
    static std::string timeline_of(const store::Document& machine, const std::string& query = {}) {
        return "/api/machines/" + machine.id.to_string() + "/timeline" + query;
    }
    // A dataplane of WORKERS whose last sign of life is AGE old.
    void dataplane_runs(unsigned workers, std::uint64_t age_ns = 0) {
        counters_.emplace(open_counters(run_dir_).value());
        (*counters_)->workers = workers;
        std::strcpy((*counters_)->port, "xdp:rack0, native mode");
        for (unsigned i = 0; i < workers; ++i) (*counters_)->worker[i].heartbeat_ns = monotonic_ns() - age_ns;
    }
    std::optional<SharedMemory<EventRingLayout>> ring_;
    std::optional<EventProducer> producer_;
    std::optional<SharedMemory<CountersLayout>> counters_;
};

TEST_F(Observing, TheTimelineInPages) {
    const auto machine = booting_machine(1);
    EXPECT_EQ(get(timeline_of(machine)).text, "[]");
    for (int i = 0; i < 5; ++i) power_on(1);
    ASSERT_EQ(consumer_->turn().value(), 5U);
    EXPECT_EQ(get(timeline_of(machine, "/")).json().size(), 5U);
    const auto page = get(timeline_of(machine, "?after=2&limit=2")).json();
    ASSERT_EQ(page.size(), 2U);
    EXPECT_EQ(page[0]["sequence"], 3);
    EXPECT_EQ(page[0]["event"], "dhcp_discover");
    EXPECT_EQ(get(timeline_of(machine, "?after=5")).text, "[]");
    EXPECT_EQ(get(timeline_of(machine, "?after=9223372036854775807")).text, "[]");
}

TEST_F(Observing, BadTimelineRequests) {
    const auto machine = booting_machine(1);
    for (const char* query : {"?after=-1", "?after=x", "?limit=0", "?limit=1001", "?wait=61", "?wait=1.5",
                              "?after=9223372036854775808"})
        EXPECT_EQ(get(timeline_of(machine, query)).code, 400U) << query;
    EXPECT_EQ(get("/api/machines/nonsense/timeline").code, 404U);
    EXPECT_EQ(get("/api/machines/" + store::Id::make().to_string() + "/timeline").code, 404U);
}

TEST_F(Observing, ALongPollIsAnsweredByTheCommit) {
    const auto machine = booting_machine(1);
    bool pushed = false;
    const auto began = std::chrono::steady_clock::now();
    const auto answer = ask(http::Method::get, timeline_of(machine, "?wait=60"), {}, {}, [&] {
        if (!pushed && consumer_->waiters().size() == 1) {
            power_on(1);
            pushed = true;
        }
        ASSERT_TRUE(consumer_->turn());
    });
    EXPECT_EQ(answer.json().size(), 1U);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
    // Nothing to wait for: there is news already.
    EXPECT_EQ(get(timeline_of(machine, "?wait=60")).json().size(), 1U);
}

TEST_F(Observing, ALongPollEndsEmptyHanded) {
    const auto machine = booting_machine(1);
    const auto answer = ask(http::Method::get, timeline_of(machine, "?wait=1"), {}, {},
                            [&] { consumer_->waiters().expire(monotonic_ns()); });
    EXPECT_EQ(answer.code, 200U);
    EXPECT_EQ(answer.text, "[]");
}

TEST_F(Observing, StrangersAreShown) {
    Event event;
    event.kind = EventKind::dhcp_ignored;
    event.detail = static_cast<std::uint16_t>(DropReason::dhcp_unknown_machine);
    event.mac = *MacAddress::parse("02:00:00:00:99:99");
    event.architecture = 7;
    event.time_ns = realtime_ns();
    event.set_text("PXEClient:Arch:00007:UNDI:003000");
    ASSERT_TRUE(producer_->push(event));
    ASSERT_TRUE(consumer_->turn());
    const auto strangers = get("/api/strangers/").json();
    ASSERT_EQ(strangers.size(), 1U);
    EXPECT_EQ(strangers[0]["mac"], "02:00:00:00:99:99");
    EXPECT_EQ(strangers[0]["architecture"], "x64-uefi");
    EXPECT_EQ(strangers[0]["reason"], "the machine is not registered");
    EXPECT_EQ(strangers[0]["events"], 1);
}

TEST_F(Observing, HealthSaysWhatIsWrongAndWhatToDo) {
    auto health = get("/health");
    EXPECT_EQ(health.code, 503U);
    EXPECT_EQ(health.json()["status"], "failing");
    EXPECT_EQ(health.json()["checks"][0]["name"], "dataplane");
    EXPECT_THAT(health.json()["checks"][0]["detail"].get<std::string>(), HasSubstr("start it"));

    dataplane_runs(2);
    health = get("/health");
    EXPECT_EQ(health.code, 200U) << health.text;
    EXPECT_EQ(health.json()["status"], "ok");
    const auto all_is_well = health.json();
    for (const auto& check : all_is_well["checks"]) EXPECT_EQ(check["status"], "ok") << check;
    EXPECT_EQ(health.json()["checks"][0]["detail"], "runs on xdp:rack0, native mode");

    dataplane_runs(2, 10 * kNanosPerSecond);
    (*counters_)->worker[0].heartbeat_ns = monotonic_ns();  // one worker of two hangs
    health = get("/health");
    EXPECT_EQ(health.code, 503U);
    EXPECT_THAT(health.text, HasSubstr("worker 1 of rouse-dataplane gave its last sign of life 10."));

    dataplane_runs(2);
    observation_->state_dir = "/nonexistent";
    http::Router other;
    add_health(other, *observation_);
    std::swap(router_, other);
    health = get("/health");
    EXPECT_EQ(health.code, 503U);
    EXPECT_THAT(health.text, HasSubstr("/nonexistent"));
}

TEST_F(Observing, HealthSeesARingThatFills) {
    dataplane_runs(1);
    Event event;
    event.kind = EventKind::dhcp_ignored;
    event.mac = *MacAddress::parse("02:00:00:00:99:99");
    for (std::uint64_t i = 0; i < EventRingLayout::kCapacity; ++i) ASSERT_TRUE(producer_->push(event));
    ASSERT_TRUE(consumer_->turn());  // takes a part of it, and sees the rest
    EXPECT_EQ(get("/health").code, 503U);
    for (int turns = 0; turns < 100 && consumer_->turn().value() != 0; ++turns) {
    }
    EXPECT_EQ(get("/health").code, 200U);
}

// Prometheus' text format, read as its scraper does: name, labels, value.
std::map<std::string, double> samples_of(const std::string& text) {
    std::map<std::string, double> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.starts_with('#')) continue;
        const auto blank = line.rfind(' ');
        EXPECT_NE(blank, std::string::npos) << line;
        const auto [it, fresh] = out.emplace(line.substr(0, blank), std::stod(line.substr(blank + 1)));
        EXPECT_TRUE(fresh) << "twice: " << line;
    }
    return out;
}

TEST_F(Observing, MetricsComeFromTheLists) {
    dataplane_runs(2);
    for (std::size_t c = 0; c < kCounters.size(); ++c)
        for (unsigned w = 0; w < 2; ++w)
            (*counters_)->worker[w].add(static_cast<Counter>(c), 100 * (c + 1) + w);
    for (std::size_t r = 1; r < kDropReasons.size(); ++r)
        (*counters_)->worker[1].drop(static_cast<DropReason>(r), r);
    (*counters_)->worker[0].tftp_sessions_open = 7;
    const auto answer = get("/metrics");
    EXPECT_EQ(answer.code, 200U);
    EXPECT_THAT(std::string(answer.headers.get("Content-Type")), HasSubstr("version=0.0.4"));
    const auto samples = samples_of(answer.text);
    for (std::size_t c = 0; c < kCounters.size(); ++c) {
        const std::string name = "rouse_" + std::string(kCounters[c].name) + "_total";
        EXPECT_EQ(samples.at(name + "{worker=\"0\"}"), 100 * (c + 1));
        EXPECT_EQ(samples.at(name + "{worker=\"1\"}"), 100 * (c + 1) + 1);
        EXPECT_THAT(answer.text, HasSubstr("# HELP " + name + " " + std::string(kCounters[c].help) + "\n"));
        EXPECT_THAT(answer.text, HasSubstr("# TYPE " + name + " counter\n"));
    }
    for (std::size_t r = 1; r < kDropReasons.size(); ++r)
        EXPECT_EQ(samples.at("rouse_drops_total{reason=\"" + std::string(kDropReasons[r].name) +
                             "\",worker=\"1\"}"),
                  r);
    EXPECT_EQ(samples.at("rouse_tftp_sessions_open{worker=\"0\"}"), 7);
    EXPECT_EQ(samples.at("rouse_dataplane_seen"), 1);
}

TEST_F(Observing, MetricsOfTheManagementPlane) {
    booting_machine(1);
    booting_machine(2);
    power_on(1);
    ASSERT_TRUE(consumer_->turn());
    get("/api/strangers");
    get("/api/strangers");
    get("/nowhere/at/all");
    const auto samples = samples_of(get("/metrics").text);
    EXPECT_EQ(samples.at("rouse_machines{status=\"DEPLOYING\"}"), 1);
    EXPECT_EQ(samples.at("rouse_machines{status=\"INACTIVE\"}"), 1);
    EXPECT_EQ(samples.at("rouse_machines{status=\"ERROR\"}"), 0);
    EXPECT_EQ(samples.at("rouse_events_applied_total"), 1);
    EXPECT_EQ(samples.at("rouse_events_backlog"), 0);
    EXPECT_GT(samples.at("rouse_store_commits_total"), 2);
    EXPECT_GT(samples.at("rouse_store_commit_seconds_total"), 0);
    EXPECT_EQ(samples.at("rouse_http_requests_total{method=\"GET\",route=\"/api/strangers\",code=\"200\"}"),
              2);
    EXPECT_EQ(samples.at("rouse_http_requests_total{method=\"GET\",route=\"none\",code=\"404\"}"), 1);
    EXPECT_EQ(samples.at("rouse_dataplane_seen"), 0);
}

TEST_F(Observing, TheCertificatesEndIsSeen) {
    const auto now = static_cast<std::int64_t>(realtime_ns() / kNanosPerSecond);
    const auto check = [this] {
        const auto checks = get("/health").json()["checks"];
        EXPECT_EQ(checks.back()["name"], "certificate");
        return checks.back();
    };
    dataplane_runs(2);
    EXPECT_EQ(get("/metrics").text.find("rouse_tls_"), std::string::npos) << "it is plain";
    tls_ = http::TlsStatus{.not_after = now + 30 * 86'400};
    EXPECT_EQ(check()["status"], "ok");
    tls_->not_after = now + 3 * 86'400;
    tls_->trouble = "cannot use api.tls_key";
    tls_->failures = 2;
    EXPECT_EQ(check()["status"], "ok");
    EXPECT_THAT(check()["detail"].get<std::string>(), HasSubstr("put a new one"));
    EXPECT_THAT(check()["detail"].get<std::string>(), HasSubstr("not in use: cannot use api.tls_key"));
    const auto samples = samples_of(get("/metrics").text);
    EXPECT_EQ(samples.at("rouse_tls_certificate_not_after_seconds"), static_cast<double>(tls_->not_after));
    EXPECT_EQ(samples.at("rouse_tls_reload_failures_total"), 2);
    tls_->not_after = now - 60;
    EXPECT_EQ(check()["status"], "failing");
    EXPECT_EQ(get("/health").code, 503U);
}

}  // namespace
}  // namespace rouse::ims
