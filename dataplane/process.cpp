#include "dataplane/process.hpp"

#include "dataplane/crew.hpp"
#include "dataplane/port/open.hpp"
#include "dataplane/worker/filter_follower.hpp"
#include "dataplane/worker/neighbour_limit.hpp"
#include "dataplane/worker/self.hpp"
#include "dataplane/worker/transfer_ports.hpp"

#include <algorithm>
#include <bit>
#include <thread>

#include <spdlog/spdlog.h>
#include <unistd.h>

namespace rouse {
namespace {

// The store as the workers see it. rouse-mgmt makes it; until it has, there is nobody to serve.
struct Store {
    store::Environment environment;
    store::Tables tables;
};

Result<std::unique_ptr<Store>> open_store(const std::string& directory) {
    auto environment = store::Environment::open(directory, {});
    if (!environment) return tl::unexpected(environment.error());
    const auto tables = worker::Directory::open_tables(*environment);
    if (!tables) return tl::unexpected(tables.error());
    return std::make_unique<Store>(Store{std::move(*environment), *tables});
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

void announce(CountersLayout& counters, EventRingLayout& ring, const std::string& port, std::size_t workers) {
    counters.pid.store(static_cast<std::uint32_t>(::getpid()));
    counters.workers.store(static_cast<std::uint32_t>(workers));
    counters.started_ns.store(realtime_ns());
    port.copy(counters.port, sizeof counters.port - 1);
    counters.port[std::min(port.size(), sizeof counters.port - 1)] = '\0';
    Event event{.time_ns = realtime_ns(), .kind = EventKind::dataplane_started};
    event.set_text(port);
    EventProducer(ring).push(event);
    spdlog::info("serving on {}", port);
}

void warn(const std::string& message) {
    spdlog::warn("{}", message);
}

worker::FilterFollower::Options filter_options(const Config& whole, const wire::Self& self,
                                               CountersLayout& counters) {
    const auto& config = whole.dataplane;
    return {.allow_list = config.allow_list,
            .own_subnet = self.subnet,
            .strangers_per_second = config.strangers_per_second,
            .guests_per_second = config.guests_per_second,
            .extras = {.router_solicitations = config.router_advertisements,
                       .dhcpv6 = config.ipv6_boot,
                       .tftp_ipv6 = config.ipv6_boot,
                       .dhcp_answers = config.watch_servers,
                       .tftp_ports = whole.tftp_ports(),
                       .own_address = self.mac},
            .counters = &counters,
            .report = warn};
}

port::DpdkOptions dpdk_options(const Config& config) {
    port::DpdkOptions options;
    options.eal_arguments = config.dataplane.dpdk_eal;
    options.report = warn;
    options.transfers_keep_ports = config.tftp_ports().count == 0;
    options.transmit_frames = config.dataplane.ring_frames;
    // Many devices know powers of two alone.
    constexpr unsigned kMostDescriptors = 32'768;
    const unsigned descriptors = std::bit_floor(std::min(config.dataplane.ring_frames, kMostDescriptors));
    options.receive_descriptors = options.transmit_descriptors = static_cast<std::uint16_t>(descriptors);
    options.host.name = config.dataplane.host_interface;
    for (const std::string& address : {config.dataplane.address, config.dataplane.address6})
        if (!address.empty()) options.host.addresses.push_back(address);
    return options;
}

// Everything that is there when the device is; runs until STOP.
template <port::Device D>
Result<void> serve(D& device, const Config& config, Store& store, CountersLayout& counters,
                   const std::atomic<bool>& stop) {
    auto self = worker::find_self(device.interface_name(), config.rack_address());
    if (!self) return tl::unexpected(self.error());
    self->mac = device.ports().front().hardware_address();
    const auto self6 = worker::find_self6(device.interface_name(), self->mac);
    if (!self6) return tl::unexpected(self6.error());
    if (auto joined = device.join(self6->group_macs()); !joined) return joined;
    if (auto free = worker::refuse_ephemeral_ports(config.tftp_ports()); !free) return free;
    if constexpr (!D::PortType::kOwnsInterface) {
        if (auto room = worker::allow_neighbours(config.dataplane.allow_list_size); !room)
            warn(room.error().message);
    }

    image::ImageStore images(store.environment, store.tables,
                             {.directory = config.images_dir(),
                              .budget_bytes = std::uint64_t{config.dataplane.staging_mib} << 20,
                              .counters = &counters,
                              .report = warn});
    std::optional<worker::FilterFollower> filter;
    if constexpr (requires { device.program(); })
        filter.emplace(store.environment, store.tables, device.program(),
                       filter_options(config, *self, counters));

    auto crew = Crew<D>::gather(device, {.config = &config,
                                         .self = *self,
                                         .self6 = *self6,
                                         .environment = &store.environment,
                                         .images = &images,
                                         .counters = &counters,
                                         .warn = warn});
    if (!crew) return tl::unexpected(crew.error());
    // Before the workers run: from then on each alone writes into its ring.
    announce(counters, crew->first_ring(), device.describe(), crew->size());
    crew->run(stop, [&] { counters.set(Gauge::port_link_up, device.has_link() ? 1 : 0); });
    return {};
}

}  // namespace

Result<void> run_dataplane(const Config& config, const std::atomic<bool>& stop) {
    if (auto prepared = prepare_run_dir(config.store.run_dir); !prepared) return prepared;
    auto counters = open_counters(config.store.run_dir);
    if (!counters) return tl::unexpected(counters.error());
    const auto store = wait_for_store(config.lmdb_dir(), stop);
    if (!store) return {};
    const auto& dataplane = config.dataplane;
    auto device = port::open_device(dataplane.port, dataplane.workers,
                                    {.receive_frames = dataplane.ring_frames,
                                     .transmit_frames = dataplane.ring_frames,
                                     .allow_list_size = dataplane.allow_list_size},
                                    dpdk_options(config));
    if (!device) return tl::unexpected(device.error());
    return std::visit([&](auto& opened) { return serve(opened, config, *store, **counters, stop); }, *device);
}

}  // namespace rouse
