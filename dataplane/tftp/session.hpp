#pragma once
// One transfer's state, and the table of them. Everything is allocated at construction.

#include "dataplane/tftp/host.hpp"
#include "dataplane/tftp/huge_pages.hpp"
#include "dataplane/tftp/index_lists.hpp"
#include "dataplane/tftp/prefetch.hpp"
#include "dataplane/tftp/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace rouse::tftp {

struct SessionKey {
    IpAddress server{};
    IpAddress client{};
    std::uint16_t port = 0;  // the client's

    // Word by word: the defaulted one calls memcmp, which takes longer than all the rest of a lookup.
    friend bool operator==(const SessionKey& a, const SessionKey& b) noexcept {
        const Words x = a.words();
        const Words y = b.words();
        return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) |
                static_cast<std::uint64_t>(a.port ^ b.port)) == 0;
    }

    using Words = std::array<std::uint64_t, 4>;
    [[nodiscard]] Words words() const noexcept {
        Words words;
        std::memcpy(&words[0], server.octets.data(), 16);
        std::memcpy(&words[2], client.octets.data(), 16);
        return words;
    }
};

enum class State : std::uint8_t {
    free,
    opening,   // the content is pending; nothing was sent
    offered,   // OACK or, without options, block 1 is on its way; nothing was acknowledged
    sending,   // the client answers
    finished,  // all acknowledged; kept a while so that late duplicates are known for what they are
};

// Which of the engine's lists a session is in; at most one.
enum class Waiting : std::uint8_t { unused, retry, turn, half_open, finished, count, none = count };

// Blocks are counted from 1 without wrapping; number_of() tells what the wire carries.
// Four cache lines. An ACK and the block behind it touch the first two and the third, where the route begins;
// what only the beginning and the end of a transfer need is behind that.
template <typename Route>
struct alignas(64) Session {
    SessionKey key{};
    State state = State::free;
    Waiting waiting = Waiting::none;
    std::uint8_t tries = 0;  // retransmissions since the client was last heard
    bool offers_block_size : 1 = false;
    bool offers_window_size : 1 = false;
    bool offers_file_size : 1 = false;
    bool netascii : 1 = false;
    bool text_half : 1 = false;       // text_position's byte has its first output byte in the block before
    bool text_next_half : 1 = false;  // the same for the block after the one in flight
    bool rewound : 1 = false;         // the current acknowledgement's value has brought blocks again already
    bool rolls_to_one : 1 = false;    // block 65535 is followed by 1 (Quirk::rollover_to_one)
    std::uint16_t block_size = 0;     // bytes
    Content content{};

    std::uint64_t acked = 0;       // blocks acknowledged
    std::uint64_t last_block = 0;  // the short or empty one; netascii: unknown (~0) until it was sent
    Timer timer{};
    Tick heard = 0;                   // when the client last acknowledged something
    Tick sent_at = 0;                 // when something was last sent
    std::uint16_t next = 0;           // blocks after `acked` sent since the last rewind: the cursor
    std::uint16_t sent = 0;           // blocks after `acked` ever sent; next <= sent
    std::uint16_t recover = 0;        // blocks to go until the client is past all that was sent twice
    std::uint16_t window_size = 0;    // blocks
    std::uint32_t resent = 0;         // blocks and OACKs sent more than once
    std::uint64_t text_position = 0;  // netascii: file offset at which the block after `acked` begins
    std::uint16_t text_step = 0;      // netascii: file bytes that the block in flight took
    std::uint8_t timeout = 0;         // seconds, as agreed; 0: none was
    std::uint8_t name_length = 0;     // of the table's name_of()
    std::uint16_t server_port = 0;    // ours

    alignas(64) Route route{};
    std::uint32_t fingerprint = 0;  // of the request, to know it again
    std::uint64_t started_ns = 0;   // monotonic
    MacAddress machine{};

    // 65535 is followed by 0 or, for clients that want it so, by 1.
    [[nodiscard]] std::uint16_t number_of(std::uint64_t block) const noexcept {
        if (rolls_to_one && block > 0) block = (block - 1) % 0xffff + 1;
        return static_cast<std::uint16_t>(block);
    }
    // How many blocks after `acked` comes the one of this number? More than any window holds: it does not.
    [[nodiscard]] std::uint16_t blocks_ahead(std::uint16_t number) const noexcept {
        if (!rolls_to_one || acked == 0) return static_cast<std::uint16_t>(number - number_of(acked));
        if (number == 0) return 0xffff;  // never comes again
        return static_cast<std::uint16_t>((number + 0xffffU - number_of(acked)) % 0xffff);
    }
    // An OACK goes out first; the client acknowledges it as block 0.
    [[nodiscard]] bool has_offer() const noexcept {
        return offers_block_size || offers_window_size || offers_file_size || timeout != 0;
    }
    // The OACK is what waits to be sent or acknowledged.
    [[nodiscard]] bool in_offer() const noexcept { return state == State::offered && has_offer(); }
    [[nodiscard]] bool can_send() const noexcept {
        if (state == State::offered) return next == 0;
        return state == State::sending && next < window_size && acked + next < last_block;
    }
    [[nodiscard]] bool has_sent_all() const noexcept { return !in_offer() && acked + sent >= last_block; }
};

