#pragma once
// The TFTP server without its surroundings (RFC 1350, 2347, 2348, 2349, 7440): datagrams and time in,
// datagrams and events out. No socket, clock, log, lock, allocation or exception after construction.
//
// One Engine per worker, used by that worker's thread alone. Each loop turn:
//     for every TFTP datagram of the burst: engine.receive(...)
//     engine.run(now, host, budget)
// receive() decides and only answers what ends at once (ERRORs); run() sends everything else, retries first,
// then a few blocks of every transfer in turn, so that none starves another.

#include "dataplane/tftp/host.hpp"

namespace rouse::tftp {

// May change at any time; transfers under way keep what they agreed.
struct Limits {
    std::uint16_t block_size = 1468;  // bytes (RFC 2348); the MTU caps it further
    std::uint16_t window_size = 64;   // blocks (RFC 7440); at most kMaxWindow
};

struct EngineOptions {
    std::size_t sessions = 16384;  // concurrent transfers at most
    std::uint32_t mtu = 1500;      // of the IP packet, bytes
    std::uint64_t seed = 0;        // random, so that nobody can choose colliding ports
};

template <Host H>
class Engine {
  public:
    using Route = typename H::Route;

    explicit Engine(const EngineOptions& options);

    void set_limits(const Limits& limits) noexcept;

    // One UDP payload that came to port 69. `none`: handled; else why it was of no use, for the caller to
    // count. now_ns is monotonic and never goes back.
    [[nodiscard]] DropReason receive(std::uint64_t now_ns, const Peer& peer, const Route& route,
                                     std::span<const std::byte> payload, H& host) noexcept;

    // Sends what is due and expires timers; call it every loop turn, even when nothing was received. Returns
    // the frames sent, at most `budget_frames`; what did not fit, or found no free frame, goes next time.
    std::size_t run(std::uint64_t now_ns, H& host, std::size_t budget_frames) noexcept;

    [[nodiscard]] std::size_t open_sessions() const noexcept;
};

}  // namespace rouse::tftp
