#include "mgmt/o2ims/delivery.hpp"

#include "mgmt/o2ims/backoff.hpp"
#include "mgmt/o2ims/delivery_lane.hpp"
#include "shared/clock.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

namespace rouse::o2ims {

using store::Id;

namespace {

constexpr std::size_t kFillEntries = 256;  // of a lane in memory
constexpr std::size_t kFillBytes = 1 << 20;
constexpr std::uint64_t kNoteEveryNs = 100 * kNanosPerMilli;
constexpr std::uint64_t kNoteAgainNs = kNanosPerSecond;  // after it failed
constexpr std::uint64_t kNoteEverySteps = 2000;
constexpr std::chrono::milliseconds kFirstReading{kSleepMs};  // after one that failed
constexpr std::chrono::milliseconds kLongestReading{10'000};

}  // namespace

Delivery::Delivery(store::Writer& writer, OutboxTables tables, DeliveryOptions options)
    : writer_(&writer), tables_(tables), options_(std::move(options)) {
    const web::Easy initialised = web::make_easy();
    multi_.reset(curl_multi_init());
}

Delivery::~Delivery() {
    stop();
}

void Delivery::add_language(std::string service, FilterLanguage language) {
    languages_[std::move(service)] = std::move(language);
}

const FilterLanguage* Delivery::language(const std::string& service) const {
    const auto found = languages_.find(service);
    return found == languages_.end() ? nullptr : &found->second;
}

void Delivery::start() {
    changes_ = writer_->changes().subscribe([this](std::span<const store::Change> changes) {
        const bool ours = std::any_of(changes.begin(), changes.end(), [](const store::Change& change) {
            return change.kind == store::Kind::subscription;
        });
        if (!ours) return;
        subscriptions_changed_ = true;
        wake();
    });
    thread_ = std::thread([this] { loop(); });
}

void Delivery::wake() noexcept {
    if (multi_) curl_multi_wakeup(multi_.get());
}

void Delivery::stop() {
    stopping_ = true;
    wake();
    if (!thread_.joinable()) return;
    thread_.join();
    changes_ = {};
    while (!lanes_.empty()) {
        drop(*lanes_.begin()->second);
        lanes_.erase(lanes_.begin());
    }
}

void Delivery::loop() {
    while (!stopping_) {
        read_if_due();
        const std::uint64_t now = monotonic_ns();
        for (auto& [id, lane] : lanes_) advance(*lane, now);
        int running = 0;
        curl_multi_perform(multi_.get(), &running);
        finish_requests();
        note_positions(false);
        count();
        curl_multi_poll(multi_.get(), nullptr, 0, idle_ms(), nullptr);
    }
    note_positions(true);
}

// Until something is due, if nothing comes in before.
int Delivery::idle_ms() const {
    std::uint64_t next = UINT64_MAX;
    for (const auto& [id, lane] : lanes_) {
        if (lane->is_busy) continue;
        if (!lane->queue.empty()) next = std::min(next, lane->due_ns);
        if (lane->queue.empty() && lane->read_to < last_) next = std::min(next, read_due_ns_);
    }
    const std::uint64_t now = monotonic_ns();
    const std::uint64_t until = next > now ? (next - now) / kNanosPerMilli + 1 : 0;
    return static_cast<int>(std::min<std::uint64_t>(until, kSleepMs));
}

// A store that cannot be read is left alone for a while, and said so once.
void Delivery::read_if_due() {
    if (monotonic_ns() < read_due_ns_) return;
    const auto done = read();
    if (done) {
        if (unreadable_ > 0) spdlog::info("the outbox can be read again");
        unreadable_ = 0;
        read_due_ns_ = 0;
        return;
    }
    if (unreadable_ == 0) spdlog::error("the outbox cannot be read: {}; trying again", done.error().message);
    read_due_ns_ = monotonic_ns() + backoff_ns(kFirstReading, kLongestReading, unreadable_++);
}

Result<void> Delivery::read() {
    // Before the snapshot is taken: what changes after that raises the flag anew.
    const bool is_changed = subscriptions_changed_.exchange(false);
    Result<void> out;
    const auto snapshot = writer_->store().snapshot();
    if (!snapshot) out = tl::unexpected(snapshot.error());
    if (out && is_changed) out = look_for_subscriptions(*snapshot);
    if (!out) {
        if (is_changed) subscriptions_changed_ = true;
        return out;
    }
    const auto last = last_number(*snapshot, tables_);
    if (!last) return tl::unexpected(last.error());
    const auto first = first_number(*snapshot, tables_);
    if (!first) return tl::unexpected(first.error());
    last_ = *last;
    for (auto& [id, lane] : lanes_) {
        forget(*lane, *first);
        if (auto filled = fill(*lane, *snapshot); !filled) out = filled;
    }
    return out;
}

// Those that are new begin, those that are gone end, those that say something else go on where they were.
Result<void> Delivery::look_for_subscriptions(const store::View& view) {
    std::set<Id> there;
    Result<void> trouble;
    const auto listed =
        store::for_each(view, store::kSubscriptions, std::nullopt, [&](const store::Document& one) {
            there.insert(one.id);
            trouble = take_up(one, view);
            return trouble.has_value();
        });
    if (!listed) return listed;
    if (!trouble) return trouble;
    for (auto at = lanes_.begin(); at != lanes_.end();) {
        if (there.contains(at->first)) {
            ++at;
            continue;
        }
        drop(*at->second);
        at = lanes_.erase(at);
        ++unnoted_;  // nobody waits for what it was to be told
    }
    statistics_.subscriptions = lanes_.size();
    return {};
}

Result<void> Delivery::take_up(const store::Document& subscription, const store::View& view) {
    auto lane = std::make_unique<Lane>();
    if (!lane->easy) return fail("libcurl could not be initialised");
    lane->id = subscription.id;
    lane->service = subscription.text("service");
    lane->callback = subscription.text("callback");
    lane->consumer = subscription.text("consumerSubscriptionId");
    lane->filter = filter_of(subscription.fields);
    const auto known = lanes_.find(subscription.id);
    if (known != lanes_.end()) {
        Lane& before = *known->second;
        if (before.callback == lane->callback && before.consumer == lane->consumer &&
            before.filter == lane->filter)
            return {};
        // What is under way is told again, where and as the subscriber wants it now.
        drop(before);
        lane->position = lane->read_to = before.position;
        lane->noted = before.noted;
    } else {
        const auto position = cursor_of(view, tables_, lane->id);
        if (!position) return tl::unexpected(position.error());
        lane->position = lane->read_to = lane->noted = *position;
    }
    read_filter(*lane);
    // It was allowed when it was made; the settings may be others now.
    if (auto allowed = options_.policy.check(lane->callback); !allowed)
        lane->forbidden = "its callback " + allowed.error().message;
    lane->is_trusted = options_.policy.trusts(lane->callback);
    lanes_[subscription.id] = std::move(lane);
    return {};
}

void Delivery::read_filter(Lane& lane) const {
    const auto* language = this->language(lane.service);
    if (lane.filter.empty() || language == nullptr) return;
    auto parsed = (*language)(lane.filter);
    if (parsed)
        lane.excludes = std::move(*parsed);
    else
        spdlog::warn("subscription {} is told of everything: its filter {}", lane.id.to_string(),
                     parsed.error().detail);
}

void Delivery::drop(Lane& lane) {
    if (lane.is_busy) curl_multi_remove_handle(multi_.get(), lane.easy.get());
    lane.is_busy = false;
}

// Of what the log does not hold any more, its first being FIRST, the lane is told nothing, except for what is
// under way.
void Delivery::forget(Lane& lane, std::uint64_t first) {
    if (lane.is_busy || lane.position + 1 >= first) return;
    std::uint64_t lost = 0;
    for (; !lane.queue.empty() && lane.queue.front().number < first; ++lost) lane.queue.pop_front();
    if (lane.read_to + 1 < first) {
        lost += first - 1 - lane.read_to;
        lane.read_to = first - 1;
    }
    lane.position = first - 1;
    lane.refusals = 0;
    ++unnoted_;
    miss(lane, lost);
}

void Delivery::miss(Lane& lane, std::uint64_t lost) {
    if (lost == 0) return;
    statistics_.dropped += lost;
    if (!std::exchange(lane.is_overrun, true))
        spdlog::warn("subscriber {} does not keep up: {} notifications, and maybe more, were dropped",
                     lane.callback, lost);
}

Result<void> Delivery::fill(Lane& lane, const store::View& view) {
    if (!lane.queue.empty() || lane.read_to >= last_) return {};
    // Of one that is not there, no more is kept in memory than what it is to be told first.
    const std::size_t most = lane.failures > 0 ? 1 : kFillEntries;
    std::size_t bytes = 0, read = 0;
    bool is_full = false;
    auto filled = read_log(view, tables_, lane.read_to, [&](LoggedNotification logged) {
        miss(lane, logged.number - lane.read_to - 1);  // entries that are damaged
        lane.read_to = logged.number;
        const bool is_wanted = logged.notification.service == lane.service &&
                               !(lane.excludes && lane.excludes(logged.notification));
        if (is_wanted) {
            bytes += logged.notification.body.size();
            lane.queue.push_back(std::move(logged));
        }
        is_full = ++read == kFillEntries || lane.queue.size() == most || bytes >= kFillBytes;
        return !is_full;
    });
    if (!filled) return filled;
    if (!is_full) {
        miss(lane, last_ - lane.read_to);
        lane.read_to = last_;
    }
    if (!lane.queue.empty()) return {};
    lane.position = lane.read_to;
    ++unnoted_;
    return {};
}

void Delivery::note_positions(bool is_last) {
    const bool is_again = *is_unnoted_;
    if (unnoted_ == 0 && !is_again) return;
    const std::uint64_t now = monotonic_ns();
    const bool is_early = is_again ? now - noted_ns_ < kNoteAgainNs
                                   : unnoted_ < kNoteEverySteps && now - noted_ns_ < kNoteEveryNs;
    if (is_early && !is_last) return;
    std::vector<CursorAt> moved;
    for (auto& [id, lane] : lanes_)
        if (std::exchange(lane->noted, lane->position) != lane->position || is_again)
            moved.push_back({id, lane->position});
    unnoted_ = 0;
    noted_ns_ = now;
    auto note = [tables = tables_, moved = std::move(moved)](store::Batch& batch) {
        return move_cursors(batch, tables, moved);
    };
    const auto see = [is_unnoted = is_unnoted_](const Result<void>& noted) {
        if (!is_unnoted->exchange(!noted) && !noted)
            spdlog::error("how far subscribers were told cannot be noted: {}; trying again",
                          noted.error().message);
    };
    if (is_last)
        see(writer_->run(std::move(note)));
    else
        writer_->post(std::move(note), see);
}

void Delivery::count() {
    std::uint64_t waiting = 0, oldest = 0;
    for (const auto& [id, lane] : lanes_) {
        waiting += last_ - std::min(last_, lane->position);
        if (lane->queue.empty()) continue;
        const std::uint64_t time = lane->queue.front().time_ns;
        oldest = oldest == 0 ? time : std::min(oldest, time);
    }
    statistics_.waiting = waiting;
    statistics_.oldest_ns = oldest;
}

}  // namespace rouse::o2ims
