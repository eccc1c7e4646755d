#pragma once
// Who serves a rack: the state machine of a cluster's assignment to a worker and its standby, and of a
// worker's life as its centre sees it (docs/workers.md shows both). Pure: what is known of the workers, and
// the time, are arguments.

#include "mgmt/boot/serving.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::workers {

// A worker beats every ten seconds; after three missed beats it is lost.
inline constexpr std::uint64_t kBeatNs = 10'000'000'000;
inline constexpr std::uint64_t kLostNs = 3 * kBeatNs;

enum class WorkerState : std::uint8_t {
    inactive,  // registered and not heard of yet, or lost
    active,    // it beats, and its services run
    error,     // it beats, and says that one of them does not
};
[[nodiscard]] std::string_view to_string(WorkerState state) noexcept;

// SINCE_BEAT_NS: UINT64_MAX when it never beat.
[[nodiscard]] WorkerState worker_state(std::uint64_t since_beat_ns, bool services_run) noexcept;

// What the centre knows of a worker when it decides.
struct Peer {
    bool alive = false;
    std::uint64_t confirmed = 0;         // the sequence of the feed up to which it surely follows
    std::uint64_t told = UINT64_MAX;     // the one up to which it may, since an answer went out
    std::uint64_t answers_until_ns = 0;  // the end of its tenure, should it hear nothing more
};
using Peers = std::function<Peer(const std::string& worker)>;

struct Assignment {
    std::string worker;       // whose rack it is; empty: the centre's
    std::string standby;      // who takes over when that one is lost; empty: nobody
    std::string holder;       // who serves it now; empty: the centre
    bool returns = false;     // a worker that is back gets its rack back by itself
    std::uint64_t epoch = 0;  // grows with each change of the holder
    // Of the feed: a holder that was not told more does not know that it is the one, and serves nobody. 0: it
    // may have been serving all along.
    std::uint64_t since = 0;
    std::vector<boot::Fence> fences;  // who else may still serve it

    friend bool operator==(const Assignment&, const Assignment&) = default;
};

struct Moment {
    std::uint64_t now_ns = 0;    // CLOCK_REALTIME
    std::uint64_t sequence = 0;  // of the feed; what is decided comes after it
    std::string_view centre;     // the centre's own id: it is always alive, and told at once
};

enum class AssignmentState : std::uint8_t {
    own,         // no worker is named: the centre serves it
    served,      // its worker serves it
    taken_over,  // its standby does
    orphaned,    // who serves it is lost, and nobody else is there; it may still be serving
};
[[nodiscard]] std::string_view to_string(AssignmentState state) noexcept;
[[nodiscard]] AssignmentState state_of(const Assignment& assignment, const Peers& peers,
                                       const Moment& moment);

// What becomes of an assignment by itself: fences fall, a lost holder is replaced, a returned worker gets its
// rack back where that is wished. The same when nothing is to be done.
[[nodiscard]] Assignment next(const Assignment& now, const Peers& peers, const Moment& moment);

// The operator gives the rack to WORKER, with STANDBY (both may be empty).
[[nodiscard]] Assignment assign(const Assignment& now, std::string worker, std::string standby, bool returns,
                                const Peers& peers, const Moment& moment);
// The operator gives it back to its own worker. The same when that cannot be: it has it, or is not alive.
[[nodiscard]] Assignment hand_back(const Assignment& now, const Peers& peers, const Moment& moment);

// Whether a new holder must hold a machine back: its answer changed at ADDRESSED, which LEAVING, who served
// it, has not confirmed.
[[nodiscard]] bool must_hold(std::uint64_t addressed, const Peer& leaving) noexcept;

}  // namespace rouse::workers
