#include "mgmt/events/rings.hpp"

#include "shared/clock.hpp"
#include "shared/counters.hpp"

#include <algorithm>
#include <filesystem>
#include <random>

namespace rouse::events {
namespace {

std::uint64_t random_identity() {
    std::random_device random;
    const std::uint64_t high = random();
    return (high << 32 | random()) | 1;  // never zero
}

// Rings are looked at one after the other, so an event that came during that may be seen while its cause, in
// a ring looked at before, is not: it waits for the next look. Unless the clock was set back.
bool is_too_young(const Event& event, std::uint64_t now_ns) noexcept {
    return event.time_ns > now_ns && event.time_ns - now_ns < kNanosPerSecond;
}

}  // namespace

Result<void> EventRings::follow(std::size_t workers) {
    const auto path = [this](std::size_t worker) { return event_ring_path(run_dir_, worker); };
    while (rings_.size() < kMaxWorkers &&
           (rings_.size() < workers || std::filesystem::exists(path(rings_.size()))))
        rings_.push_back(std::make_unique<Ring>(path(rings_.size())));
    for (const auto& ring : rings_) {
        bool reopened = false;
        const auto segment = ring->segment.follow(&reopened);
        if (!segment) return tl::unexpected(segment.error());
        if (reopened) ring->reader = std::make_unique<EventConsumer>(**segment, random_identity());
    }
    return {};
}

std::span<const RingEvent> EventRings::peek(std::size_t most, std::uint64_t now_ns) {
    merged_.clear();
    std::array<std::uint64_t, kMaxWorkers> waiting;
    for (std::size_t i = 0; i < rings_.size(); ++i) waiting[i] = rings_[i]->reader->waiting();
    for (std::size_t i = 0; i < rings_.size(); ++i) look(*rings_[i], waiting[i], most);
    while (merged_.size() < most) {
        Ring* const ring = oldest(now_ns);
        if (ring == nullptr) break;
        merged_.push_back({ring->reader->identity(), ring->events[ring->next++]});
        // The next ones of this ring may be older than the others'.
        if (ring->is_cut && ring->next == ring->events.size()) break;
    }
    return merged_;
}

void EventRings::look(Ring& ring, std::uint64_t waiting, std::size_t most) {
    const auto n = std::min<std::uint64_t>(waiting, most);
    ring.events.resize(n);
    ring.events.resize(ring.reader->peek(ring.events));
    ring.next = 0;
    ring.is_cut = waiting > n;
}

EventRings::Ring* EventRings::oldest(std::uint64_t now_ns) noexcept {
    Ring* found = nullptr;
    for (const auto& ring : rings_) {
        if (ring->next == ring->events.size()) continue;
        const Event& event = ring->events[ring->next];
        if (rings_.size() > 1 && is_too_young(event, now_ns)) continue;
        if (found == nullptr || event.time_ns < found->events[found->next].time_ns) found = ring.get();
    }
    return found;
}

void EventRings::release() {
    for (const auto& ring : rings_) {
        if (ring->next > 0) ring->reader->release(ring->next);
        ring->events.clear();
        ring->next = 0;
    }
}

std::uint64_t EventRings::waiting() const noexcept {
    std::uint64_t all = 0;
    for (const auto& ring : rings_) all += ring->reader->waiting();
    return all;
}

}  // namespace rouse::events
