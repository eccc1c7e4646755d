#pragma once
// The burst loop of one core: receive, handle each frame to its end, send. No lock, allocation, log or wait;
// the only system call is the port's kick.

#include "dataplane/worker/dhcp6_service.hpp"
#include "dataplane/worker/dhcp_service.hpp"
#include "dataplane/worker/handover.hpp"
#include "dataplane/worker/neighbour_service.hpp"
#include "dataplane/worker/outbox.hpp"
#include "dataplane/worker/parking.hpp"
#include "dataplane/worker/tftp_service.hpp"
#include "shared/clock.hpp"

#include <array>

namespace rouse::worker {

// What a worker works with; all of it outlives the worker. Time is CLOCK_MONOTONIC and CLOCK_REALTIME
// nanoseconds.
struct Surroundings {
    wire::Self self;
    Directory* directory = nullptr;
    WorkerCounters* counters = nullptr;
    EventRingLayout* events = nullptr;
    tftp::EngineOptions tftp{};
    wire::Self6 self6{};
    bool router_advertisements = true;
    bool is_first = true;  // of the device's workers: the one that advertises without being asked
    Handover handover{};   // none needed: the device sorts the frames, or there is one worker
};

template <port::Port P>
class Worker {
  public:
    Worker(P& port, const Surroundings& with, image::ImageStore::Reader images)
        : port_(&port),
          self_(with.self),
          self6_(with.self6),
          directory_(with.directory),
          counters_(with.counters),
          reporter_(EventProducer(*with.events), *with.counters),
          outbox_(port, *with.counters),
          handover_(with.handover),
          neighbour_(with.self, with.self6, *with.directory,
                     {.advertise = with.router_advertisements,
                      .unasked = with.is_first,
                      .owns_interface = P::kOwnsInterface,
                      .seed = with.tftp.seed}),
          dhcp_(with.self, *with.directory, *with.counters, reporter_),
          dhcp6_(with.self, with.self6, *with.directory, *with.counters, reporter_),
          tftp_({.self = with.self,
                 .self6 = with.self6,
                 .directory = with.directory,
                 .images = std::move(images),
                 .counters = with.counters,
                 .reporter = &reporter_,
                 .outbox = &outbox_},
                with.tftp) {}

    // One turn: at most one burst in from the port and one from other workers, at most one budget of blocks
    // out. True if there was anything to do; when not, the caller may rest().
    bool turn(std::uint64_t now_ns, std::uint64_t realtime_ns) noexcept {
        reporter_.set_time(realtime_ns);
        now_unix_ = realtime_ns / kNanosPerSecond;
        std::array<port::Frame, port::kBurst> burst;
        std::array<port::Frame, port::kBurst> given;
        const std::size_t received = port_->receive(burst);
        const std::size_t taken = handover_.take(given);
        const bool speaks = neighbour_.is_due(now_ns);
        if (received + taken == 0 && !speaks && is_quiet()) {
            counters_->add(Counter::polls_empty);
            tftp_.quiescent();
            outbox_.flush();
            return false;
        }
        directory_->begin();
        if (received + taken > 0 || speaks) follow_switches();
        if (received > 0) {
            handle_burst(now_ns, std::span(burst).first(received));
            count_received(std::span(burst).first(received));
            handover_.publish();
        }
        port_->release(std::span(burst).first(received));
        if (taken > 0) handle_burst(now_ns, std::span(given).first(taken));
        handover_.release(taken);
        if (speaks) advertise(now_ns);
        replay(now_ns);
        const std::size_t blocks = tftp_.run(now_ns);
        directory_->end();
        tftp_.quiescent();
        outbox_.flush();
        return received + taken + blocks > 0;
    }

    // After a turn that found nothing to do: sleeps until a frame comes or another worker gives one; a
    // millisecond at most while transfers are open, for their timers. False when there was no need to.
    bool rest() noexcept {
        constexpr std::uint64_t kShortNs = kNanosPerMilli;
        constexpr std::uint64_t kLongNs = 50 * kNanosPerMilli;
        if (!handover_.prepare_rest()) return false;
        const std::uint64_t began = monotonic_ns();
        port_->wait(is_quiet() ? kLongNs : kShortNs, handover_.wake_fd());
        handover_.end_rest();
        counters_->add(Counter::rests);
        counters_->add(Counter::rest_nanoseconds, monotonic_ns() - began);
        return true;
    }

