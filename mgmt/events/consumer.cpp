#include "mgmt/events/consumer.hpp"

#include "mgmt/boot/guest_leases.hpp"
#include "mgmt/boot/lease_book.hpp"
#include "mgmt/events/sentence.hpp"

#include <algorithm>
#include <chrono>

#include <spdlog/spdlog.h>

namespace rouse::events {
namespace {

// One operation of the Writer: large enough that a storm takes few commits, small enough that other
// writers, who wait for it, do not notice.
constexpr std::size_t kBatchEvents = 2048;
constexpr std::size_t kBatchVerdicts = 1024;
constexpr std::size_t kMaxOwnWaiting = 65'536;
constexpr std::size_t kBatchEnds = 1024;
// A guest waits for it with its DISCOVER.
constexpr auto kIdle = std::chrono::milliseconds(1);
constexpr auto kAfterFailure = std::chrono::seconds(1);
constexpr std::uint64_t kLookEveryNs = kNanosPerSecond / 2;

std::uint64_t stored_sequence(const store::Store& store, const EventTables& tables,
                              const store::Id& machine) {
    const auto snapshot = store.snapshot();
    if (!snapshot) return 0;
    const auto boot = read_boot(*snapshot, tables, machine);
    return boot && *boot ? (*boot)->last_sequence : 0;
}

}  // namespace

Result<std::unique_ptr<Consumer>> Consumer::create(store::Writer& writer, const boot::Appliance& appliance,
                                                   const std::string& run_dir, Clock realtime) {
    const auto tables = writer.run([](store::Batch& batch) { return EventTables::open(batch); });
    if (!tables) return tl::unexpected(tables.error());
    return std::unique_ptr<Consumer>(new Consumer(writer, appliance, *tables, run_dir, realtime));
}

Consumer::Consumer(store::Writer& writer, const boot::Appliance& appliance, EventTables tables,
                   const std::string& run_dir, Clock realtime)
    : writer_(&writer),
      appliance_(&appliance),
      tables_(tables),
      realtime_(realtime),
      counters_(run_dir + "/counters"),
      rings_(run_dir),
      waiters_(
          [this](const store::Id& machine) { return stored_sequence(writer_->store(), tables_, machine); }) {}

Consumer::~Consumer() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    waiters_.close();
}

void Consumer::start() {
    thread_ = std::thread([this] { loop(); });
}

void Consumer::loop() {
    std::string last_failure;
    while (!stopping_) {
        const auto applied = turn();
        waiters_.expire(monotonic_ns());
        statistics_.failing = !applied;
        if (!applied) {
            ++statistics_.failures;
            // Said once, not every second: the rings hold the events meanwhile.
            if (applied.error().message != last_failure)
                spdlog::error("events wait, and are tried again: {}", applied.error().message);
            last_failure = applied.error().message;
            for (auto waited = kIdle; waited < kAfterFailure && !stopping_; waited += kIdle) {
                std::this_thread::sleep_for(kIdle);
                waiters_.expire(monotonic_ns());
            }
            continue;
        }
        last_failure.clear();
        if (*applied == 0) std::this_thread::sleep_for(kIdle);
    }
}

Result<std::size_t> Consumer::turn() {
    const bool look = monotonic_ns() >= next_look_ns_;
    if (look)
        if (auto followed = follow_rings(); !followed) return tl::unexpected(followed.error());
    auto applied = drain();
    if (!applied) return applied;
    const auto own = drain_own();
    if (!own) return own;
    *applied += *own;
    const std::uint64_t backlog = rings_.waiting();
    statistics_.backlog = backlog;
    // Only when nothing waits: an event that waits may be the progress that a verdict would deny.
    if (!look || backlog != 0) return applied;
    if (auto passed = pass_verdicts(); !passed) return tl::unexpected(passed.error());
    if (auto ended = end_leases(); !ended) return tl::unexpected(ended.error());
    next_look_ns_ = monotonic_ns() + kLookEveryNs;
    return applied;
}

Result<void> Consumer::follow_rings() {
    const auto counters = counters_.follow();
    if (!counters) return tl::unexpected(counters.error());
    return rings_.follow(
        std::clamp<std::size_t>((*counters)->workers.load(std::memory_order_relaxed), 1, kMaxWorkers));
}