// Sessions by index and by key. The index is an open-addressing table of 32-bit hashes, at most half full,
// with linear probing; deletion moves the followers up, so it never decays. Nearly every lookup ends at its
// first slot and touches one session: the right one.
template <typename Route>
class SessionTable {
  public:
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};
    static_assert(sizeof(Session<Route>) <= 256, "four cache lines per session");

    // The index and the first kAtHand sessions are in memory at once, the others from their first begin() on:
    // a large table costs little where it is not needed.
    static constexpr std::size_t kAtHand = 16'384;
    SessionTable(std::size_t capacity, std::uint64_t seed)
        : sessions_(std::max<std::size_t>(capacity, 1)),
          names_(sessions_.size()),
          slots_(std::bit_ceil(sessions_.size() * 2), Slot{}),
          mask_(static_cast<std::uint32_t>(slots_.size() - 1)),
          seed_(seed) {
        for (std::uint32_t i = 0; i < std::min(sessions_.size(), kAtHand); ++i) begin(i);
    }

    [[nodiscard]] std::uint32_t capacity() const noexcept {
        return static_cast<std::uint32_t>(sessions_.size());
    }
    // The file's name, which only the beginning and the end of a transfer need: beside the session.
    using NameBytes = std::array<char, 128>;
    [[nodiscard]] NameBytes& name_of(std::uint32_t index) noexcept { return names_[index]; }
    [[nodiscard]] std::string_view name_view(std::uint32_t index) const noexcept {
        return {names_[index].data(), sessions_[index].name_length};
    }
    [[nodiscard]] Session<Route>& operator[](std::uint32_t index) noexcept { return sessions_[index]; }

    // The first use of session `index`, once.
    void begin(std::uint32_t index) noexcept { std::construct_at(&sessions_[index]); }

    [[nodiscard]] std::uint32_t find(const SessionKey& key) const noexcept {
        const std::uint32_t hash = hash_of(key);
        for (std::uint32_t i = hash & mask_; slots_[i].session != kNone; i = (i + 1) & mask_)
            if (slots_[i].hash == hash && sessions_[slots_[i].session].key == key) return slots_[i].session;
        return kNone;
    }
    // find() in two steps that wait for nothing, so that a burst's lookups wait for memory together: the
    // first brings a key's slot into the cache, the second the session that is most likely its own.
    [[nodiscard]] std::uint32_t prefetch_slot(const SessionKey& key) const noexcept {
        const std::uint32_t hash = hash_of(key);
        prefetch_lines(&slots_[hash & mask_], sizeof(Slot));
        return hash;
    }
    std::uint32_t prefetch_session(std::uint32_t hash) const noexcept {
        const Slot& slot = slots_[hash & mask_];
        if (slot.session == kNone) return kNone;
        // Of the route as much as most of them take (see Host): a line more costs as much as all the rest.
        prefetch_lines(&sessions_[slot.session], offsetof(Session<Route>, route) + kRouteBytesOfMost);
        return slot.session;
    }
    // Makes session `index`, whose key is set and not in the table, found by its key.
    void insert(std::uint32_t index) noexcept {
        const std::uint32_t hash = hash_of(sessions_[index].key);
        std::uint32_t i = hash & mask_;
        while (slots_[i].session != kNone) i = (i + 1) & mask_;
        slots_[i] = {hash, index};
    }
    void erase(std::uint32_t index) noexcept {
        std::uint32_t hole = hash_of(sessions_[index].key) & mask_;
        while (slots_[hole].session != index) hole = (hole + 1) & mask_;
        for (std::uint32_t i = (hole + 1) & mask_; slots_[i].session != kNone; i = (i + 1) & mask_) {
            const std::uint32_t distance_from_home = (i - slots_[i].hash) & mask_;
            if (distance_from_home < ((i - hole) & mask_)) continue;  // it would land before its home
            slots_[hole] = slots_[i];
            hole = i;
        }
        slots_[hole] = {};
    }

  private:
    static constexpr std::size_t kRouteBytesOfMost = std::min<std::size_t>(sizeof(Route), 64);

    struct Slot {
        std::uint32_t hash = 0;
        std::uint32_t session = kNone;
    };

    // Folded 64x64 bit multiplications over the key and a secret seed: a client that chooses its ports cannot
    // choose their slots.
    [[nodiscard]] std::uint32_t hash_of(const SessionKey& key) const noexcept {
        const SessionKey::Words words = key.words();
        const std::uint64_t server = fold(words[0] ^ seed_, words[1] ^ 0x9e3779b97f4a7c15ULL);
        const std::uint64_t client = fold(words[2] ^ ~seed_, words[3] ^ 0xd1b54a32d192ed03ULL);
        const std::uint64_t h = fold(server ^ seed_ ^ key.port, client ^ 0x8cb92ba72f3d8dd7ULL);
        return static_cast<std::uint32_t>(h ^ (h >> 32));
    }
    [[nodiscard]] static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
        __extension__ using Wide = unsigned __int128;
        const Wide product = static_cast<Wide>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }

    std::vector<Session<Route>, HugePageAllocator<Session<Route>>> sessions_;
    std::vector<NameBytes, HugePageAllocator<NameBytes>> names_;  // likewise not there before they are used
    std::vector<Slot, HugePageAllocator<Slot>> slots_;
    std::uint32_t mask_;
    std::uint64_t seed_;
};

}  // namespace rouse::tftp