    // Page faults of its thread since the last call.
    void count_faults(std::uint64_t minor, std::uint64_t major) noexcept {
        counters_->add(Counter::minor_faults, minor);
        counters_->add(Counter::major_faults, major);
    }

    // Some hundred times a second: what need not be exact.
    void housekeeping(std::uint64_t now_ns) noexcept {
        counters_->heartbeat_ns.store(now_ns, std::memory_order_relaxed);
        counters_->tftp_sessions_open.store(tftp_.sessions(), std::memory_order_relaxed);
        const port::DeviceStatistics now_lost = port_->statistics();
        count_lost(DropReason::receive_lost, now_lost.receive_dropped, lost_.receive_dropped);
        count_lost(DropReason::transmit_lost, now_lost.transmit_dropped, lost_.transmit_dropped);
        count_lost(DropReason::host_lost, now_lost.host_lost, lost_.host_lost);
    }

    // Nothing is under way that needs a turn before the next frame.
    [[nodiscard]] bool is_quiet() const noexcept { return tftp_.sessions() == 0 && parking_.size() == 0; }

  private:
    // NOW so many, of which COUNTED are counted. A device that cannot tell for a moment says 0.
    void count_lost(DropReason reason, std::uint64_t now, std::uint64_t& counted) noexcept {
        if (now <= counted) return;
        counters_->drop(reason, now - counted);
        counted = now;
    }
    void follow_switches() noexcept {
        if (switches_snapshot_ == directory_->snapshot()) return;
        switches_snapshot_ = directory_->snapshot();
        const store::SwitchRecord switches = directory_->switches();
        dhcp_enabled_ = switches.dhcp_enabled != 0;
        tenure_unix_ = directory_->tenure();
        neighbour_.advertise_routers(dhcp_enabled_);
        tftp_enabled_ = switches.tftp_enabled != 0;
        tftp_.set_limits({.block_size = switches.max_block_size, .window_size = switches.max_window});
    }

    // In two passes, so that what IPv4's datagrams will touch comes from memory all at once.
    void handle_burst(std::uint64_t now_ns, std::span<const port::Frame> burst) noexcept {
        std::array<Arrival, port::kBurst> arrivals;
        std::array<wire::Datagram, port::kBurst> datagrams;
        for (const port::Frame& frame : burst) tftp::prefetch_lines(frame.data, 64);
        for (std::size_t i = 0; i < burst.size(); ++i) {
            arrivals[i].type = ether_type(burst[i].bytes());
            if (arrivals[i].type == wire::kEtherTypeIpv4)
                arrivals[i].drop =
                    wire::parse_datagram(burst[i].bytes(), self_, datagrams[i], checksum_of(burst[i]));
        }
        tftp_.prefetch(std::span<const wire::Datagram>(datagrams).first(burst.size()));
        for (std::size_t i = 0; i < burst.size(); ++i)
            if (const DropReason drop = handle(now_ns, burst[i], arrivals[i], datagrams[i]);
                drop != DropReason::none)
                refuse(burst[i].bytes(), drop);
    }
    void count_received(std::span<const port::Frame> burst) noexcept {
        std::uint64_t bytes = 0;
        for (const port::Frame& frame : burst) bytes += frame.length;
        counters_->add(Counter::frames_received, burst.size());
        counters_->add(Counter::bytes_received, bytes);
    }

    // What is not ours is the host's, where it has a share of the port.
    void refuse(wire::ConstBytes frame, DropReason drop) noexcept {
        if constexpr (requires { port_->give_to_host(frame); })
            if (port_->has_host() && is_for_host(drop)) {
                if (port_->give_to_host(frame))
                    counters_->add(Counter::frames_to_host);
                else
                    counters_->drop(DropReason::host_busy);
                return;
            }
        counters_->drop(drop);
    }

