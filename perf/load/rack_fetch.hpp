#pragma once
// The rack's files: the server's hardware address by ARP (RFC 826), then one TFTP transfer after the other.
// Part of rack.hpp.

#include "dataplane/neighbour/ipv4_responder.hpp"
#include "dataplane/wire/arp.hpp"
#include "perf/load/rack.hpp"

#include <utility>

namespace rouse::load {

// ── ARP ──────────────────────────────────────────────────────────────────────────────────────────────────

template <port::Port P>
void Rack<P>::take_arp(wire::ConstBytes frame, std::uint64_t now_ns) {
    const auto arp = wire::load<wire::ArpPacket>(frame, sizeof(wire::EthernetHeader));
    if (!arp) {
        ++tally_.unreadable;
        return;
    }
    const auto index = roster_.find(arp->target);
    if (!index) return;  // others' talk
    const wire::Self self{.mac = roster_.mac_of(*index),
                          .address = arp->target,
                          .subnet = {.address = arp->target, .length = 32}};
    if (arp->operation == be16(wire::kArpRequest)) {
        std::size_t length = 0;
        const auto space = room();
        if (!space.empty() && neighbour::answer_arp(frame, self, space, length) == DropReason::none)
            commit(length);
        return;
    }
    Machine& machine = machines_[*index];
    if (machine.state != State::resolving || arp->sender != machine.next_hop) return;
    machine.next_hop_mac = arp->sender_mac;
    fetch_next(*index, now_ns);
}

template <port::Port P>
bool Rack<P>::look_up(std::uint32_t index, std::uint64_t now_ns) {
    const auto space = room();
    if (space.empty()) return false;
    const MacAddress mac = roster_.mac_of(index);
    wire::store(space, 0, wire::EthernetHeader{kBroadcastMac, mac, wire::kEtherTypeArp});
    wire::store(space, sizeof(wire::EthernetHeader),
                wire::ArpPacket{.hardware_type = wire::kArpHardwareEthernet,
                                .protocol_type = wire::kEtherTypeIpv4,
                                .hardware_length = sizeof(MacAddress),
                                .protocol_length = sizeof(Ipv4Address),
                                .operation = wire::kArpRequest,
                                .sender_mac = mac,
                                .sender = machines_[index].address,
                                .target_mac = {},
                                .target = machines_[index].next_hop});
    commit(sizeof(wire::EthernetHeader) + sizeof(wire::ArpPacket));
    sent(index, kArpPatience, now_ns);
    return true;
}

// ── TFTP ─────────────────────────────────────────────────────────────────────────────────────────────────

template <port::Port P>
std::string Rack<P>::name_of(std::uint32_t index) const {
    const Machine& machine = machines_[index];
    if (!machine.search_is_over)
        return search_name(kind_of(index).tftp.search, machine.searched, roster_.mac_of(index),
                           machine.address);
    return machine.fetched < options_.files.size() ? options_.files[machine.fetched].name : "";
}

// What comes next: a name to search for, a file, or nothing more.
template <port::Port P>
void Rack<P>::fetch_next(std::uint32_t index, std::uint64_t now_ns) {
    Machine& machine = machines_[index];
    if (!machine.search_is_over && name_of(index).empty()) machine.search_is_over = true;
    if (name_of(index).empty()) return come_up(index, now_ns);
    const TftpManner& manner = kind_of(index).tftp;
    // Each request has a port of its own, so that nothing of the last transfer is taken for the next.
    const std::uint16_t first = manner.first_port != 0 ? manner.first_port : std::uint16_t{2048};
    const auto random = static_cast<std::uint16_t>(first + random_() % 30'000);
    if (!std::exchange(machine.has_fetched, true))
        machine.port = manner.first_port != 0 ? first : random;
    else
        ++machine.port;
    machine.is_probing = manner.probes && !machine.tftp.is_probe();
    machine.tftp = {};
    enter(index, State::fetching, now_ns);
}

// The request, or the acknowledgement that nothing followed.
template <port::Port P>
bool Rack<P>::fetch(std::uint32_t index, std::uint64_t now_ns) {
    const auto space = room();
    if (space.empty()) return false;
    Machine& machine = machines_[index];
    const MachineKind& kind = kind_of(index);
    const auto payload = space.subspan(wire::kUdpFrameOverhead);
    const std::string name = machine.tftp.blocks() > 0 ? "" : name_of(index);
    if (machine.attempt == 0) machine.request_ns = now_ns;
    const std::size_t length =
        machine.tftp.is_open()
            ? machine.tftp.resend(name, kind.tftp, payload)
            : machine.tftp.start(name, kind.tftp, machine.is_probing, machine.port, payload);
    if (length > 0) commit(write_datagram(index, space, length));
    sent(index, kind.tftp.patience, now_ns);
    return true;
}

template <port::Port P>
std::size_t Rack<P>::write_datagram(std::uint32_t index, std::span<std::byte> room,
                                    std::size_t length) noexcept {
    const Machine& machine = machines_[index];
    const wire::UdpTemplate headers({.source_mac = roster_.mac_of(index),
                                     .destination_mac = machine.next_hop_mac,
                                     .source = machine.address,
                                     .destination = machine.files,
                                     .source_port = machine.tftp.port(),
                                     .destination_port = machine.tftp.server_port()});
    const std::size_t frame = headers.write(room, length);
    if (kind_of(index).has_checksum) wire::add_udp_checksum(room.first(frame));
    return frame;
}

template <port::Port P>
void Rack<P>::take_tftp(std::uint32_t index, const wire::Datagram& datagram, std::uint64_t now_ns) {
    Machine& machine = machines_[index];
    const MachineKind& kind = kind_of(index);
    const auto space = room();
    const auto payload = space.empty() ? space : space.subspan(wire::kUdpFrameOverhead);
    const Reply reply = machine.tftp.receive(datagram.payload, datagram.source_port, kind.tftp, payload);
    const bool is_block = reply.taken == Taken::block || reply.taken == Taken::end;
    if (is_block) count_block(index, datagram, now_ns);
    if (is_block && machine.leaves_after != 0 && machine.tftp.blocks() >= machine.leaves_after)
        return leave(index);
    if (reply.length > 0) commit(write_datagram(index, space, reply.length));
    switch (reply.taken) {
        case Taken::opened:
        case Taken::block:
            // Another message, and as many tries for it; a window's blocks only keep it waiting.
            machine.attempt = 0;
            if (reply.length > 0) return sent(index, kind.tftp.patience, now_ns);
            return wait(index, kind.tftp.patience.wait_ms(1), now_ns);
        case Taken::end:
            return end_file(index, now_ns);
        case Taken::probed:
            ++tally_.probes;
            return fetch_next(index, now_ns);
        case Taken::missing:
            return end_miss(index, now_ns);
        case Taken::nothing:
            ++tally_.out_of_order;
            machine.is_resent = true;
            return;
        case Taken::stray:
            ++tally_.stray;
            return;
        case Taken::refused:
            ++tally_.refused;
            return give_up(index);
        case Taken::broken:
            ++tally_.broken;
            return give_up(index);
    }
}

template <port::Port P>
void Rack<P>::count_block(std::uint32_t index, const wire::Datagram& datagram,
                          std::uint64_t now_ns) noexcept {
    Machine& machine = machines_[index];
    ++tally_.blocks;
    tally_.last_block_ns = now_ns;
    tally_.bytes += datagram.payload.size() - wire::tftp::kHeaderBytes;
    if (machine.tftp.blocks() == 1)
        tally_.first_byte.count(now_ns - machine.request_ns);
    else if (!machine.is_resent && machine.sent_ns != 0)
        tally_.turnaround.count(now_ns - machine.sent_ns);
    // Of a window the first block alone tells how fast the answer was.
    machine.sent_ns = 0;
}

template <port::Port P>
void Rack<P>::end_file(std::uint32_t index, std::uint64_t now_ns) {
    Machine& machine = machines_[index];
    ++tally_.transfers;
    if (!machine.search_is_over) {
        ++machine.searched;
        machine.search_is_over = ends_with_a_hit(kind_of(index).tftp.search);
        return fetch_next(index, now_ns);
    }
    const bool is_right = !options_.verifies ||
                          options_.files[machine.fetched].matches({machine.tftp.bytes(), machine.tftp.crc()});
    ++machine.fetched;
    if (!is_right) {
        ++tally_.corrupt;
        return give_up(index);
    }
    if (kind_of(index).next != nullptr) return start_next_program(index, now_ns);
    if (kind_of(index).tftp.looks_up_each && machine.fetched < options_.files.size())
        return enter(index, State::resolving, now_ns);
    fetch_next(index, now_ns);
}

// The file that was fetched runs.
template <port::Port P>
void Rack<P>::start_next_program(std::uint32_t index, std::uint64_t now_ns) {
    Machine& machine = machines_[index];
    ++machine.program;
    machine.searched = 0;
    machine.search_is_over = machine.has_fetched = false;
    machine.tftp = {};
    if (kind_of(index).leases && options_.address_base.is_zero()) return lease(index, now_ns);
    fetch_next(index, now_ns);
}

template <port::Port P>
void Rack<P>::end_miss(std::uint32_t index, std::uint64_t now_ns) {
    Machine& machine = machines_[index];
    if (machine.search_is_over) {
        ++tally_.refused;
        return give_up(index);
    }
    ++tally_.misses;
    ++machine.searched;
    fetch_next(index, now_ns);
}

// Vanishes, or says so.
template <port::Port P>
void Rack<P>::leave(std::uint32_t index) noexcept {
    if (happens(options_.abort / (options_.abort + options_.vanish))) break_off(index);
    power_off(index, tally_.left);
}

template <port::Port P>
void Rack<P>::break_off(std::uint32_t index) noexcept {
    const auto space = room();
    if (space.empty()) return;
    const std::size_t length = machines_[index].tftp.abort(space.subspan(wire::kUdpFrameOverhead));
    commit(write_datagram(index, space, length));
}

template <port::Port P>
void Rack<P>::break_off_all() noexcept {
    for (std::uint32_t index = 0; index < machines_.size(); ++index) {
        if (machines_[index].state != State::fetching || !machines_[index].tftp.is_open()) continue;
        if (room_ == 0) outbox_.flush();
        if (room_ == 0) room_ = port::kBurst;
        break_off(index);
    }
    outbox_.flush();
}

}  // namespace rouse::load
