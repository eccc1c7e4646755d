#pragma once
// What the dataplane counts, as the management plane reads it.

#include "mgmt/events/followed_segment.hpp"
#include "shared/counters.hpp"

#include <algorithm>
#include <mutex>
#include <string>
#include <type_traits>

namespace rouse::events {

// Any thread.
class DataplaneCounters {
  public:
    explicit DataplaneCounters(const std::string& run_dir) : segment_(run_dir + "/counters") {}

    // What READ(const CountersLayout&) returns.
    template <typename F>
    [[nodiscard]] Result<std::invoke_result_t<F&, const CountersLayout&>> read(F read) {
        const std::lock_guard lock(mutex_);
        const auto layout = segment_.follow();
        if (!layout) return tl::unexpected(layout.error());
        return read(static_cast<const CountersLayout&>(**layout));
    }

    [[nodiscard]] static std::size_t workers(const CountersLayout& layout) noexcept {
        return std::min<std::size_t>(layout.workers.load(std::memory_order_relaxed), kMaxWorkers);
    }

  private:
    std::mutex mutex_;
    FollowedSegment<CountersLayout> segment_;
};

}  // namespace rouse::events
