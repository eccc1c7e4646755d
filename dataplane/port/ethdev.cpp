#include "dataplane/port/ethdev.hpp"

#include "dataplane/port/eal.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <thread>
#include <utility>

#include <rte_alarm.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace rouse::port {
namespace {

constexpr std::uint32_t kBufferBytes = RTE_PKTMBUF_HEADROOM + DpdkPort::kFrameBytes;
constexpr unsigned kPoolCache = 256;
constexpr std::uint64_t kLinkMicros = 100'000;

std::string name_of(const std::string& spec) {
    return spec.substr(0, spec.find(','));
}

unsigned cores() {
    return std::max(1U, std::thread::hardware_concurrency());
}

// Returns when DPDK's own thread has done what it had before it. Some drivers (memif) hear there of the other
// end's going while they are taken away here, and would touch what is gone.
void settle() {
    for (int i = 0; i < 2; ++i) {  // what the first round begins, the second ends
        auto done = std::make_unique<std::promise<void>>();
        auto future = done->get_future();
        const auto fulfil = [](void* promise) {
            std::unique_ptr<std::promise<void>>(static_cast<std::promise<void>*>(promise))->set_value();
        };
        if (rte_eal_alarm_set(1, fulfil, done.get()) != 0) return;
        done.release();
        future.wait_for(std::chrono::seconds(1));
    }
}

// A process that was killed leaves its socket's file behind, and a driver that listens (net_vhost, net_memif)
// does not start where there is one. Nobody listens there if it refuses a connection.
void remove_stale_socket(const std::string& path) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (path.empty() || path.size() >= sizeof address.sun_path) return;
    path.copy(address.sun_path, path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool is_stale = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
                          errno == ECONNREFUSED;
    ::close(fd);
    if (is_stale && std::filesystem::is_socket(path)) std::filesystem::remove(path);
}

// Of one queue: what its rings hold, what is on its way between them, and what each thread keeps at hand.
unsigned frames_of_queue(const DpdkOptions& options) {
    return options.receive_descriptors + options.transmit_descriptors + options.transmit_frames + 4 * kBurst +
           kPoolCache;
}

std::uint32_t memory_mib(const DpdkOptions& options, unsigned queues) {
    constexpr std::uint32_t kBaseMib = 16;
    constexpr std::uint32_t kMibPerQueue = 3;         // rings
    constexpr std::uint64_t kBytesBesideFrame = 128;  // a pool's own, and the gap to the next
    const std::uint64_t bytes =
        std::uint64_t{frames_of_queue(options)} * (sizeof(rte_mbuf) + kBufferBytes + kBytesBesideFrame);
    return kBaseMib + queues * (kMibPerQueue + static_cast<std::uint32_t>(bytes >> 20));
}

rte_ether_addr to_dpdk(const MacAddress& mac) {
    rte_ether_addr address{};
    std::copy(mac.octets.begin(), mac.octets.end(), address.addr_bytes);
    return address;
}

}  // namespace

Result<std::unique_ptr<Ethdev>> Ethdev::open(const std::string& spec, unsigned queues,
                                             const DpdkOptions& options) {
    if (is_pci_device(spec))
        if (auto usable = check_pci_device(spec); !usable) return tl::unexpected(usable.error());
    auto started = start_eal({.device = spec,
                              .memory_mib = memory_mib(options, queues == 0 ? cores() : queues),
                              .arguments = options.eal_arguments,
                              .report = options.report});
    if (!started) return tl::unexpected(started.error());
    std::unique_ptr<Ethdev> device(new Ethdev(spec, queues, options));
    if (auto done = device->probe(); !done) return tl::unexpected(done.error());
    auto ready = device->start();
    if (!ready && device->has_receive_interrupts_) {
        device->has_receive_interrupts_ = false;
        ready = device->start();
    }
    if (!ready) return tl::unexpected(ready.error());
    return device;
}

Ethdev::~Ethdev() {
    if (id_ != kNone) {
        rte_eth_dev_info info{};
        rte_eth_dev_info_get(id_, &info);
        if (is_started_) {
            rte_eal_alarm_cancel(on_alarm, this);
            rte_eth_dev_stop(id_);
        }
        settle();
        rte_eth_dev_close(id_);
        settle();
        if (info.device != nullptr) rte_dev_remove(info.device);
    }
    for (rte_mempool* pool : pools_) rte_mempool_free(pool);
}

