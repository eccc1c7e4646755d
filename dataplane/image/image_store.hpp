#pragma once
// The bytes of images at hand, so that the poll loop never waits for a disk or a page. A thread of its own
// follows table `images` and stages what it names into sealed memory, within a budget:
//   - what a client asks for comes first, then the smallest;
//   - what is not asked for never displaces anything; what is asked for displaces images that nobody holds
//     and nobody asked for in a while, the least recently used one first;
//   - an image that finds no room is streamed, once its file is proven: each of its transfers has a ring that
//     the thread keeps filled ahead of it, out of an eighth of the budget and of what whole images leave.
//     Where that is not enough, transfers wait their turn. What can never fit is proven when it is published,
//     the rest when it is asked for;
//   - an image whose file is damaged or missing is unavailable.
// An image that lost its last name stays until no transfer waits for it any more. Out of sight then, or
// displaced, it is freed when no session holds it and every worker has passed a quiescent point since
// (GracePeriod).

#include "dataplane/image/grace_period.hpp"
#include "dataplane/image/image.hpp"
#include "dataplane/image/stream.hpp"
#include "shared/counters.hpp"
#include "shared/store/tables.hpp"

#include <functional>
#include <memory>
#include <string>

namespace rouse::image {

class ImageStore {
  public:
    struct Options {
        std::string directory;               // Config::images_dir()
        std::uint64_t budget_bytes = 0;      // Config::dataplane.staging_mib
        CountersLayout* counters = nullptr;  // its gauges are kept up to date; may be null
        // What people should know (a damaged file, no memory); called on the store's thread. May be empty.
        std::function<void(const std::string&)> report{};
    };

    // Starts the thread. `environment` must outlive the store; the thread has its own read transaction in it.
    // One store per process.
    ImageStore(store::Environment& environment, const store::Tables& tables, Options options);
    // Stops the thread. All Readers are gone by then.
    ~ImageStore();
    ImageStore(const ImageStore&) = delete;
    ImageStore& operator=(const ImageStore&) = delete;

    struct Shared;  // what the thread and the workers both touch; keeper.hpp

    // A worker's view; used by its thread alone. find() and quiescent() are wait-free.
    class Reader {
      public:
        Reader(Reader&& other) noexcept
            : shared_(other.shared_), seat_(std::exchange(other.seat_, nullptr)) {}
        Reader& operator=(Reader&&) = delete;
        ~Reader() {
            if (seat_ != nullptr) GracePeriod::leave(*seat_);
        }

        // The image, whatever its residency, or nullptr when no name stands for it as far as followed().
        // Finding it counts as asking for it. Use it before the next quiescent(), or retain it.
        [[nodiscard]] const Image* find(const ImageId& id) noexcept;
        // For one transfer of a streamed image, until Stream::release(); nullptr when all streams are taken.
        [[nodiscard]] Stream* open_stream(const Image& image) noexcept;
        // Once per loop turn, and not between find() and retain().
        void quiescent() noexcept;
        // The last transaction of the store whose images find() knows. A name of a later one may stand for an
        // image that is not known yet: it is pending, not missing.
        [[nodiscard]] std::uint64_t followed() const noexcept;

      private:
        friend class ImageStore;
        Reader(Shared& shared, GracePeriod::Seat* seat) noexcept : shared_(&shared), seat_(seat) {}
        Shared* shared_;
        GracePeriod::Seat* seat_;
    };
    // An error when there are kMaxWorkers already.
    [[nodiscard]] Result<Reader> reader();

  private:
    struct Running;  // the thread
    std::unique_ptr<Shared> shared_;
    std::unique_ptr<Running> running_;
};

}  // namespace rouse::image