    struct Arrival {
        std::uint16_t type = wire::kEtherTypeIpv4;
        DropReason drop = DropReason::none;  // of a datagram over IPv4
    };
    // A frame too short to have one counts as IPv4, whose check says so.
    static std::uint16_t ether_type(wire::ConstBytes frame) noexcept {
        const auto type = wire::load<be16>(frame, offsetof(wire::EthernetHeader, type));
        return type ? type->host() : wire::kEtherTypeIpv4;
    }

    // What the device found wrong, or did not look at, is looked at here: it may be mistaken.
    static wire::UdpChecksum checksum_of(const port::Frame& frame) noexcept {
        return frame.device_sums ? wire::UdpChecksum::device : wire::UdpChecksum::software;
    }

    DropReason handle(std::uint64_t now_ns, const port::Frame& received, const Arrival& arrival,
                      const wire::Datagram& datagram) noexcept {
        const wire::ConstBytes frame = received.bytes();
        switch (arrival.type) {
            case wire::kEtherTypeIpv6:
                return handle_ipv6(now_ns, frame, checksum_of(received));
            case wire::kEtherTypeArp:
                return answer(
                    [&](auto room, auto& length) { return neighbour_.receive_arp(frame, room, length); });
            case wire::kEtherTypeIpv4:
                if (arrival.drop == DropReason::ipv4_protocol_unknown)
                    return answer([&](auto room, auto& length) {
                        return neighbour_.receive_icmp(frame, room, length);
                    });
                return arrival.drop == DropReason::none ? handle_ipv4(now_ns, frame, datagram) : arrival.drop;
            default:
                return DropReason::ethertype_unknown;
        }
    }

    // FILL writes an answer into a frame's room and sets its length, or says why there is none.
    template <typename Fill>
    DropReason answer(Fill&& fill) noexcept {
        const auto room = outbox_.room();
        if (room.empty()) return DropReason::transmit_no_frame;
        std::size_t length = 0;
        const DropReason drop = fill(room, length);
        if (drop == DropReason::none && length > 0) outbox_.commit(length);
        return drop;
    }

    void advertise(std::uint64_t now_ns) noexcept {
        const auto room = outbox_.room();
        if (room.empty()) return;  // again next turn
        if (const std::size_t length = neighbour_.advertise(now_ns, room); length > 0) outbox_.commit(length);
    }

    DropReason handle_ipv6(std::uint64_t now_ns, wire::ConstBytes frame, wire::UdpChecksum by) noexcept {
        wire::Packet6 packet;
        if (const DropReason drop = wire::parse_packet6(frame, self6_, packet); drop != DropReason::none)
            return drop;
        if (packet.next_header == wire::kProtocolIcmpv6)
            return answer(
                [&](auto room, auto& length) { return neighbour_.receive_icmpv6(packet, room, length); });
        wire::Datagram6 datagram;
        if (const DropReason drop = wire::parse_datagram6(packet, datagram, by); drop != DropReason::none)
            return drop;
        switch (datagram.destination_port) {
            case wire::kDhcp6ServerPort:
                return handle_dhcp(now_ns, Parking::Family::ipv6, frame, [&](auto room) {
                    return dhcp6_.receive(datagram, now_unix_, false, room);
                });
            default:
                return handle_tftp(now_ns, frame, datagram);
        }
    }

    DropReason handle_ipv4(std::uint64_t now_ns, wire::ConstBytes frame,
                           const wire::Datagram& datagram) noexcept {
        switch (datagram.destination_port) {
            case wire::kDhcpServerPort:
            case wire::kPxeServerPort:
                return handle_dhcp(now_ns, Parking::Family::ipv4, frame, [&](auto room) {
                    return dhcp_.receive(datagram, now_unix_, false, room);
                });
            case wire::kDhcpClientPort:
                return dhcp_.overhear(datagram);
            default:
                return handle_tftp(now_ns, frame, datagram);
        }
    }

