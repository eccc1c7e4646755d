#pragma once
// The dataplane's event rings, one per worker, read as one in the order of time: a machine's DHCP may be one
// worker's and its transfers another's, and its timeline is one.

#include "mgmt/events/followed_segment.hpp"
#include "mgmt/events/recorder.hpp"
#include "shared/event_ring.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rouse::events {

// One thread.
class EventRings {
  public:
    explicit EventRings(std::string run_dir) : run_dir_(std::move(run_dir)) {}

    // Opens the rings of WORKERS, and those that workers of earlier days left behind, since events may wait
    // in them; anew where a file was replaced.
    Result<void> follow(std::size_t workers);

    // The next events, MOST at most, by their time, each ring's in its own order. They wait on until
    // release(). NOW_NS (CLOCK_REALTIME) is read before.
    [[nodiscard]] std::span<const RingEvent> peek(std::size_t most, std::uint64_t now_ns);
    // Of what peek() gave last.
    void release();

    [[nodiscard]] std::uint64_t waiting() const noexcept;

  private:
    struct Ring {
        explicit Ring(const std::string& path) : segment(path) {}
        FollowedSegment<EventRingLayout> segment;
        std::unique_ptr<EventConsumer> reader;
        std::vector<Event> events;  // the oldest that wait
        std::size_t next = 0;       // of them
        bool is_cut = false;        // there are more than these
    };
    void look(Ring& ring, std::uint64_t waiting, std::size_t most);
    [[nodiscard]] Ring* oldest(std::uint64_t now_ns) noexcept;

    std::string run_dir_;
    std::vector<std::unique_ptr<Ring>> rings_;  // by worker
    std::vector<RingEvent> merged_;
};

}  // namespace rouse::events
