#pragma once
// The workers of a device: one for each of its ports, each on a thread and core of its own, with a reader of
// the store, an event ring, counters and tables that are nobody else's. What they share is the images, which
// do not change, and the rings by which frames are handed over.

#include "dataplane/port/device.hpp"
#include "dataplane/worker/loop.hpp"
#include "dataplane/worker/placement.hpp"
#include "shared/config.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <random>
#include <thread>
#include <vector>

namespace rouse {

// What all workers work with; outlives them.
struct Commons {
    const Config* config;
    wire::Self self;
    wire::Self6 self6;
    store::Environment* environment;
    image::ImageStore* images;
    CountersLayout* counters;
    std::function<void(const std::string&)> warn;  // any thread
};

template <port::Device D>
class Crew {
  public:
    // Everything that can fail. DEVICE outlives the crew.
    [[nodiscard]] static Result<Crew> gather(D& device, Commons commons) {
        Crew crew(std::move(commons));
        if (auto shared = crew.share(device); !shared) return tl::unexpected(shared.error());
        for (unsigned i = 0; i < device.ports().size(); ++i)
            if (auto posted = crew.post(device.ports()[i], i); !posted) return tl::unexpected(posted.error());
        return crew;
    }
    // Returns when all have ended, after STOP. LOOK(): what is to be looked at now and then meanwhile.
    template <typename Look>
    void run(const std::atomic<bool>& stop, Look&& look) {
        constexpr auto kNowAndThen = std::chrono::milliseconds(50);
        const worker::LoopOptions options{.never_rests = commons_.config->dataplane.rest == "never"};
        std::vector<std::jthread> threads;
        for (Post& post : posts_) threads.emplace_back([&] { work(post, stop, options); });
        for (; !stop.load(); std::this_thread::sleep_for(kNowAndThen)) look();
    }
    [[nodiscard]] std::size_t size() const noexcept { return posts_.size(); }
    // The first worker's, before it runs.
    [[nodiscard]] EventRingLayout& first_ring() noexcept { return *posts_.front().ring; }

  private:
    using P = typename D::PortType;
    // One worker's own.
    struct Post {
        P* port;
        std::optional<unsigned> core;
        SharedMemory<EventRingLayout> ring;
        std::unique_ptr<worker::Directory> directory;
        image::ImageStore::Reader images;
        worker::Surroundings surroundings;
    };
    explicit Crew(Commons commons) : commons_(std::move(commons)) {}

    Result<void> share(D& device) {
        workers_ = static_cast<unsigned>(device.ports().size());
        const auto usable = worker::usable_cores();
        auto cores = worker::choose_cores(commons_.config->dataplane.cores, workers_, usable);
        if (!cores) return tl::unexpected(cores.error());
        cores_ = std::move(*cores);
        if (workers_ > usable.size())
            commons_.warn("there are " + std::to_string(workers_) + " workers, one for each queue, on " +
                          std::to_string(usable.size()) +
                          " cores, where they delay each other: give the interface fewer queues");
        if (workers_ == 1 || device.keeps_flows_together()) return {};
        auto mesh = worker::HandoverMesh::make(workers_);
        if (!mesh) return tl::unexpected(mesh.error());
        mesh_ = std::move(*mesh);
        return {};
    }

    Result<void> post(P& port, unsigned number) {
        auto ring = open_event_ring(commons_.config->store.run_dir, number);
        if (!ring) return tl::unexpected(ring.error());
        auto directory = worker::Directory::open(*commons_.environment);
        if (!directory) return tl::unexpected(directory.error());
        auto images = commons_.images->reader();
        if (!images) return tl::unexpected(images.error());
        Post made{.port = &port,
                  .core = cores_.empty() ? std::nullopt : std::optional(cores_[number]),
                  .ring = std::move(*ring),
                  .directory = std::make_unique<worker::Directory>(std::move(*directory)),
                  .images = std::move(*images)};
        made.surroundings = surroundings_of(made, number);
        posts_.push_back(std::move(made));
        return {};
    }

    worker::Surroundings surroundings_of(const Post& post, unsigned number) {
        const auto& config = commons_.config->dataplane;
        return {.self = commons_.self,
                .directory = post.directory.get(),
                .counters = &commons_.counters->worker[number],
                .events = &*post.ring,
                .tftp = {.sessions = config.sessions,
                         .mtu = post.port->mtu(),
                         .seed = random_seed(),
                         .ports = ports_of(number)},
                .self6 = commons_.self6,
                .router_advertisements = config.router_advertisements,
                .is_first = number == 0,
                .handover = mesh_ ? worker::Handover(*mesh_, number) : worker::Handover{}};
    }
    // Frames that are handed over go by the client's address: there any worker may use any port.
    [[nodiscard]] PortRange ports_of(unsigned number) const {
        const PortRange all = commons_.config->tftp_ports();
        return mesh_ ? all : all.share(number, workers_);
    }

    // A worker's thread. The worker is made here, on its core, so that its memory is near.
    void work(Post& post, const std::atomic<bool>& stop, worker::LoopOptions options) const {
        if (post.core)
            if (const auto stays = worker::stay_on(*post.core); !stays) commons_.warn(stays.error().message);
        if constexpr (requires { post.port->enter_thread(); }) post.port->enter_thread();
        const auto worker =
            std::make_unique<worker::Worker<P>>(*post.port, post.surroundings, std::move(post.images));
        worker::run_loop(*worker, stop, options);
    }

    static std::uint64_t random_seed() {
        std::random_device random;
        return (std::uint64_t{random()} << 32 | random()) | 1;
    }

    Commons commons_;
    unsigned workers_ = 0;
    std::vector<unsigned> cores_;  // by worker, or none
    std::unique_ptr<worker::HandoverMesh> mesh_;
    std::vector<Post> posts_;
};

}  // namespace rouse
