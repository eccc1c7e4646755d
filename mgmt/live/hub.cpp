#include "mgmt/live/hub.hpp"

#include "mgmt/store/changes.hpp"

#include <algorithm>
#include <chrono>

#include <spdlog/spdlog.h>

namespace rouse::live {
namespace {

// Between two rounds of the thread: what comes meanwhile is made, and its followers woken, together.
constexpr auto kRound = std::chrono::milliseconds(20);
// What is told of one after the other, unless the follower is further behind than this.
constexpr std::uint64_t kLagNs = kNanosPerSecond;

}  // namespace

Follower::~Follower() {
    const std::lock_guard lock(gate_->mutex);
    if (gate_->hub != nullptr) gate_->hub->leave(key_);
}

std::optional<Follower::Batch> Follower::next(std::size_t limit) {
    return hub_->read_ring(position_, limit);
}

Result<Follower::Batch> Follower::catch_up(std::size_t limit) {
    const auto snapshot = hub_->writer_->store().snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    std::vector<store::Change> changes;
    const auto read = store::changes_after(*snapshot, position_, limit, [&](const store::Change& change) {
        changes.push_back(change);
        return true;
    });
    if (!read) return tl::unexpected(read.error());
    Renderer renderer(hub_->tables_, hub_->visible_);
    Batch batch;
    for (const store::Change& change : changes) {
        if (auto rendered = renderer.render(*snapshot, change, batch.messages); !rendered)
            return tl::unexpected(rendered.error());
        position_ = change.sequence;
    }
    batch.more = changes.size() == limit;
    if (batch.more) return batch;
    const auto last = store::last_change(*snapshot);
    if (!last) return tl::unexpected(last.error());
    position_ = std::max(position_, *last);
    return batch;
}

Hub::Hub(store::Writer& writer, events::EventTables tables, Visible visible)
    : writer_(&writer), tables_(tables), visible_(visible), renderer_(tables, std::move(visible), true) {
    gate_->hub = this;
    subscription_ =
        writer.changes().subscribe([this](std::span<const store::Change> changes) { note(changes); });
    thread_ = std::thread([this] { loop(); });
}

Hub::~Hub() {
    {
        const std::lock_guard lock(gate_->mutex);
        gate_->hub = nullptr;
    }
    subscription_ = {};
    {
        const std::lock_guard lock(pending_mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    thread_.join();
}

// On the Writer's thread.
void Hub::note(std::span<const store::Change> changes) {
    if (!active_) return;
    {
        const std::lock_guard lock(pending_mutex_);
        for (const store::Change& change : changes) {
            if (kind_name(change.kind).empty()) continue;
            auto [known, is_new] = pending_.try_emplace({change.kind, change.id}, change);
            if (is_new) continue;
            store::Change& merged = known->second;
            const store::Change before = merged;
            merged = change;
            // It is news as a whole: an object that was made and changed was made.
            if (before.what == store::Change::What::created && change.what == store::Change::What::updated)
                merged.what = before.what;
            if (change.kind == store::Kind::timeline) merged.first_entry = before.first_entry;
            if (before.former_cluster != store::Id{}) merged.former_cluster = before.former_cluster;
        }
        if (pending_.empty()) return;
    }
    arrived_.notify_one();
}

void Hub::loop() {
    for (;;) {
        std::vector<store::Change> changes;
        {
            std::unique_lock lock(pending_mutex_);
            arrived_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
            if (stopping_) return;
            changes.reserve(pending_.size());
            for (const auto& [object, change] : pending_) changes.push_back(change);
            pending_.clear();
            if (std::exchange(begin_anew_, false)) renderer_.forget();
        }
        std::ranges::sort(changes, {}, &store::Change::sequence);
        publish(std::move(changes));
        std::this_thread::sleep_for(kRound);
    }
}

void Hub::publish(std::vector<store::Change> changes) {
    const std::uint64_t last = changes.back().sequence;
    std::vector<MessagePtr> messages;
    Result<void> rendered;
    {
        const auto snapshot = writer_->store().snapshot();
        if (!snapshot) rendered = tl::unexpected(snapshot.error());
        for (auto change = changes.begin(); rendered && change != changes.end(); ++change)
            rendered = renderer_.render(*snapshot, *change, messages);
    }
    if (!rendered)
        spdlog::error("live events were not told, followers read them later: {}", rendered.error().message);
    {
        const std::lock_guard lock(mutex_);
        if (!rendered) lost_ = last;
        for (MessagePtr& message : messages) append(std::move(message));
    }
    statistics_.messages += messages.size();
    wake_all();
}

// Under the lock.
void Hub::append(MessagePtr message) {
    const Object object{message->kind, message->id};
    auto& newest = newest_[object];
    if (newest != nullptr) newest->superseded = true;
    newest = message.get();
    ring_bytes_ += message->json.size();
    ring_.push_back(std::move(message));
    while (ring_.size() > kMaxMessages || ring_bytes_ > kMaxBytes) {
        const Message& oldest = *ring_.front();
        lost_ = std::max(lost_, oldest.sequence);
        const auto known = newest_.find({oldest.kind, oldest.id});
        if (known != newest_.end() && known->second == &oldest) newest_.erase(known);
        ring_bytes_ -= oldest.json.size();
        ring_.pop_front();
    }
}

void Hub::wake_all() {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, wake] : wakes_) wake();
}

std::optional<Follower::Batch> Hub::read_ring(std::uint64_t& position, std::size_t limit) {
    Follower::Batch batch;
    {
        const std::lock_guard lock(mutex_);
        if (position < lost_) return std::nullopt;
        auto it = std::ranges::upper_bound(ring_, position, {},
                                           [](const MessagePtr& message) { return message->sequence; });
        for (; it != ring_.end(); ++it) {
            const Message& message = **it;
            // The messages of one change belong together, or the place would be in their midst.
            if (batch.messages.size() >= limit && message.sequence != position) {
                batch.more = true;
                break;
            }
            position = message.sequence;
            batch.messages.push_back(*it);
        }
    }
    return batch;
}

bool Hub::is_stale(const Message& message, std::uint64_t now_ns) noexcept {
    return message.superseded && (message.kind != store::Kind::timeline || now_ns > message.made_ns + kLagNs);
}

Result<std::optional<Hub::Joined>> Hub::follow(std::optional<std::uint64_t> after,
                                               std::function<void()> wake) {
    std::uint64_t key = 0;
    bool is_first = false;
    {
        const std::lock_guard lock(mutex_);
        if (closed_ || wakes_.size() >= kMaxFollowers) {
            ++statistics_.refused;
            return std::optional<Joined>();
        }
        is_first = wakes_.empty();
        key = next_key_++;
        wakes_.emplace(key, std::move(wake));
        statistics_.followers = wakes_.size();
        active_ = true;
        // What happened while nobody followed is not in the ring.
        if (is_first) lost_ = UINT64_MAX;
    }
    Joined joined{std::shared_ptr<Follower>(new Follower(*this, gate_, key)), false};
    // Only now that commits from here on are noted: those before are in the snapshot.
    const auto snapshot = writer_->store().snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    const auto last = store::last_change(*snapshot);
    if (!last) return tl::unexpected(last.error());
    const auto oldest = store::oldest_resumable(*snapshot);
    if (!oldest) return tl::unexpected(oldest.error());
    if (is_first) {
        {
            const std::lock_guard lock(pending_mutex_);
            begin_anew_ = true;
        }
        const std::lock_guard lock(mutex_);
        lost_ = *last;
    }
    joined.must_reread = after && (*after < *oldest || *after > *last);
    joined.follower->position_ = after && !joined.must_reread ? *after : *last;
    return std::optional<Joined>(std::move(joined));
}

void Hub::leave(std::uint64_t key) {
    const std::lock_guard lock(mutex_);
    wakes_.erase(key);
    statistics_.followers = wakes_.size();
    if (!wakes_.empty()) return;
    active_ = false;
    ring_.clear();
    newest_.clear();
    ring_bytes_ = 0;
}

void Hub::close() {
    closed_ = true;
    wake_all();
}

}  // namespace rouse::live
