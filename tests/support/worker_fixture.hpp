#pragma once
// A worker over a scratch store: frames in, frames out. On the memory port it needs no privilege.

#include "dataplane/port/memory.hpp"
#include "dataplane/worker/worker.hpp"
#include "tests/support/scratch_store.hpp"

#include <memory>

namespace rouse::test {

inline const Ipv4Address kServerAddress = *Ipv4Address::parse("10.0.0.1");
inline const Ipv6Address kServerAddress6 = *Ipv6Address::parse("2001:db8:77::1");
inline const MacAddress kServerMac{{2, 0, 0, 0, 0, 1}};  // the memory port's default

// On a port that is somebody else's and outlives it.
template <port::Port P>
struct WorkerOn {
    WorkerOn(P& port, ScratchStore& store, const tftp::EngineOptions& tftp = {.sessions = 1024},
             std::uint64_t image_budget = 1 << 26)
        : directory(must(worker::Directory::open(store.environment()))),
          images(store.environment(), store.tables(),
                 {.directory = store.images(), .budget_bytes = image_budget}),
          worker(port,
                 {.self = {.mac = port.hardware_address(),
                           .address = kServerAddress,
                           .subnet = *Ipv4Prefix::parse("10.0.0.0/8")},
                  .directory = &directory,
                  .counters = counters.get(),
                  .events = events.get(),
                  .tftp = tftp,
                  .self6 = self6(port.hardware_address())},
                 must(images.reader())) {}

    [[nodiscard]] static wire::Self6 self6(const MacAddress& mac = kServerMac) {
        wire::Self6 self(mac);
        if (!self.add(kServerAddress6)) throw std::logic_error("no room for an address");
        return self;
    }
    // Events that wait, oldest first; they are gone then.
    std::vector<Event> take_events() {
        EventConsumer consumer(*events, 1);
        std::vector<Event> out(EventRingLayout::kCapacity);
        out.resize(consumer.peek(out));
        consumer.release(out.size());
        return out;
    }
    void forget_events() noexcept { events->tail.store(events->head.load()); }
    [[nodiscard]] std::uint64_t dropped(DropReason reason) const { return counters->get(reason); }

    std::unique_ptr<WorkerCounters> counters = std::make_unique<WorkerCounters>();
    std::unique_ptr<EventRingLayout> events = std::make_unique<EventRingLayout>();
    worker::Directory directory;
    image::ImageStore images;
    worker::Worker<P> worker;
};

template <port::Port P>
struct PortOwner {
    explicit PortOwner(const port::MemoryOptions& options) : port(options) {}
    P port;
};

// On a memory port, or one like it, of its own.
template <port::Port P>
struct BasicWorkerFixture : PortOwner<P>, WorkerOn<P> {
    explicit BasicWorkerFixture(ScratchStore& store, const port::MemoryOptions& options = {},
                                const tftp::EngineOptions& tftp = {.sessions = 1024},
                                std::uint64_t image_budget = 1 << 26)
        : PortOwner<P>(options), WorkerOn<P>(this->port, store, tftp, image_budget) {}

    // What the worker answers to one frame at a time.
    std::vector<std::vector<std::byte>> exchange(std::span<const std::byte> frame, std::uint64_t now_ns = 1) {
        this->port.inject(frame);
        this->worker.turn(now_ns, now_ns);
        return this->port.take_sent();
    }
};
using WorkerFixture = BasicWorkerFixture<port::MemoryPort>;

}  // namespace rouse::test
