#pragma once
// The rack's DHCP: DISCOVER, OFFER, REQUEST, ACK (RFC 2131 3.1). Part of rack.hpp.

#include "perf/load/rack.hpp"

namespace rouse::load {

template <port::Port P>
void Rack<P>::lease(std::uint32_t index, std::uint64_t now_ns) {
    machines_[index].transaction = static_cast<std::uint32_t>(random_());
    machines_[index].leasing_ns = now_ns;
    enter(index, State::discovering, now_ns);
}

template <port::Port P>
bool Rack<P>::ask(std::uint32_t index, std::uint64_t now_ns) {
    const auto space = room();
    if (space.empty()) return false;
    const Machine& machine = machines_[index];
    const bool is_request = machine.state == State::requesting;
    const auto& question = is_request ? program_of(index).request : program_of(index).discover;
    commit(question.write(
        space, {.mac = roster_.mac_of(index),
                .transaction = machine.transaction,
                .seconds = static_cast<std::uint16_t>((now_ns - machine.leasing_ns) / kNanosPerSecond),
                .requested_address = machine.address,
                .server_identifier = machine.server}));
    ++(is_request ? tally_.requests : tally_.discovers);
    sent(index, patience_of(index), now_ns);
    return true;
}

template <port::Port P>
void Rack<P>::take_answer(const wire::Datagram& datagram, std::uint64_t now_ns) {
    const auto answer = read_answer(datagram);
    if (!answer) {
        ++tally_.unreadable;
        return;
    }
    const auto index = roster_.find(answer->machine);
    if (!index || machines_[*index].transaction != answer->transaction) {
        ++tally_.stray;
        return;
    }
    handle(*index, *answer, now_ns);
}

template <port::Port P>
void Rack<P>::handle(std::uint32_t index, const Answer& answer, std::uint64_t now_ns) {
    Machine& machine = machines_[index];
    if (machine.state == State::discovering && answer.type == wire::DhcpType::offer) {
        if (!machine.is_resent) tally_.offer.count(now_ns - machine.sent_ns);
        machine.address = answer.address;
        machine.server = answer.server;
        const std::uint16_t collects_ms = kind_of(index).dhcp.collects_ms;
        if (collects_ms == 0) return enter(index, State::requesting, now_ns);
        machine.state = State::choosing;
        wait(index, collects_ms, now_ns);
    } else if (machine.state == State::choosing && answer.type == wire::DhcpType::offer) {
        // Another server's; the first is as good as any.
    } else if (machine.state == State::requesting && answer.type == wire::DhcpType::ack) {
        if (!machine.is_resent) tally_.ack.count(now_ns - machine.sent_ns);
        tally_.exchange.count(now_ns - machine.leasing_ns);
        ++tally_.leases;
        settle(index, answer);
        if (options_.files.empty()) return come_up(index, now_ns);
        enter(index, State::resolving, now_ns);
    } else if (machine.state == State::requesting && answer.type == wire::DhcpType::nak) {
        ++tally_.naks;
        give_up(index);
    } else {
        ++tally_.stray;
    }
}

template <port::Port P>
void Rack<P>::settle(std::uint32_t index, const Answer& answer) {
    Machine& machine = machines_[index];
    machine.address = answer.address;
    machine.files = options_.server.is_zero() ? answer.files : options_.server;
    const bool is_on_link = ((machine.address.host() ^ machine.files.host()) & answer.mask.host()) == 0;
    machine.next_hop = is_on_link || answer.router.is_zero() ? machine.files : answer.router;
    if (!options_.files.empty()) roster_.settle(index, machine.address);
}

}  // namespace rouse::load
