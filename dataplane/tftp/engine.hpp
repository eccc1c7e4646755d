#pragma once
// The TFTP server without its surroundings (RFC 1350, 2347, 2348, 2349, 7440): datagrams and time in,
// datagrams and events out. No socket, clock, log, lock, allocation or exception after construction.
//
// One Engine per worker, used by that worker's thread alone. Each loop turn:
//     for every TFTP datagram of the burst: engine.receive(...)
//     engine.run(now, host, budget)
// receive() decides and only answers what ends at once (ERRORs); run() sends everything else, retries first
// but not alone, and a few blocks of every transfer in turn, so that none starves another.

#include "dataplane/tftp/host.hpp"
#include "dataplane/tftp/name.hpp"
#include "dataplane/tftp/netascii.hpp"
#include "dataplane/tftp/session.hpp"
#include "dataplane/tftp/timing.hpp"
#include "dataplane/tftp/token_bucket.hpp"
#include "dataplane/wire/tftp.hpp"
#include "shared/clock.hpp"
#include "shared/port_range.hpp"

namespace rouse::tftp {

// May change at any time; transfers under way keep what they agreed.
struct Limits {
    std::uint16_t block_size = 1468;  // bytes (RFC 2348); the MTU caps it further
    std::uint16_t window_size = 64;   // blocks (RFC 7440); at most kMaxWindow
};

struct EngineOptions {
    // Concurrent transfers at most. Each takes 256 bytes and 128 for its name from its first use on, beside
    // 32 to 48 of the index, the queues and the timer wheel from the beginning.
    std::size_t sessions = 16384;
    std::uint32_t mtu = 1500;  // of the IP packet, bytes
    // Random, so that nobody can choose colliding ports; never 0, which would hash all of IPv4 to its port
    // alone.
    std::uint64_t seed = 0x243f6a8885a308d3;
    // Ports of ours that transfers use, one each (RFC 1350 4); this worker's share. None: single-port mode,
    // everything leaves from port 69.
    PortRange ports{};
};

inline constexpr std::uint16_t kMaxWindow = 64;  // NETBOOT practice: more breaks some clients
inline constexpr std::size_t kTurnBlocks = 8;    // what one transfer may send before the next has its turn
// Retransmissions go first, but of four frames live transfers have one: many clients that fell silent at once
// do not hold up those that did not.
inline constexpr std::size_t kRetriesPerLive = 3;
inline constexpr std::size_t kMaxPrefetch = 64;
inline constexpr std::size_t kFitInCache = 1024;     // so many sessions, 256 KiB, stay in a core's own caches
inline constexpr std::size_t kTimersPerTurn = 1024;  // bounds a turn after the loop was held up

template <Host H>
class Engine {
  public:
    using Route = typename H::Route;
    using Bytes = std::span<const std::byte>;

    explicit Engine(const EngineOptions& options);

    void set_limits(const Limits& limits) noexcept { limits_ = limits; }

    // Our ports: requests come to 69, and what follows to where the transfer leaves from.
    [[nodiscard]] bool serves(std::uint16_t port) const noexcept {
        return port == wire::tftp::kPort || ports_.contains(port);
    }
    // One UDP payload that came to one of our ports. `none`: handled; else why it
    // was of no use, for the caller to count. now_ns is monotonic and never goes back.
    [[nodiscard]] DropReason receive(std::uint64_t now_ns, const Peer& peer, Bytes payload, H& host) noexcept;

    // There are more transfers than stay in the caches: waiting for one's state is most of a packet's time.
    [[nodiscard]] bool wants_prefetch() const noexcept { return open_ >= kFitInCache; }
    // Optional, before a burst is received: brings what its packets will touch into the caches, all at once.
    // Up to kMaxPrefetch peers.
    void prefetch(std::span<const Peer> burst) const noexcept;

    // Sends what is due and expires timers; call it every loop turn, even when nothing was received. Returns
    // the frames sent, at most `budget_frames`; what did not fit, or found no free frame, goes next time.
    std::size_t run(std::uint64_t now_ns, H& host, std::size_t budget_frames) noexcept;

    // Transfers that are not over.
    [[nodiscard]] std::size_t open_sessions() const noexcept { return open_; }

  private:
    using Index = std::uint32_t;
    using ThisSession = Session<Route>;
    using ErrorCode = wire::tftp::ErrorCode;
    static constexpr Index kNone = SessionTable<Route>::kNone;

    // [[gnu::always_inline]]: on the way of every ACK and block, where calls are a tenth of the time.

    // What came, from whom and when; lives as long as one receive().
    struct Datagram {
        std::uint64_t now_ns;
        Tick now;
        const Peer& peer;
        Bytes payload;
        H& host;
    };
    struct Answer {
        ErrorCode code;
        std::string_view text;
    };

    static constexpr Answer kNotResident{ErrorCode::not_defined, "file is not available, see the timeline"};

