#include "mgmt/workers/roster.hpp"

#include "mgmt/boot/serving.hpp"
#include "shared/clock.hpp"

#include <algorithm>

namespace rouse::workers {

bool Beat::services_run() const {
    return std::none_of(services.begin(), services.end(), [](const nlohmann::json& service) {
        return service.is_object() && service.value("status", std::string()) == "error";
    });
}

Roster::Roster(std::uint64_t tenure_seconds)
    : tenure_seconds_(tenure_seconds),
      started_monotonic_ns_(monotonic_ns()),
      started_realtime_ns_(realtime_ns()) {}

void Roster::beat(const std::string& worker, nlohmann::json services, nlohmann::json metrics) {
    Beat beat{monotonic_ns(), realtime_ns(), std::move(services), std::move(metrics)};
    const std::lock_guard lock(mutex_);
    known_[worker].beat = std::move(beat);
    ++beats_;
}

void Roster::enrolled(const std::string& worker) {
    const std::lock_guard lock(mutex_);
    if (known_.contains(worker)) return;  // it may still hold what it was told
    known_[worker] = {.beat = {}, .is_new = true, .answered_ns = 0, .told = 0};
}

void Roster::answered(const std::string& worker, std::uint64_t sequence) {
    const std::lock_guard lock(mutex_);
    Known& known = known_[worker];
    known.answered_ns = std::max(known.answered_ns, realtime_ns());
    if (known.told != UINT64_MAX) known.told = std::max(known.told, sequence);
}

void Roster::forget(const std::string& worker) {
    const std::lock_guard lock(mutex_);
    known_.erase(worker);
}

std::optional<Beat> Roster::last_beat(const std::string& worker) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(worker);
    return found == known_.end() ? std::nullopt : found->second.beat;
}

WorkerState Roster::state(const std::string& worker) const {
    const std::uint64_t now = monotonic_ns();
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(worker);
    if (found != known_.end() && found->second.beat) {
        const Beat& beat = *found->second.beat;
        return worker_state(now - beat.monotonic_ns, beat.services_run());
    }
    if (found != known_.end() && found->second.is_new) return WorkerState::inactive;
    return worker_state(now - started_monotonic_ns_, true);
}

Peer Roster::peer(const store::View& view, const std::string& worker) const {
    Peer peer;
    peer.alive = state(worker) != WorkerState::inactive;
    peer.confirmed = boot::confirmed_by(view, worker).value_or(0);
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(worker);
    const bool is_new = found != known_.end() && found->second.is_new;
    std::uint64_t answered = is_new ? 0 : started_realtime_ns_;
    if (found != known_.end()) {
        answered = std::max(answered, found->second.answered_ns);
        peer.told = found->second.told;
    }
    peer.answers_until_ns = answered == 0 ? 0 : answered + tenure_seconds_ * kNanosPerSecond;
    return peer;
}

std::uint64_t Roster::beats() const {
    const std::lock_guard lock(mutex_);
    return beats_;
}

}  // namespace rouse::workers
