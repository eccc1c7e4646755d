#pragma once
// Contents that nothing names any more, kept for a while so that transfers under way finish, then removed.
// Table `retired`; key: when to remove (be64, Unix seconds), kind, then the id (be64) or hash.

#include "mgmt/store/failure.hpp"
#include "mgmt/store/store.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rouse::boot {

// How long a content's file stays after its last name is gone. The dataplane has let go of it long before.
inline constexpr std::uint64_t kImageGraceSeconds = 3600;

[[nodiscard]] Outcome<void> retire_rendered(store::Batch& batch, std::uint64_t rendered_id);
[[nodiscard]] Outcome<void> retire_image(store::Batch& batch, const store::Sha256& hash);

// Which images are collected: those whose grace is over, or all that no name stands for. A transfer under way
// has its file open or in memory, so the grace is only for those who would rather have a name back.
enum class Collect : std::uint8_t { due, all_images };

// Removes rendered files that are due, at most LIMIT entries of either kind, and returns the images to be
// collected that no name stands for. Their files are for the caller to remove, on this thread: no name can
// come to stand for them meanwhile.
[[nodiscard]] Outcome<std::vector<store::Sha256>> collect_retired(store::Batch& batch, std::size_t limit,
                                                                  Collect which = Collect::due);

}  // namespace rouse::boot