// What concerns the appliance as a whole, not one machine.
void Consumer::log(const Event& event) {
    constexpr std::size_t kMostServers = 64;  // told of once each
    if (event.kind == EventKind::dataplane_started) spdlog::info("{}", sentence(event));
    if (event.kind != EventKind::dhcp_foreign_server) return;
    const std::lock_guard lock(foreign_mutex_);
    const auto known = foreign_servers_.find(event.address);
    if (known != foreign_servers_.end()) {
        known->second = event.time_ns;
    } else if (foreign_servers_.size() < kMostServers) {
        foreign_servers_.emplace(event.address, event.time_ns);
        spdlog::warn("machine {} {}", event.mac.to_string(), sentence(event));
    }
}

std::map<IpAddress, std::uint64_t> Consumer::foreign_servers() const {
    const std::lock_guard lock(foreign_mutex_);
    return foreign_servers_;
}

Result<std::size_t> Consumer::drain() {
    const auto events = rings_.peek(kBatchEvents, realtime_());
    if (events.empty()) return std::size_t{0};
    for (const RingEvent& event : events) log(event.event);
    const auto touched = writer_->run(
        [this, events](store::Batch& batch) { return apply_events(batch, tables_, *appliance_, events); });
    if (!touched) return tl::unexpected(touched.error());
    rings_.release();
    for (const RingEvent& event : events) rates_.count(event.event);
    count(*touched, events.size());
    return events.size();
}

void Consumer::report(const Event& event) {
    const std::lock_guard lock(own_mutex_);
    if (own_.size() < kMaxOwnWaiting)
        own_.push_back(event);
    else
        ++statistics_.own_lost;
}

Result<std::size_t> Consumer::drain_own() {
    std::vector<Event> events;
    {
        const std::lock_guard lock(own_mutex_);
        const std::size_t n = std::min(own_.size(), kBatchEvents);
        events.assign(own_.begin(), own_.begin() + static_cast<std::ptrdiff_t>(n));
    }
    if (events.empty()) return std::size_t{0};
    const auto touched = writer_->run(
        [this, &events](store::Batch& batch) { return apply_own_events(batch, tables_, events); });
    if (!touched) return tl::unexpected(touched.error());
    {
        // Only this thread takes any out, so the first ones are still the same.
        const std::lock_guard lock(own_mutex_);
        own_.erase(own_.begin(), own_.begin() + static_cast<std::ptrdiff_t>(events.size()));
    }
    for (const Event& event : events) rates_.count(event);
    count(*touched, events.size());
    return events.size();
}

void Consumer::count(const TouchedMachines& touched, std::size_t events) {
    statistics_.events += events;
    ++statistics_.batches;
    for (const Touched& machine : touched) waiters_.publish(machine.machine, machine.last_sequence);
}

Result<void> Consumer::pass_verdicts() {
    const std::uint64_t now = realtime_();
    // A look costs a read; the Writer is troubled only when there is something to write.
    {
        const auto snapshot = writer_->store().snapshot();
        if (!snapshot) return tl::unexpected(snapshot.error());
        const auto due = any_deadline_due(*snapshot, tables_, now);
        if (!due) return tl::unexpected(due.error());
        if (!*due) return {};
    }
    const auto touched = writer_->run(
        [this, now](store::Batch& batch) { return apply_deadlines(batch, tables_, now, kBatchVerdicts); });
    if (!touched) return tl::unexpected(touched.error());
    for (const Touched& machine : *touched) waiters_.publish(machine.machine, machine.last_sequence);
    return {};
}

// Also only when nothing waits: an ACK that waits may have prolonged the lease.
Result<void> Consumer::end_leases() {
    const std::uint64_t now_unix = realtime_ns() / kNanosPerSecond;
    {
        const auto snapshot = writer_->store().snapshot();
        if (!snapshot) return tl::unexpected(snapshot.error());
        const auto due = boot::leases_due(*snapshot, now_unix, 1);
        if (!due) return tl::unexpected(due.error());
        if (due->empty()) return {};
    }
    const auto ended = writer_->run([](store::Batch& batch) { return boot::end_leases(batch, kBatchEnds); });
    if (!ended) return fail(ended.error().message);
    return {};
}

boost::asio::awaitable<bool> Consumer::wait_for_timeline(store::Id machine, std::uint64_t after,
                                                         double seconds) {
    const double nanos = std::max(seconds, 0.0) * static_cast<double>(kNanosPerSecond);
    return waiters_.wait(machine, after, monotonic_ns() + static_cast<std::uint64_t>(nanos));
}

}  // namespace rouse::events
