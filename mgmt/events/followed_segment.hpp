#pragma once
// A shared-memory segment whose file may be replaced while we run: the dataplane of another build brings one
// of another size, or the tmpfs was emptied. Then both sides must meet in the new file.

#include "shared/shared_memory.hpp"

#include <optional>
#include <string>
#include <utility>

#include <sys/stat.h>

namespace rouse::events {

// One thread.
template <typename T>
class FollowedSegment {
  public:
    explicit FollowedSegment(std::string path) : path_(std::move(path)) {}

    // The segment that PATH names now, created when there is none. REOPENED: another than the last time.
    [[nodiscard]] Result<T*> follow(bool* reopened = nullptr) {
        struct stat now {};
        const bool same = segment_ && ::stat(path_.c_str(), &now) == 0 && now.st_ino == file_.st_ino &&
                          now.st_dev == file_.st_dev;
        if (reopened != nullptr) *reopened = !same;
        if (same) return &**segment_;
        segment_.reset();
        // Before opening: should the file be replaced in between, the next call sees a difference.
        if (::stat(path_.c_str(), &file_) != 0) file_ = {};
        auto opened = SharedMemory<T>::open(path_, Residency::as_used);
        if (!opened) return tl::unexpected(opened.error());
        segment_.emplace(std::move(*opened));
        return &**segment_;
    }
    // The segment as of the last follow(); null before the first.
    [[nodiscard]] T* get() const noexcept { return segment_ ? &**segment_ : nullptr; }

  private:
    std::string path_;
    struct stat file_ {};
    std::optional<SharedMemory<T>> segment_;
};

}  // namespace rouse::events