tl::unexpected<Error> Ethdev::fail_at(const std::string& step, int error) const {
    return fail("cannot " + step + " DPDK device " + name_of(spec_) + ": " + rte_strerror(std::abs(error)));
}

Result<void> Ethdev::probe() {
    std::uint16_t there = 0;
    if (rte_eth_dev_get_port_by_name(name_of(spec_).c_str(), &there) == 0 && !is_pci_device(spec_))
        return fail("DPDK device " + name_of(spec_) + " is open already; give each a number of its own");
    remove_stale_socket(listening_socket(spec_));
    const Complaints complaints;
    if (const int error = rte_dev_probe(spec_.c_str()); error != 0)
        return fail("DPDK cannot make a device of '" + spec_ + "'" + complaints.first() +
                    "; check its name (net_tap0, net_memif0, 0000:03:00.0, …) and its parameters" +
                    (::geteuid() == 0 ? "" : ", and run as root if the driver needs it"));
    rte_dev_iterator iterator{};
    if (rte_eth_iterator_init(&iterator, spec_.c_str()) == 0) {
        id_ = rte_eth_iterator_next(&iterator);
        rte_eth_iterator_cleanup(&iterator);
    }
    if (id_ == RTE_MAX_ETHPORTS) id_ = kNone;
    if (id_ == kNone && rte_eth_dev_get_port_by_name(name_of(spec_).c_str(), &id_) != 0) {
        id_ = kNone;
        return fail("DPDK device '" + spec_ + "' carries no Ethernet frames");
    }
    return {};
}

Result<void> Ethdev::configure() {
    rte_eth_dev_info info{};
    if (const int error = rte_eth_dev_info_get(id_, &info); error != 0) return fail_at("examine", error);
    const auto plan = plan_device(
        name_of(spec_),
        {.driver = info.driver_name,
         .queues = std::min(info.max_rx_queues, info.max_tx_queues),
         .hash_types = info.flow_type_rss_offloads,
         .receive_offloads = info.rx_offload_capa,
         .transmit_offloads = info.tx_offload_capa},
        {.queues = queues_, .cores = cores(), .transfers_keep_ports = options_.transfers_keep_ports});
    if (!plan) return tl::unexpected(plan.error());
    plan_ = *plan;
    queues_ = plan_.queues;
    counts_refusals_ = counts_refusals(info.driver_name);
    sums_udp_ = (plan_.transmit_offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0;
    rte_eth_conf config{};
    config.rx_adv_conf.rss_conf.rss_hf = plan_.hash_types;
    if (plan_.hash_types != 0) config.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    config.rxmode.offloads = plan_.receive_offloads;
    config.txmode.offloads = plan_.transmit_offloads;
    config.intr_conf.rxq = has_receive_interrupts_;
    if (const int error = rte_eth_dev_configure(id_, queues(), queues(), &config); error != 0)
        return fail_at("configure", error);
    return {};
}

Result<void> Ethdev::set_up_queues() {
    if (const int error = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &options_.receive_descriptors,
                                                           &options_.transmit_descriptors);
        error != 0)
        return fail_at("size the rings of", error);
    const unsigned frames = frames_of_queue(options_);
    const int node = rte_eth_dev_socket_id(id_);
    for (std::uint16_t queue = 0; queue < queues(); ++queue) {
        if (pools_.size() == queue) {
            const std::string name = "frames-" + std::to_string(id_) + "-" + std::to_string(queue);
            pools_.push_back(
                rte_pktmbuf_pool_create(name.c_str(), frames, kPoolCache, 0, kBufferBytes, node));
            if (pools_.back() == nullptr) {
                pools_.pop_back();
                return fail(
                    "no memory for the frames of DPDK device " + name_of(spec_) +
                    ": reserve more huge pages, or give DPDK more by dataplane.dpdk_eal = \"-m MIB\"");
            }
        }
        if (const int error = rte_eth_rx_queue_setup(id_, queue, options_.receive_descriptors,
                                                     static_cast<unsigned>(node), nullptr, pools_[queue]);
            error != 0)
            return fail_at("set up a receive queue of", error);
        if (const int error = rte_eth_tx_queue_setup(id_, queue, options_.transmit_descriptors,
                                                     static_cast<unsigned>(node), nullptr);
            error != 0)
            return fail_at("set up a transmit queue of", error);
    }
    return {};
}

