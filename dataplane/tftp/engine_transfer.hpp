#pragma once
// Engine<H>: a transfer from its offer to its end. Included by engine.hpp.

#include "dataplane/tftp/engine.hpp"
#include "dataplane/tftp/text.hpp"

namespace rouse::tftp {

// The content is ready and retained: OACK or block 1 goes out next.
template <Host H>
void Engine<H>::offer(Index index) noexcept {
    sessions_[index].state = State::offered;
    place_by_work(index);
}

// RFC 1350 2 with RFC 7440 4: an ACK moves the window to the block behind it. What was sent beyond that is
// sent again, because a client acknowledges inside a window only to report a gap - unless it is an echo.
template <Host H>
DropReason Engine<H>::acknowledge(const Datagram& in, Index index, std::uint16_t block) noexcept {
    ThisSession& session = sessions_[index];
    if (session.state == State::finished) return DropReason::tftp_stale_ack;
    if (session.state == State::opening) return DropReason::tftp_bad_ack;
    if (session.in_offer()) return acknowledge_offer(in, index, block);

    const std::uint16_t ahead = session.blocks_ahead(block);
    if (ahead == 0) return repeated_acknowledgement(in, index);
    if (ahead > session.sent) {
        const auto behind = static_cast<std::uint16_t>(-ahead);
        return behind < 0x8000 && behind <= session.acked ? DropReason::tftp_stale_ack
                                                          : DropReason::tftp_bad_ack;
    }
    session.state = State::sending;
    session.heard = in.now;
    session.tries = 0;
    advance(session, ahead);
    if (session.acked >= session.last_block) {
        complete(index, in.now_ns, TransferEnding::acknowledged, in.host);
    } else if (session.sent > 0 && !may_be_echo(session, in.now)) {
        session.rewound = true;
        rewind(index);
    } else if (session.waiting != Waiting::retry && session.waiting != Waiting::turn) {
        prefetch_block(session, in.host);
        place_by_work(index);
    }
    return DropReason::none;
}

template <Host H>
void Engine<H>::advance(ThisSession& session, std::uint16_t blocks) noexcept {
    const auto less = [blocks](std::uint16_t value) {
        return static_cast<std::uint16_t>(value - std::min(value, blocks));
    };
    session.acked += blocks;
    session.next = less(session.next);
    session.sent = less(session.sent);
    session.recover = less(session.recover);
    session.rewound = false;
    session.text_position += session.text_step;
    session.text_half = session.text_next_half;
}

// ACK 0 accepts the offer (RFC 2347); nothing else can come before it.
template <Host H>
DropReason Engine<H>::acknowledge_offer(const Datagram& in, Index index, std::uint16_t block) noexcept {
    ThisSession& session = sessions_[index];
    if (block != 0 || session.sent == 0) return DropReason::tftp_bad_ack;
    session.state = State::sending;
    session.heard = in.now;
    session.sent_at = in.now;
    session.tries = 0;
    session.next = session.sent = session.recover = 0;
    place_by_work(index);
    return DropReason::none;
}

// The client repeats what it acknowledged last: the block behind that was lost, or this is an echo. Acted
// upon once per value.
template <Host H>
DropReason Engine<H>::repeated_acknowledgement(const Datagram& in, Index index) noexcept {
    ThisSession& session = sessions_[index];
    session.heard = in.now;
    session.tries = 0;
    if (session.rewound || session.next < session.sent || session.sent == 0 || may_be_echo(session, in.now))
        return DropReason::tftp_stale_ack;
    session.rewound = true;
    rewind(index);
    return DropReason::none;
}

// In lock-step a repeated ACK may have been doubled by the network. After a rewind the client gets blocks
// that it already has, and EDK2 answers each one with an ACK of what it has by then. To act upon either
// doubles every packet from there on (the Sorcerer's Apprentice, RFC 1123 4.2.3.1). Only what comes later
// than an echo can is believed then; until the client is past everything that was sent twice.
template <Host H>
bool Engine<H>::may_be_echo(const ThisSession& session, Tick now) noexcept {
    return (session.window_size == 1 || session.recover > 0) && now - session.sent_at < ticks_of_ms(kEchoMs);
}

// Everything that is not acknowledged is sent again.
template <Host H>
void Engine<H>::rewind(Index index) noexcept {
    ThisSession& session = sessions_[index];
    session.recover = static_cast<std::uint16_t>(session.sent + 1);
    session.next = 0;
    place_by_work(index);
}

// RFC 1350 7: an ERROR ends a transfer. For two clients that is the normal way.
template <Host H>
DropReason Engine<H>::client_error(const Datagram& in, Index index) noexcept {
    ThisSession& session = sessions_[index];
    if (session.state == State::finished) {
        release_slot(index);
        return DropReason::none;
    }
    const auto error = wire::tftp::read_error(in.payload).value_or(wire::tftp::ErrorMessage{});
    const auto code = static_cast<ErrorCode>(error.code);
    const bool is_closed = code == ErrorCode::not_defined;  // GRUB: "closed"
    if (session.in_offer() && session.offers_file_size &&
        (is_closed || code == ErrorCode::option_negotiation)) {
        in.host.counters().add(Counter::tftp_size_probes);
        emit_ending(index, EventKind::tftp_probe, 0, in.now_ns, in.host, {});
        close(index, in.host);
        release_slot(index);
    } else if (is_closed && session.state == State::sending) {
        complete(index, in.now_ns, TransferEnding::closed_early, in.host);
        release_slot(index);
    } else {
        fail(index, in.now_ns, TransferFailure::client_error, in.host, error.text);
    }
    return DropReason::none;
}

template <Host H>
void Engine<H>::timer_went_off(Index index, std::uint64_t now_ns, H& host) noexcept {
    switch (sessions_[index].state) {
        case State::opening:
            return opening_timer(index, now_ns, host);
        case State::offered:
        case State::sending:
            return client_is_silent(index, now_ns, host);
        case State::finished:
            return release_slot(index);
        case State::free:
            return;
    }
}

template <Host H>
void Engine<H>::opening_timer(Index index, std::uint64_t now_ns, H& host) noexcept {
    ThisSession& session = sessions_[index];
    const Availability now_is = host.poll(session.content);
    if (now_is == Availability::ready) {
        host.retain(session.content);
        return offer(index);
    }
    const bool goes_on =
        now_is == Availability::pending && now_ns - session.started_ns < kPendingPatienceMs * kNanosPerMilli;
    // Without a free frame for the refusal, it is tried again as well.
    if (goes_on || !send_error(session.route, kNotResident, host)) {
        timers_.arm(index, session.timer, tick_of(now_ns) + ticks_of_ms(kPendingPollMs));
    } else {
        fail(index, now_ns, TransferFailure::not_resident, host);
    }
}

template <Host H>
void Engine<H>::client_is_silent(Index index, std::uint64_t now_ns, H& host) noexcept {
    ThisSession& session = sessions_[index];
    if (session.can_send()) {  // it is our turn: frames, budget or bytes are short
        if (tick_of(now_ns) - session.heard >= ticks_of_ms(kPatienceMs))
            return fail(index, now_ns, TransferFailure::not_resident, host);
        if (session.waiting != Waiting::retry && session.waiting != Waiting::turn) place_by_work(index);
        timers_.arm(index, session.timer, tick_of(now_ns) + ticks_of_ms(kBlockIntervalMs));
        return;
    }
    if (session.state == State::offered) {
        if (session.tries >= kOfferRetries) return fail(index, now_ns, TransferFailure::timed_out, host);
    } else {
        const std::uint64_t silence = silence_ms(session.timeout, session.tries);
        if (session.tries >= kMinBlockRetries && session.has_sent_all() && silence >= kLastBlocksPatienceMs)
            return complete(index, now_ns, TransferEnding::unconfirmed, host);
        if (session.tries >= kMinBlockRetries && silence >= kPatienceMs)
            return fail(index, now_ns, TransferFailure::timed_out, host);
    }
    ++session.tries;
    rewind(index);
}

template <Host H>
void Engine<H>::complete(Index index, std::uint64_t now_ns, TransferEnding ending, H& host) noexcept {
    ThisSession& session = sessions_[index];
    host.counters().add(Counter::tftp_transfers_completed);
    const std::uint64_t ended_ns = ending == TransferEnding::unconfirmed ? heard_ns(session, now_ns) : now_ns;
    emit_ending(index, EventKind::tftp_complete, static_cast<std::uint16_t>(ending), ended_ns, host, {});
    close(index, host);
    session.state = State::finished;
    place(index, Waiting::finished);
    timers_.arm(index, session.timer, tick_of(now_ns) + ticks_of_ms(kFinishedMs));
}

// `words`: the client's own, if it had any.
template <Host H>
void Engine<H>::fail(Index index, std::uint64_t now_ns, TransferFailure failure, H& host,
                     std::string_view words) noexcept {
    host.counters().add(Counter::tftp_transfers_failed);
    const ThisSession& session = sessions_[index];
    const std::uint64_t ended_ns = failure == TransferFailure::timed_out ? heard_ns(session, now_ns) : now_ns;
    emit_ending(index, EventKind::tftp_failed, static_cast<std::uint16_t>(failure), ended_ns, host, words);
    close(index, host);
    release_slot(index);
}

// When the client was last heard: the end of a transfer that fell silent, without our wait for more.
template <Host H>
std::uint64_t Engine<H>::heard_ns(const ThisSession& session, std::uint64_t now_ns) noexcept {
    const std::uint64_t silence = std::uint64_t{tick_of(now_ns) - session.heard} << kTickShift;
    return std::max(now_ns - std::min(silence, now_ns), session.started_ns);
}

template <Host H>
void Engine<H>::emit_ending(Index index, EventKind kind, std::uint16_t detail, std::uint64_t ended_ns,
                            H& host, std::string_view words) noexcept {
    const ThisSession& session = sessions_[index];
    Event event;
    event.kind = kind;
    event.detail = detail;
    event.transaction = session.key.port;
    event.mac = session.machine;
    event.address = session.key.client;
    const std::uint64_t read = session.netascii ? session.text_position : session.acked * session.block_size;
    event.bytes = std::min(read, session.content.size);
    if (kind == EventKind::tftp_probe) event.bytes = session.content.size;
    event.duration_ns = ended_ns - session.started_ns;
    event.count = session.resent;
    event.block_size = session.block_size;
    event.window_size = session.window_size;
    set_printable(event, sessions_.name_view(index), words);
    host.emit(event);
}

// The transfer is over: its content is given back.
template <Host H>
void Engine<H>::close(Index index, H& host) noexcept {
    ThisSession& session = sessions_[index];
    if (session.state == State::offered || session.state == State::sending) host.release(session.content);
    count_open(host, -1);
}

// Its key is forgotten and its place free.
template <Host H>
void Engine<H>::release_slot(Index index) noexcept {
    timers_.disarm(index, sessions_[index].timer);
    sessions_.erase(index);
    sessions_[index].state = State::free;
    place(index, Waiting::unused);
}

}  // namespace rouse::tftp
