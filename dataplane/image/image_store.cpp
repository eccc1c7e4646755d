#include "dataplane/image/image_store.hpp"

#include "dataplane/image/keeper.hpp"
#include "shared/clock.hpp"

#include <chrono>
#include <condition_variable>
#include <stop_token>
#include <thread>

namespace rouse::image {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(2);  // from commit to "known" at most

}  // namespace

struct ImageStore::Running {
    Running(Shared& shared, store::Environment& environment, const store::Tables& tables, Options options)
        : keeper(shared, environment, tables, std::move(options)),
          thread([this](const std::stop_token& stop) { run(stop); }) {}

    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            if (keeper.round(monotonic_ns() / kNanosPerSecond)) continue;
            std::unique_lock lock(mutex);
            wake.wait_for(lock, stop, kPollInterval, [] { return false; });
        }
    }

    Keeper keeper;
    std::mutex mutex;
    std::condition_variable_any wake;
    std::jthread thread;  // last: it is stopped and joined before the rest goes
};

ImageStore::ImageStore(store::Environment& environment, const store::Tables& tables, Options options)
    : shared_(std::make_unique<Shared>()),
      running_(std::make_unique<Running>(*shared_, environment, tables, std::move(options))) {}

ImageStore::~ImageStore() = default;

Result<ImageStore::Reader> ImageStore::reader() {
    const std::lock_guard lock(shared_->seats);
    GracePeriod::Seat* const seat = shared_->grace.take_seat();
    if (seat == nullptr) return fail("there are " + std::to_string(kMaxWorkers) + " workers already");
    return Reader(*shared_, seat);
}

const Image* ImageStore::Reader::find(const ImageId& id) noexcept {
    const Image* const image = shared_->catalogue.load(std::memory_order_acquire)->find(id);
    if (image != nullptr) image->touch(shared_->now_s.load(std::memory_order_relaxed));
    return image;
}

Stream* ImageStore::Reader::open_stream(const Image& image) noexcept {
    return shared_->streams.take(image.hash(), image.size());
}

void ImageStore::Reader::quiescent() noexcept {
    shared_->grace.quiescent(*seat_);
}

std::uint64_t ImageStore::Reader::followed() const noexcept {
    return shared_->followed.load(std::memory_order_acquire);
}

}  // namespace rouse::image