Result<void> Ethdev::start() {
    const Complaints complaints;
    const auto with_complaints = [&](Result<void> failed) {
        return fail(failed.error().message + complaints.first());
    };
    if (auto done = configure(); !done) return with_complaints(done);
    if (auto done = set_up_queues(); !done) return with_complaints(done);
    if (const int error = rte_eth_dev_start(id_); error != 0) return with_complaints(fail_at("start", error));
    is_started_ = true;
    if (options_.promiscuous)
        if (const int error = rte_eth_promiscuous_enable(id_); error != 0 && error != -ENOTSUP)
            return with_complaints(fail_at("make promiscuous", error));
    keeps_flows_together_ =
        queues_ == 1 || port::keeps_flows_together(granted_hash_types(), options_.transfers_keep_ports);
    rte_eth_stats_reset(id_);
    look_at_link();
    rte_eal_alarm_set(kLinkMicros, on_alarm, this);
    return {};
}

// What it was asked for, unless its driver knows better.
std::uint64_t Ethdev::granted_hash_types() const {
    rte_eth_rss_conf conf{};
    return plan_.hash_types != 0 && rte_eth_dev_rss_hash_conf_get(id_, &conf) == 0 ? conf.rss_hf
                                                                                   : plan_.hash_types;
}

// Many drivers have no interrupt for the link, so it is looked at, on DPDK's own thread.
void Ethdev::on_alarm(void* device) {
    static_cast<Ethdev*>(device)->look_at_link();
    rte_eal_alarm_set(kLinkMicros, on_alarm, device);
}

void Ethdev::look_at_link() {
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(id_, &link) != 0) return;
    const bool is_up = link.link_status == RTE_ETH_LINK_UP;
    const bool was_up = has_link_.exchange(is_up);
    if (!options_.report || is_up == was_up) return;
    const bool has_speed = is_up && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
    options_.report("link of DPDK device " + name_of(spec_) + " is " + (is_up ? "up" : "down") +
                    (has_speed ? ", " + std::to_string(link.link_speed) + " Mb/s" : ""));
}

Result<void> Ethdev::join(std::span<const MacAddress> groups) {
    std::vector<rte_ether_addr> addresses;
    std::transform(groups.begin(), groups.end(), std::back_inserter(addresses), to_dpdk);
    const Complaints complaints;
    if (rte_eth_dev_set_mc_addr_list(id_, addresses.data(), static_cast<std::uint32_t>(addresses.size())) ==
        0)
        return {};
    // Without a filter by group, all of them; a device that knows no filter at all lets everything through.
    const int error = rte_eth_allmulticast_enable(id_);
    if (error == 0 || error == -ENOTSUP || rte_eth_promiscuous_enable(id_) == 0) return {};
    return fail_at("join the Ethernet groups of IPv6 on", error);
}

MacAddress Ethdev::hardware_address() const noexcept {
    rte_ether_addr address{};
    rte_eth_macaddr_get(id_, &address);
    MacAddress mac;
    std::copy_n(address.addr_bytes, mac.octets.size(), mac.octets.begin());
    return mac;
}

std::uint32_t Ethdev::mtu() const noexcept {
    std::uint16_t mtu = 0;
    rte_eth_dev_get_mtu(id_, &mtu);
    return std::min<std::uint32_t>(mtu, DpdkPort::kMaxMtu);
}

DeviceStatistics Ethdev::statistics() const noexcept {
    rte_eth_stats counted{};
    if (rte_eth_stats_get(id_, &counted) != 0) return {};
    return {.receive_dropped = counted.imissed + counted.ierrors + counted.rx_nombuf,
            .transmit_dropped = counted.oerrors - std::min(counted.oerrors, refused_.load())};
}

std::string Ethdev::describe() const {
    rte_eth_dev_info info{};
    rte_eth_dev_info_get(id_, &info);
    std::string text = "dpdk:" + name_of(spec_) + ", driver " + info.driver_name + ", " +
                       std::to_string(queues_) + (queues_ == 1 ? " queue, " : " queues, ") + eal_memory();
    if (queues_ > 1) text += "; " + describe_sorting(granted_hash_types(), keeps_flows_together_);
    if (!options_.remark.empty()) text += "; " + options_.remark;
    return text;
}

}  // namespace rouse::port
