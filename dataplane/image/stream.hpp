#pragma once
// One transfer of an image that has no room in memory: a ring of bytes that the image store's thread keeps
// filled ahead of the transfer. The worker never waits: what is not there yet comes later.
//
// Free ─ take() ─► wanted ─► flowing ─► gone (the file was cut short, or vanished)
//   ▲─────────── the thread ◄─ released ◄─ release(), at any time

#include "dataplane/read_result.hpp"
#include "shared/store/records.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace rouse::image {

class alignas(64) Stream {
  public:
    static constexpr std::size_t kBytes = std::size_t{1} << 20;  // of the ring
    // So far back a transfer may read again: more than the largest window (64 blocks of a 9000-byte MTU).
    static constexpr std::size_t kBehind = std::size_t{640} << 10;

    // The worker's side. ------------------------------------------------------------------------------------
    // False when somebody else has it. The thread opens the file then, and gives a ring to the lowest ticket
    // first.
    [[nodiscard]] bool take(const store::Sha256& hash, std::uint64_t size, std::uint64_t ticket) noexcept {
        State expected = State::free;
        if (!state_.compare_exchange_strong(expected, State::taken, std::memory_order_acquire)) return false;
        hash_ = hash;
        size_ = size;
        ticket_ = ticket;
        position_.store(0, std::memory_order_relaxed);
        filled_.store(0, std::memory_order_relaxed);
        state_.store(State::wanted, std::memory_order_release);
        return true;
    }
    // Copies out.size() bytes from `offset` on, within the image's size and no more than kBehind before the
    // farthest that was read.
    [[nodiscard]] ReadResult read(std::uint64_t offset, std::span<std::byte> out) noexcept {
        const State state = state_.load(std::memory_order_acquire);
        if (state == State::gone) return ReadResult::gone;
        if (state != State::flowing || offset + out.size() > filled_.load(std::memory_order_acquire))
            return ReadResult::later;
        const std::uint64_t farthest = position_.load(std::memory_order_relaxed);
        if (offset + kBehind < farthest) return ReadResult::gone;
        const std::size_t at = offset % kBytes;
        const std::size_t first = std::min(out.size(), kBytes - at);
        std::memcpy(out.data(), ring_ + at, first);
        if (first < out.size()) std::memcpy(out.data() + first, ring_, out.size() - first);
        if (offset > farthest) position_.store(offset, std::memory_order_release);
        return ReadResult::done;
    }
    void release() noexcept { state_.store(State::released, std::memory_order_release); }

    // The thread's side: stream_feeder.cpp. -----------------------------------------------------------------
    enum class State : std::uint8_t { free, taken, wanted, flowing, gone, released };
    [[nodiscard]] State state() const noexcept { return state_.load(std::memory_order_acquire); }
    [[nodiscard]] const store::Sha256& hash() const noexcept { return hash_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint64_t ticket() const noexcept { return ticket_; }
    // False when the worker has released it meanwhile.
    bool start(std::byte* ring) noexcept {
        ring_ = ring;
        return change(State::wanted, State::flowing);
    }
    bool stop(State from) noexcept { return change(from, State::gone); }
    void set_free() noexcept { state_.store(State::free, std::memory_order_release); }
    [[nodiscard]] std::uint64_t filled() const noexcept { return filled_.load(std::memory_order_relaxed); }
    // File bytes that may lie in the ring at present: no reader goes back before the farthest less kBehind.
    [[nodiscard]] std::uint64_t room_ends() const noexcept {
        const std::uint64_t farthest = position_.load(std::memory_order_acquire);
        return std::min<std::uint64_t>(size_, std::max<std::uint64_t>(farthest, kBehind) - kBehind + kBytes);
    }
    void add_filled(std::uint64_t bytes) noexcept {
        filled_.store(filled_.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
    }

  private:
    bool change(State from, State to) noexcept {
        return state_.compare_exchange_strong(from, to, std::memory_order_acq_rel);
    }

    std::atomic<State> state_{State::free};
    store::Sha256 hash_{};
    std::uint64_t size_ = 0;
    std::uint64_t ticket_ = 0;
    std::byte* ring_ = nullptr;                           // kBytes of them: file byte n is at n % kBytes
    alignas(64) std::atomic<std::uint64_t> position_{0};  // begin of the farthest read
    alignas(64) std::atomic<std::uint64_t> filled_{0};    // file bytes before this one have been in the ring
};

// All there are; workers take them, the image store's thread feeds them.
class StreamTable {
  public:
    static constexpr std::size_t kStreams = 1024;

    // Wait-free in all but name: as many steps as there are streams. Nullptr when all are taken.
    [[nodiscard]] Stream* take(const store::Sha256& hash, std::uint64_t size) noexcept {
        const std::uint64_t ticket = tickets_.fetch_add(1, std::memory_order_relaxed);
        for (Stream& stream : streams_)
            if (stream.take(hash, size, ticket)) return &stream;
        return nullptr;
    }
    [[nodiscard]] std::span<Stream> all() noexcept { return streams_; }

  private:
    std::array<Stream, kStreams> streams_{};
    std::atomic<std::uint64_t> tickets_{0};
};

}  // namespace rouse::image
