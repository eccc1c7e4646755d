#include "mgmt/workers/assignment.hpp"

#include <algorithm>
#include <utility>

namespace rouse::workers {
namespace {

Peer look(const std::string& worker, const Peers& peers, const Moment& moment) {
    if (worker.empty() || worker == moment.centre) return {true, UINT64_MAX, UINT64_MAX, 0};
    return peers(worker);
}

bool is_centre(const std::string& worker, const Moment& moment) {
    return worker.empty() || worker == moment.centre;
}

Assignment give_to(Assignment assignment, const std::string& heir, const Peers& peers, const Moment& moment) {
    if (heir == assignment.holder) return assignment;
    const bool was_fenced =
        std::erase_if(assignment.fences, [&](const boot::Fence& fence) { return fence.worker == heir; }) != 0;
    // Whoever had it learns of this later, if at all. The centre's own dataplane is told before anything else
    // can change.
    if (!is_centre(assignment.holder, moment)) {
        const Peer leaving = look(assignment.holder, peers, moment);
        if (leaving.told > assignment.since || assignment.since == 0)
            assignment.fences.push_back({assignment.holder, leaving.answers_until_ns, moment.sequence});
    }
    assignment.since = was_fenced ? 0 : moment.sequence;
    assignment.holder = heir;
    ++assignment.epoch;
    return assignment;
}

void drop_fences(Assignment& assignment, const Peers& peers, const Moment& moment) {
    std::erase_if(assignment.fences, [&](const boot::Fence& fence) {
        return moment.now_ns >= fence.until_ns || look(fence.worker, peers, moment).confirmed > fence.after;
    });
}

// Who should serve it, of those who are meant to.
std::string heir_of(const Assignment& assignment, const Peers& peers, const Moment& moment) {
    const auto& [worker, standby, holder, returns, epoch, since, fences] = assignment;
    if (worker.empty()) return {};
    const auto is_alive = [&](const std::string& id) { return !id.empty() && look(id, peers, moment).alive; };
    const bool is_meant = holder == worker || (!standby.empty() && holder == standby);
    if (is_meant && is_alive(holder)) {
        const bool goes_back = returns && holder != worker && is_alive(worker) && fences.empty();
        return goes_back ? worker : holder;
    }
    for (const auto& id : {worker, standby})
        if (is_alive(id)) return id;
    return is_meant ? holder : worker;
}

}  // namespace

std::string_view to_string(WorkerState state) noexcept {
    constexpr std::string_view kNames[] = {"inactive", "active", "error"};
    return kNames[static_cast<std::size_t>(state)];
}

WorkerState worker_state(std::uint64_t since_beat_ns, bool services_run) noexcept {
    if (since_beat_ns >= kLostNs) return WorkerState::inactive;
    return services_run ? WorkerState::active : WorkerState::error;
}

std::string_view to_string(AssignmentState state) noexcept {
    constexpr std::string_view kNames[] = {"own", "served", "taken_over", "orphaned"};
    return kNames[static_cast<std::size_t>(state)];
}

AssignmentState state_of(const Assignment& assignment, const Peers& peers, const Moment& moment) {
    if (assignment.worker.empty()) return AssignmentState::own;
    if (!look(assignment.holder, peers, moment).alive) return AssignmentState::orphaned;
    return assignment.holder == assignment.worker ? AssignmentState::served : AssignmentState::taken_over;
}

Assignment next(const Assignment& now, const Peers& peers, const Moment& moment) {
    Assignment out = now;
    drop_fences(out, peers, moment);
    const std::string heir = heir_of(out, peers, moment);
    return give_to(std::move(out), heir, peers, moment);
}

Assignment assign(const Assignment& now, std::string worker, std::string standby, bool returns,
                  const Peers& peers, const Moment& moment) {
    Assignment out = now;
    out.worker = std::move(worker);
    out.standby = std::move(standby);
    out.returns = returns;
    // A new worker gets its rack at once, and not only when the one that served it is lost.
    if (out.worker != now.worker && look(out.worker, peers, moment).alive) {
        drop_fences(out, peers, moment);
        const std::string heir = out.worker;
        return give_to(std::move(out), heir, peers, moment);
    }
    return next(out, peers, moment);
}

Assignment hand_back(const Assignment& now, const Peers& peers, const Moment& moment) {
    if (now.worker.empty() || now.holder == now.worker || !look(now.worker, peers, moment).alive) return now;
    return give_to(now, now.worker, peers, moment);
}

bool must_hold(std::uint64_t addressed, const Peer& leaving) noexcept {
    return addressed >= leaving.confirmed;
}

}  // namespace rouse::workers
