#pragma once
// Engine<H>: requests, and what belongs to no transfer. Included by engine.hpp.

#include "dataplane/tftp/engine.hpp"
#include "dataplane/tftp/text.hpp"
#include "shared/miss.hpp"

namespace rouse::tftp {

template <Host H>
Engine<H>::Engine(const EngineOptions& options)
    : sessions_(options.sessions, options.seed),
      queues_(sessions_.capacity(), list(Waiting::count)),
      timers_(sessions_.capacity()),
      stray_answers_(10, 10),
      mtu_(std::max<std::uint32_t>(options.mtu, 576)),  // RFC 791: every host takes that much
      ports_(options.ports),
      port_choice_(options.seed) {}

template <Host H>
DropReason Engine<H>::receive(std::uint64_t now_ns, const Peer& peer, Bytes payload, H& host) noexcept {
    using wire::tftp::Opcode;
    const Datagram in{now_ns, tick_of(now_ns), peer, payload, host};
    const auto opcode = wire::tftp::read_opcode(payload);
    if (!opcode) return DropReason::tftp_too_short;
    const auto kind = static_cast<Opcode>(*opcode);
    if (kind > Opcode::oack || *opcode == 0) return DropReason::tftp_bad_opcode;
    const bool is_request = kind == Opcode::rrq || kind == Opcode::wrq;
    if (is_request && peer.server_port != wire::tftp::kPort) return DropReason::tftp_no_session;
    if (kind == Opcode::rrq) return read_request(in);
    if (kind == Opcode::wrq) return write_request(in);

    Index index = sessions_.find({peer.server, peer.address, peer.port});
    if (index != kNone && sessions_[index].server_port != peer.server_port) index = kNone;
    if (kind == Opcode::error)  // never answered (RFC 1350 7)
        return index == kNone ? DropReason::tftp_no_session : client_error(in, index);
    if (index == kNone) return stray(in, DropReason::tftp_no_session);
    if (kind != Opcode::ack) return DropReason::tftp_not_a_clients;
    const auto block = wire::tftp::read_block(payload);
    if (!block) return DropReason::tftp_too_short;
    return acknowledge(in, index, *block);
}

template <Host H>
DropReason Engine<H>::read_request(const Datagram& in) noexcept {
    in.host.counters().add(Counter::tftp_requests);
    const Index known = sessions_.find({in.peer.server, in.peer.address, in.peer.port});
    if (known != kNone && is_repetition(in, sessions_[known])) return repeated_request(in, known);
    const auto machine = in.host.identify(in.peer);
    if (!machine) return DropReason::tftp_unknown_machine;
    const auto request = wire::tftp::read_request(in.payload);
    if (!request)
        return refuse(in, {ErrorCode::illegal_operation, "malformed request"}, DropReason::tftp_bad_request);
    if (request->mode != wire::tftp::Mode::octet && request->mode != wire::tftp::Mode::netascii)
        return refuse(in, {ErrorCode::illegal_operation, "only modes octet and netascii are served"},
                      DropReason::tftp_bad_mode);
    if (known != kNone) start_over(known, in.now_ns, in.host);
    return open(in, *machine, *request);
}

// The client is at it again from the same port: GRUB and pxelinux use the same ones after every reboot.
template <Host H>
void Engine<H>::start_over(Index index, std::uint64_t now_ns, H& host) noexcept {
    if (sessions_[index].state == State::finished) {
        release_slot(index);
    } else {
        fail(index, now_ns, TransferFailure::restarted, host);
    }
}

// Nothing is ever written; whoever tries is told so, and so is the operator.
template <Host H>
DropReason Engine<H>::write_request(const Datagram& in) noexcept {
    const auto machine = in.host.identify(in.peer);
    if (!machine) return DropReason::tftp_unknown_machine;
    const auto request = wire::tftp::read_request(in.payload);
    emit_refusal(in, EventKind::tftp_write_refused, 0, *machine, request ? request->name : "");
    return refuse(in, {ErrorCode::access_violation, "writing is not allowed"},
                  DropReason::tftp_write_refused);
}

template <Host H>
DropReason Engine<H>::open(const Datagram& in, const MacAddress& machine,
                           const wire::tftp::Request& request) noexcept {
    const Name name(request.name);
    if (name.view().empty()) return miss(in, machine, request.name, name);
    const Resolution found = in.host.resolve(machine, name.view());
    if (found.availability == Availability::missing) return miss(in, machine, request.name, name);
    if (found.availability == Availability::unavailable) {
        emit_refusal(in, EventKind::tftp_failed, static_cast<std::uint16_t>(TransferFailure::not_resident),
                     machine, name.view());
        return refuse(in, kNotResident, DropReason::tftp_not_resident);
    }
    const Index index = take_session(in.host, in.now_ns);
    if (index == kNone) return DropReason::tftp_table_full;

    ThisSession& session = sessions_[index];
    session = {};
    session.key = {in.peer.server, in.peer.address, in.peer.port};
    session.machine = machine;
    session.content = found.content;
    session.started_ns = in.now_ns;
    session.heard = in.now;
    session.fingerprint = fingerprint(in.payload);
    session.state = State::opening;
    session.waiting = Waiting::unused;
    session.name_length = static_cast<std::uint8_t>(name.view().size());
    copy_printable(name.view(), sessions_.name_of(index));
    session.server_port = choose_port();
    session.route = route_of(session, in);
    negotiate(session, request, found.quirks);
    sessions_.insert(index);
    count_open(in.host, 1);

    Event event;
    event.kind = EventKind::tftp_request;
    event.transaction = in.peer.port;
    event.mac = machine;
    event.address = in.peer.address;
    event.bytes = found.content.size;
    event.block_size = session.block_size;
    event.window_size = session.window_size;
    set_printable(event, name.view());
    in.host.emit(event);

    place(index, Waiting::half_open);
    if (found.availability == Availability::ready) {
        in.host.retain(session.content);
        offer(index);
    } else {
        timers_.arm(index, session.timer, in.now + ticks_of_ms(kPendingPollMs));
    }
    return DropReason::none;
}

// RFC 2347: only what was asked for, never more than asked; unknown and invalid options are left out.
template <Host H>
void Engine<H>::negotiate(ThisSession& session, const wire::tftp::Request& request,
                          Quirks quirks) const noexcept {
    static constexpr wire::tftp::Options kNoOptions{};
    const wire::tftp::Options& asked = quirks.has(Quirk::plain_tftp) ? kNoOptions : request.options;
    session.rolls_to_one = quirks.has(Quirk::rollover_to_one);
    const std::uint32_t headers = session.key.client.v4() ? 32 : 52;  // IP, UDP and TFTP
    const std::uint32_t fits = std::max<std::uint32_t>(mtu_ - headers, wire::tftp::kMinBlockSize);
    session.netascii = request.mode == wire::tftp::Mode::netascii;
    session.block_size = wire::tftp::kDefaultBlockSize;
    if (asked.block_size) {
        const auto limit = std::min<std::uint32_t>(fits, limits_.block_size);
        session.block_size = static_cast<std::uint16_t>(std::min<std::uint32_t>(*asked.block_size, limit));
        session.offers_block_size = true;
    }
    session.window_size = 1;
    if (asked.window_size) {
        const std::uint16_t limit =
            session.netascii ? std::uint16_t{1} : std::min(limits_.window_size, kMaxWindow);
        session.window_size = std::min(*asked.window_size, std::max<std::uint16_t>(limit, 1));
        session.offers_window_size = true;
    }
    session.timeout = asked.timeout.value_or(0);
    // curl takes tsize 0 for a broken server; how long a netascii file gets is known at its end.
    session.offers_file_size = asked.file_size && session.content.size > 0 && !session.netascii;
    session.last_block = session.netascii ? ~std::uint64_t{0} : session.content.size / session.block_size + 1;
}

template <Host H>
typename Engine<H>::Route Engine<H>::route_of(const ThisSession& session, const Datagram& in) noexcept {
    Peer peer = in.peer;
    peer.server_port = session.server_port;
    return in.host.route_to(peer);
}

// At random, so that nobody who does not see our packets can take part (splitmix64, Steele et al. 2014).
template <Host H>
std::uint16_t Engine<H>::choose_port() noexcept {
    if (ports_.count == 0) return wire::tftp::kPort;
    std::uint64_t z = port_choice_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return static_cast<std::uint16_t>(ports_.first + (z ^ (z >> 31)) % ports_.count);
}

// Everything identical that comes before the client shows that it has an answer, and for a while after: the
// network may deliver a request twice.
template <Host H>
bool Engine<H>::is_repetition(const Datagram& in, const ThisSession& session) const noexcept {
    if (session.fingerprint != fingerprint(in.payload)) return false;
    if (session.state == State::opening || session.state == State::offered) return true;
    return in.now - session.heard < ticks_of_ms(kLateRequestMs);
}

template <Host H>
DropReason Engine<H>::repeated_request(const Datagram& in, Index index) noexcept {
    ThisSession& session = sessions_[index];
    if (session.state == State::offered && session.next > 0) {
        // From another hardware address only if that too is the machine's way: another router of its network.
        if (in.host.identify(in.peer) != session.machine) return DropReason::tftp_unknown_machine;
        session.route = route_of(session, in);
        rewind(index);
    }
    return DropReason::tftp_duplicate_request;
}

// A free session, else one never used, else the oldest finished one, else the oldest that never acknowledged
// anything: a flood of requests from made-up ports displaces only others of its kind.
template <Host H>
typename Engine<H>::Index Engine<H>::take_session(H& host, std::uint64_t now_ns) noexcept {
    if (queues_.empty(list(Waiting::unused))) {
        if (fresh_ < sessions_.capacity()) {
            sessions_.begin(fresh_);
            place(fresh_++, Waiting::unused);
        } else if (!queues_.empty(list(Waiting::finished))) {
            release_slot(queues_.front(list(Waiting::finished)));
        } else if (!queues_.empty(list(Waiting::half_open))) {
            fail(queues_.front(list(Waiting::half_open)), now_ns, TransferFailure::displaced, host);
        } else {
            return kNone;
        }
    }
    return queues_.front(list(Waiting::unused));
}

template <Host H>
DropReason Engine<H>::miss(const Datagram& in, const MacAddress& machine, std::string_view as_sent,
                           const Name& name) noexcept {
    const std::string_view shown = name.view().empty() ? as_sent : name.view();
    const MissKind kind = classify_miss(name.view());
    const DropReason reason = kind == MissKind::real ? DropReason::tftp_not_found : DropReason::none;
    if (!send_error(in.host.route_to(in.peer), {ErrorCode::file_not_found, "file not found"}, in.host))
        return DropReason::transmit_no_frame;  // it will ask again
    emit_refusal(in, EventKind::tftp_missing, static_cast<std::uint16_t>(kind), machine, shown);
    if (kind != MissKind::real) in.host.counters().add(Counter::tftp_expected_misses);
    return reason;
}

// To known machines only; the caller has seen to that.
template <Host H>
DropReason Engine<H>::refuse(const Datagram& in, Answer answer, DropReason reason) noexcept {
    return send_error(in.host.route_to(in.peer), answer, in.host) ? reason : DropReason::transmit_no_frame;
}

// RFC 1350 4 asks for ERROR 5; a low global rate and known machines only, so that it is no reflector.
template <Host H>
DropReason Engine<H>::stray(const Datagram& in, DropReason reason) noexcept {
    // A stranger takes no token, which a machine may need.
    if (!stray_answers_.has_one(in.now_ns) || !in.host.identify(in.peer)) return reason;
    (void)stray_answers_.take(in.now_ns);
    return refuse(in, {ErrorCode::unknown_transfer_id, "no such transfer"}, reason);
}

template <Host H>
bool Engine<H>::send_error(const Route& route, Answer answer, H& host) noexcept {
    const std::span<std::byte> room = host.reply(route);
    if (room.empty()) return false;
    host.commit(wire::tftp::write_error(room, answer.code, answer.text));
    host.counters().add(Counter::tftp_errors_sent);
    return true;
}

template <Host H>
void Engine<H>::emit_refusal(const Datagram& in, EventKind kind, std::uint16_t detail,
                             const MacAddress& machine, std::string_view name) noexcept {
    Event event;
    event.kind = kind;
    event.detail = detail;
    event.transaction = in.peer.port;
    event.mac = machine;
    event.address = in.peer.address;
    set_printable(event, name);
    in.host.emit(event);
}

}  // namespace rouse::tftp
