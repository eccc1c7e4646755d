#pragma once
// Engine<H>: what leaves, and in which order. Included by engine.hpp.

#include "dataplane/tftp/engine.hpp"

namespace rouse::tftp {

template <Host H>
std::size_t Engine<H>::run(std::uint64_t now_ns, H& host, std::size_t budget_frames) noexcept {
    timers_.turn(
        tick_of(now_ns), kTimersPerTurn, [this](Index index) -> Timer& { return sessions_[index].timer; },
        [&](Index index) { timer_went_off(index, now_ns, host); });

    std::size_t frames = 0;
    while (frames < budget_frames) {
        const Waiting next = whose_turn();
        if (queues_.empty(list(next))) break;
        const Index index = queues_.front(list(next));
        const std::size_t turn_begins = frames;
        const std::size_t turn_ends = std::min(frames + kTurnBlocks, budget_frames);
        Sent result = Sent::yes;
        while (frames < turn_ends && result == Sent::yes && sessions_[index].can_send()) {
            result = send_next(index, now_ns, host);
            if (result == Sent::yes || result == Sent::ended) ++frames;
        }
        note_turn(next, frames - turn_begins);
        if (result == Sent::no_frame) break;
        if (result == Sent::yes) place_by_work(index);
    }
    return frames;
}

template <Host H>
Waiting Engine<H>::whose_turn() const noexcept {
    const bool is_lives = retries_ahead_ >= kRetriesPerLive * kTurnBlocks;
    if (is_lives && !queues_.empty(list(Waiting::turn))) return Waiting::turn;
    return queues_.empty(list(Waiting::retry)) ? Waiting::turn : Waiting::retry;
}

// The account outlives the turn of the loop: a small budget, or a port with few free frames, is shared too.
template <Host H>
void Engine<H>::note_turn(Waiting served, std::size_t frames) noexcept {
    if (served == Waiting::retry)
        retries_ahead_ = std::min(retries_ahead_ + frames, kRetriesPerLive * kTurnBlocks);
    else
        retries_ahead_ -= std::min(retries_ahead_, kRetriesPerLive * frames);
}

// One frame of this session, which can_send(). `ended`: it was the session's last, an ERROR. `later`: none;
// it is out of its list, and its timer brings it back.
template <Host H>
typename Engine<H>::Sent Engine<H>::send_next(Index index, std::uint64_t now_ns, H& host) noexcept {
    ThisSession& session = sessions_[index];
    const std::span<std::byte> room = host.reply(session.route);
    if (room.empty()) return Sent::no_frame;
    const bool is_offer = session.in_offer();
    std::size_t length = 0;
    ReadResult read = ReadResult::done;
    if (is_offer) {
        length = send_offer(session, room);
    } else {
        read = write_block(session, room, host, length);
    }
    if (read == ReadResult::later) {
        host.commit(0);
        host.counters().add(Counter::tftp_blocks_awaited);
        await_bytes(index, now_ns);
        return Sent::later;
    }
    if (read == ReadResult::gone) {
        host.commit(
            wire::tftp::write_error(room, ErrorCode::not_defined, "file went away, see the timeline"));
        host.counters().add(Counter::tftp_errors_sent);
        fail(index, now_ns, TransferFailure::content_gone, host);
        return Sent::ended;
    }
    host.commit(length);

    WorkerCounters& counters = host.counters();
    if (session.next < session.sent) {
        ++session.resent;
        counters.add(Counter::tftp_retransmissions);
    }
    ++session.next;
    session.sent = std::max(session.sent, session.next);
    if (!is_offer) {
        counters.add(Counter::tftp_data_blocks);
        counters.add(Counter::tftp_data_bytes, length - wire::tftp::kHeaderBytes);
    }
    const Tick now = tick_of(now_ns);
    session.sent_at = now;
    const std::uint64_t interval = session.state == State::offered
                                       ? offer_interval_ms(session.tries)
                                       : block_interval_ms(session.timeout, session.tries);
    timers_.arm(index, session.timer, now + ticks_of_ms(interval));
    return Sent::yes;
}

template <Host H>
std::size_t Engine<H>::send_offer(const ThisSession& session, std::span<std::byte> room) noexcept {
    wire::tftp::Options options;
    if (session.offers_block_size) options.block_size = session.block_size;
    if (session.timeout != 0) options.timeout = session.timeout;
    if (session.offers_file_size) options.file_size = session.content.size;
    if (session.offers_window_size) options.window_size = session.window_size;
    return wire::tftp::write_oack(room, options);
}

// Looks again when the timer goes off.
template <Host H>
void Engine<H>::await_bytes(Index index, std::uint64_t now_ns) noexcept {
    place(index, Waiting::none);
    timers_.arm(index, sessions_[index].timer, tick_of(now_ns) + ticks_of_ms(kPendingPollMs));
}

// The DATA packet at the cursor. `done`: `length` is its length.
template <Host H>
ReadResult Engine<H>::write_block(ThisSession& session, std::span<std::byte> room, H& host,
                                  std::size_t& length) noexcept {
    const std::uint64_t block = session.acked + session.next + 1;
    const std::size_t header = wire::tftp::write_data_header(room, session.number_of(block));
    if (session.netascii) {
        const ReadResult result = write_text(session, room.subspan(header, session.block_size), host, length);
        length += header;
        return result;
    }
    const std::uint64_t offset = (block - 1) * session.block_size;
    const auto bytes =
        static_cast<std::size_t>(std::min<std::uint64_t>(session.block_size, session.content.size - offset));
    length = header + bytes;
    return bytes > 0 ? host.read(session.content, offset, room.subspan(header, bytes)) : ReadResult::done;
}

// Fills `out` with the block after `acked`. `done`: `length` is its length.
template <Host H>
ReadResult Engine<H>::write_text(ThisSession& session, std::span<std::byte> out, H& host,
                                 std::size_t& length) noexcept {
    ReadResult result = ReadResult::done;
    const auto read_at = [&](std::uint64_t offset, std::span<std::byte> bytes) {
        result = host.read(session.content, offset, bytes);
        return result == ReadResult::done;
    };
    const TextBlock block =
        encode_netascii({session.text_position, session.text_half}, session.content.size, out, read_at);
    if (!block.read) return result;
    session.text_step = static_cast<std::uint16_t>(block.end.offset - session.text_position);
    session.text_next_half = block.end.half;
    if (block.length < out.size()) session.last_block = session.acked + 1;
    length = block.length;
    return result;
}

template <Host H>
void Engine<H>::prefetch(std::span<const Peer> burst) const noexcept {
    std::array<std::uint32_t, kMaxPrefetch> hashes;
    const std::size_t count = std::min(burst.size(), hashes.size());
    for (std::size_t i = 0; i < count; ++i)
        hashes[i] = sessions_.prefetch_slot({burst[i].server, burst[i].address, burst[i].port});
    for (std::size_t i = 0; i < count; ++i) {
        const Index index = sessions_.prefetch_session(hashes[i]);
        if (index != kNone) queues_.prefetch(index);
    }
}

// The bytes of the block that goes out next, if the Host can do that.
template <Host H>
void Engine<H>::prefetch_block(const ThisSession& session, H& host) const noexcept {
    if constexpr (requires { host.prefetch(session.content, std::uint64_t{}, std::size_t{}); }) {
        if (session.netascii) return;
        const std::uint64_t offset = (session.acked + session.next) * session.block_size;
        const std::uint64_t left = session.content.size - std::min(offset, session.content.size);
        host.prefetch(session.content, offset,
                      static_cast<std::size_t>(std::min<std::uint64_t>(session.block_size, left)));
    }
}

// Into one list and out of the one before. In the list already: it keeps its place there.
template <Host H>
void Engine<H>::place(Index index, Waiting target) noexcept {
    ThisSession& session = sessions_[index];
    if (session.waiting == target) return;
    if (session.waiting != Waiting::none) queues_.remove(index);
    if (target != Waiting::none) queues_.push_back(list(target), index);
    session.waiting = target;
}

// To the end of the list that fits what it has to do now.
template <Host H>
void Engine<H>::place_by_work(Index index) noexcept {
    ThisSession& session = sessions_[index];
    Waiting target = session.state == State::offered ? Waiting::half_open : Waiting::none;
    if (session.can_send()) {
        const bool is_retry = session.state == State::offered || session.next < session.sent;
        target = is_retry ? Waiting::retry : Waiting::turn;
    }
    if (session.waiting != Waiting::none) queues_.remove(index);
    if (target != Waiting::none) queues_.push_back(list(target), index);
    session.waiting = target;
}

template <Host H>
void Engine<H>::count_open(H& host, int change) noexcept {
    open_ += static_cast<std::size_t>(change);
    host.counters().tftp_sessions_open.store(open_, std::memory_order_relaxed);
}

}  // namespace rouse::tftp
