#include "dataplane/process.hpp"

#include "dataplane/port/open.hpp"
#include "dataplane/worker/filter_follower.hpp"
#include "dataplane/worker/loop.hpp"
#include "dataplane/worker/self.hpp"
#include "dataplane/worker/transfer_ports.hpp"

#include <random>
#include <thread>

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace rouse {
namespace {

// The store as the worker sees it. rouse-mgmt makes it; until it has, there is nobody to serve.
struct Store {
    store::Environment environment;
    worker::Directory directory;
};

Result<std::unique_ptr<Store>> open_store(const std::string& directory) {
    auto environment = store::Environment::open(directory, {});
    if (!environment) return tl::unexpected(environment.error());
    auto reader = worker::Directory::open(*environment);
    if (!reader) return tl::unexpected(reader.error());
    return std::make_unique<Store>(Store{std::move(*environment), std::move(*reader)});
}

// Null when told to stop first.
std::unique_ptr<Store> wait_for_store(const std::string& directory, const std::atomic<bool>& stop) {
    constexpr auto kRetry = std::chrono::milliseconds(50);
    constexpr int kTriesPerMessage = 200;
    for (int tries = 0; !stop.load(); ++tries) {
        auto opened = open_store(directory);
        if (opened) return std::move(*opened);
        if (tries % kTriesPerMessage == 0)
            spdlog::warn("waiting for rouse-mgmt to make the store: {}", opened.error().message);
        std::this_thread::sleep_for(kRetry);
    }
    return nullptr;
}

Result<void> pin_to(int cpu) {
    if (cpu < 0) return {};
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<unsigned>(cpu), &cpus);
    if (const int error = pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus); error != 0)
        return fail_errno("cannot run on core " + std::to_string(cpu) + " (dataplane.cpu)", error);
    return {};
}

void announce(CountersLayout& counters, EventRingLayout& ring, const std::string& port) {
    counters.pid.store(static_cast<std::uint32_t>(::getpid()));
    counters.workers.store(1);
    counters.started_ns.store(realtime_ns());
    port.copy(counters.port, sizeof counters.port - 1);
    counters.port[std::min(port.size(), sizeof counters.port - 1)] = '\0';
    Event event{.time_ns = realtime_ns(), .kind = EventKind::dataplane_started};
    event.set_text(port);
    EventProducer(ring).push(event);
    spdlog::info("serving on {}", port);
}

std::uint64_t random_seed() {
    std::random_device random;
    return (std::uint64_t{random()} << 32 | random()) | 1;
}

// Everything that is there when the port is; runs until STOP.
template <port::Device D>
Result<void> serve(D& device, const Config& config, Store& store, CountersLayout& counters,
                   EventRingLayout& ring, const std::atomic<bool>& stop) {
    using P = typename D::PortType;
    P& port = device.ports().front();
    auto self = worker::find_self(device.interface_name(), config.dataplane.address);
    if (!self) return tl::unexpected(self.error());
    self->mac = port.hardware_address();
    const auto self6 = worker::find_self6(device.interface_name(), self->mac);
    if (!self6) return tl::unexpected(self6.error());
    if (auto joined = device.join(self6->group_macs()); !joined) return joined;

    const PortRange tftp_ports = config.tftp_ports();
    if constexpr (!P::kOwnsInterface)
        if (auto free = worker::refuse_ephemeral_ports(tftp_ports); !free) return free;

    image::ImageStore images(store.environment, store.directory.tables(),
                             {.directory = config.images_dir(),
                              .budget_bytes = std::uint64_t{config.dataplane.staging_mib} << 20,
                              .counters = &counters,
                              .report = [](const std::string& message) { spdlog::warn("{}", message); }});
    auto reader = images.reader();
    if (!reader) return tl::unexpected(reader.error());
    std::optional<worker::FilterFollower> filter;
    if constexpr (requires { device.program(); })
        filter.emplace(store.environment, store.directory.tables(), device.program(),
                       worker::FilterFollower::Options{
                           .allow_list = config.dataplane.allow_list,
                           .own_subnet = self->subnet,
                           .strangers_per_second = config.dataplane.strangers_per_second,
                           .guests_per_second = config.dataplane.guests_per_second,
                           .extras = {.router_solicitations = config.dataplane.router_advertisements,
                                      .dhcpv6 = config.dataplane.ipv6_boot,
                                      .tftp_ipv6 = config.dataplane.ipv6_boot,
                                      .dhcp_answers = config.dataplane.watch_servers,
                                      .tftp_ports = tftp_ports,
                                      .own_address = self->mac},
                           .counters = &counters,
                           .report = [](const std::string& message) { spdlog::warn("{}", message); }});
    // After the other threads were started, so that only the worker is pinned.
    if (auto pinned = pin_to(config.dataplane.cpu); !pinned) return pinned;

    // Before the worker is made: from then on it alone writes into the ring.
    announce(counters, ring, device.describe());
    const auto worker = std::make_unique<worker::Worker<P>>(
        port,
        worker::Surroundings{.self = *self,
                             .directory = &store.directory,
                             .counters = &counters.worker[0],
                             .events = &ring,
                             .tftp = {.sessions = config.dataplane.sessions,
                                      .mtu = port.mtu(),
                                      .seed = random_seed(),
                                      .ports = tftp_ports.share(0, 1)},
                             .self6 = *self6,
                             .router_advertisements = config.dataplane.router_advertisements},
        std::move(*reader));
    worker::run_loop(port, *worker, stop, {.rest_when_idle = config.dataplane.rest_when_idle});
    return {};
}

}  // namespace

Result<void> run_dataplane(const Config& config, const std::atomic<bool>& stop) {
    if (auto prepared = prepare_run_dir(config.store.run_dir); !prepared) return prepared;
    auto counters = open_counters(config.store.run_dir);
    if (!counters) return tl::unexpected(counters.error());
    auto ring = open_event_ring(config.store.run_dir, 0);
    if (!ring) return tl::unexpected(ring.error());
    const auto store = wait_for_store(config.lmdb_dir(), stop);
    if (!store) return {};
    auto device =
        port::open_device(config.dataplane.port, 1, {.allow_list_size = config.dataplane.allow_list_size});
    if (!device) return tl::unexpected(device.error());
    return std::visit([&](auto& opened) { return serve(opened, config, *store, **counters, **ring, stop); },
                      *device);
}

}  // namespace rouse