    // engine_requests.hpp: what opens a transfer, or is refused.
    DropReason read_request(const Datagram& in) noexcept;
    DropReason write_request(const Datagram& in) noexcept;
    DropReason open(const Datagram& in, const MacAddress& machine,
                    const wire::tftp::Request& request) noexcept;
    DropReason refuse(const Datagram& in, Answer answer, DropReason reason) noexcept;
    DropReason miss(const Datagram& in, const MacAddress& machine, std::string_view as_sent,
                    const Name& name) noexcept;
    DropReason stray(const Datagram& in, DropReason reason) noexcept;
    void start_over(Index index, std::uint64_t now_ns, H& host) noexcept;
    DropReason repeated_request(const Datagram& in, Index index) noexcept;
    [[nodiscard]] bool is_repetition(const Datagram& in, const ThisSession& session) const noexcept;
    [[nodiscard]] Index take_session(H& host, std::uint64_t now_ns) noexcept;
    void negotiate(ThisSession& session, const wire::tftp::Request& request, Quirks quirks) const noexcept;
    [[nodiscard]] std::uint16_t choose_port() noexcept;
    [[nodiscard]] static Route route_of(const ThisSession& session, const Datagram& in) noexcept;
    bool send_error(const Route& route, Answer answer, H& host) noexcept;
    static void emit_refusal(const Datagram& in, EventKind kind, std::uint16_t detail,
                             const MacAddress& machine, std::string_view name) noexcept;

    // engine_transfer.hpp: a transfer's life.
    void offer(Index index) noexcept;
    [[gnu::always_inline]] inline DropReason acknowledge(const Datagram& in, Index index,
                                                         std::uint16_t block) noexcept;
    DropReason acknowledge_offer(const Datagram& in, Index index, std::uint16_t block) noexcept;
    DropReason repeated_acknowledgement(const Datagram& in, Index index) noexcept;
    [[nodiscard]] static bool may_be_echo(const ThisSession& session, Tick now) noexcept;
    DropReason client_error(const Datagram& in, Index index) noexcept;
    void advance(ThisSession& session, std::uint16_t blocks) noexcept;
    void rewind(Index index) noexcept;
    void timer_went_off(Index index, std::uint64_t now_ns, H& host) noexcept;
    void opening_timer(Index index, std::uint64_t now_ns, H& host) noexcept;
    void client_is_silent(Index index, std::uint64_t now_ns, H& host) noexcept;
    void complete(Index index, std::uint64_t now_ns, TransferEnding ending, H& host) noexcept;
    void fail(Index index, std::uint64_t now_ns, TransferFailure failure, H& host,
              std::string_view words = {}) noexcept;
    void emit_ending(Index index, EventKind kind, std::uint16_t detail, std::uint64_t ended_ns, H& host,
                     std::string_view words) noexcept;
    [[nodiscard]] static std::uint64_t heard_ns(const ThisSession& session, std::uint64_t now_ns) noexcept;
    void close(Index index, H& host) noexcept;
    void release_slot(Index index) noexcept;

    // engine_send.hpp: frames out.
    enum class Sent : std::uint8_t {
        yes,
        no_frame,
        later,  // its bytes are not in memory yet
        ended,
    };
    [[gnu::always_inline]] inline Sent send_next(Index index, std::uint64_t now_ns, H& host) noexcept;
    std::size_t send_offer(const ThisSession& session, std::span<std::byte> room) noexcept;
    [[gnu::always_inline]] inline ReadResult write_block(ThisSession& session, std::span<std::byte> room,
                                                         H& host, std::size_t& length) noexcept;
    ReadResult write_text(ThisSession& session, std::span<std::byte> out, H& host,
                          std::size_t& length) noexcept;
    void await_bytes(Index index, std::uint64_t now_ns) noexcept;
    void prefetch_block(const ThisSession& session, H& host) const noexcept;
    [[nodiscard]] Waiting whose_turn() const noexcept;
    void note_turn(Waiting served, std::size_t frames) noexcept;
    void place(Index index, Waiting target) noexcept;
    [[gnu::always_inline]] inline void place_by_work(Index index) noexcept;
    void count_open(H& host, int change) noexcept;
    [[nodiscard]] static std::uint32_t list(Waiting waiting) noexcept {
        return static_cast<std::uint32_t>(waiting);
    }

    SessionTable<Route> sessions_;
    IndexLists queues_;
    TimerWheel timers_;
    TokenBucket stray_answers_;
    Limits limits_{};
    std::uint32_t mtu_;
    PortRange ports_;
    std::uint64_t port_choice_;  // state of a splitmix64 generator
    std::size_t open_ = 0;
    Index fresh_ = 0;                // sessions from here on were never used
    std::size_t retries_ahead_ = 0;  // frames that retries had before their share; see kRetriesPerLive
};

}  // namespace rouse::tftp

#include "dataplane/tftp/engine_requests.hpp"
#include "dataplane/tftp/engine_send.hpp"
#include "dataplane/tftp/engine_transfer.hpp"