    // FRAME holds DATAGRAM, of either family. TFTP's ports are one and a range, which no switch can name.
    template <typename Datagram>
    DropReason handle_tftp(std::uint64_t now_ns, wire::ConstBytes frame, const Datagram& datagram) noexcept {
        if (!tftp_.serves(datagram.destination_port)) return DropReason::udp_port_unknown;
        if (!tftp_enabled_) return DropReason::tftp_disabled;
        if (handover_.is_mine(datagram.source)) return tftp_.receive(now_ns, datagram);
        if (!handover_.give(datagram.source, frame)) return DropReason::handover_full;
        counters_->add(Counter::frames_handed_over);
        return DropReason::none;
    }

    // RECEIVE(room) -> outcome handles FRAME, which is parked when its sender needs a lease first.
    template <typename Receive>
    DropReason handle_dhcp(std::uint64_t now_ns, Parking::Family family, wire::ConstBytes frame,
                           Receive&& receive) noexcept {
        if (!dhcp_enabled_ || now_unix_ >= tenure_unix_) return DropReason::dhcp_disabled;
        const auto room = outbox_.room();
        if (room.empty()) return DropReason::transmit_no_frame;
        const DhcpService::Outcome outcome = receive(room);
        if (outcome.frame_length > 0) outbox_.commit(outcome.frame_length);
        if (!outcome.wants_lease) return outcome.drop;
        const auto arrival = parking_.park(*outcome.wants_lease, family, frame, now_ns);
        if (arrival == Parking::Arrival::full) return DropReason::dhcp_parking_full;
        if (arrival == Parking::Arrival::parked) counters_->add(Counter::dhcp_parked);
        return DropReason::none;
    }

    // What waits for a lease gets its chance once per commit.
    void replay(std::uint64_t now_ns) noexcept {
        if (parking_.size() == 0) return;
        const bool committed = directory_->snapshot() != replayed_snapshot_;
        replayed_snapshot_ = directory_->snapshot();
        const std::size_t late = parking_.replay(now_ns, [&](Parking::Family family, wire::ConstBytes frame) {
            const auto room = committed ? outbox_.room() : wire::MutableBytes{};
            if (room.empty()) return false;
            const auto outcome =
                family == Parking::Family::ipv6 ? replay_ipv6(frame, room) : replay_ipv4(frame, room);
            if (outcome.frame_length > 0) outbox_.commit(outcome.frame_length);
            return !outcome.wants_lease;
        });
        if (late > 0) counters_->drop(DropReason::dhcp_lease_timeout, late);
    }
    // FRAME was found to be sound when it came, so its checksum is not looked at again.
    DhcpService::Outcome replay_ipv4(wire::ConstBytes frame, wire::MutableBytes room) noexcept {
        wire::Datagram datagram;
        const DropReason drop = wire::parse_datagram(frame, self_, datagram, wire::UdpChecksum::device);
        return drop != DropReason::none ? DhcpService::Outcome{.drop = drop}
                                        : dhcp_.receive(datagram, now_unix_, true, room);
    }
    DhcpService::Outcome replay_ipv6(wire::ConstBytes frame, wire::MutableBytes room) noexcept {
        wire::Packet6 packet;
        wire::Datagram6 datagram;
        DropReason drop = wire::parse_packet6(frame, self6_, packet);
        if (drop == DropReason::none)
            drop = wire::parse_datagram6(packet, datagram, wire::UdpChecksum::device);
        return drop != DropReason::none ? DhcpService::Outcome{.drop = drop}
                                        : dhcp6_.receive(datagram, now_unix_, true, room);
    }

    P* port_;
    wire::Self self_;
    wire::Self6 self6_;
    Directory* directory_;
    WorkerCounters* counters_;
    Reporter reporter_;
    Outbox<P> outbox_;
    Handover handover_;
    NeighbourService neighbour_;
    DhcpService dhcp_;
    Dhcp6Service dhcp6_;
    TftpService<P> tftp_;
    Parking parking_;
    std::uint64_t replayed_snapshot_ = 0;
    std::uint64_t switches_snapshot_ = ~std::uint64_t{0};  // none yet
    std::uint64_t now_unix_ = 0;
    bool dhcp_enabled_ = true;
    std::uint64_t tenure_unix_ = UINT64_MAX;  // no address is given from then on
    bool tftp_enabled_ = true;
    port::DeviceStatistics lost_{};  // counted so far
};

}  // namespace rouse::worker
