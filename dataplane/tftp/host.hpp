#pragma once
// What the TFTP engine asks of its surroundings. The worker is the Host: it owns the port, the store and the
// images; the engine owns the transfers. Everything runs on the worker's thread, and nothing waits.

#include "dataplane/read_result.hpp"
#include "dataplane/wire/tftp.hpp"
#include "shared/addresses.hpp"
#include "shared/counters.hpp"
#include "shared/event.hpp"
#include "shared/quirk.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace rouse::tftp {

// Who sent a datagram, and to which of our addresses. (server, address, port) is a transfer's identity; our
// own port adds nothing to it: in single-port mode it is always 69, and with ports per transfer (RFC 1350 4)
// we choose it.
struct Peer {
    IpAddress address{};                            // the client's
    IpAddress server{};                             // ours
    std::uint16_t port = 0;                         // the client's, its transfer identifier
    MacAddress mac{};                               // source hardware address of the frame
    std::uint16_t server_port = wire::tftp::kPort;  // ours
};

// The bytes behind a name. The handle is the Host's own: where they are or, while they are pending, what to
// look for. A name that is re-pointed later does not change a Content that was handed out.
struct Content {
    std::uint64_t size = 0;  // bytes
    std::array<std::byte, 16> handle{};
};

enum class Availability : std::uint8_t {
    ready,        // read() is of use
    pending,      // on its way into memory: ask again in a few milliseconds
    missing,      // no such name for this machine
    unavailable,  // the name is known, its bytes cannot be had (damaged, vanished, no room in memory)
};

struct Resolution {
    Availability availability = Availability::missing;
    Content content{};  // of ready and pending; of pending, the size is already right
    Quirks quirks{};    // the machine's
};

inline constexpr std::size_t kMaxRouteBytes = 68;  // Ethernet with a VLAN tag, IPv6 and UDP take 66

template <typename H>
concept Host = requires(H host, const Peer& peer, const MacAddress& machine, std::string_view name,
                        Content& content, const Content& same, std::uint64_t offset, std::span<std::byte> out,
                        const typename H::Route& route, std::size_t length, const Event& event) {
    // How to reach a peer: a prebuilt Ethernet/IP/UDP header, kept per session. Within its first 64 bytes for
    // most peers, which is what is brought into the caches ahead of its use.
    requires std::is_trivially_copyable_v<typename H::Route>;
    requires sizeof(typename H::Route) <= kMaxRouteBytes && alignof(typename H::Route) <= 8;
    { host.route_to(peer) } -> std::same_as<typename H::Route>;

    // The machine that this peer is, or nothing for a stranger, who is not answered at all.
    { host.identify(peer) } -> std::same_as<std::optional<MacAddress>>;
    // What `name` stands for, for this machine. `name` is 1 to 127 bytes, without leading or doubled slashes,
    // backslashes, and "." or ".." segments; it is looked up, never opened.
    { host.resolve(machine, name) } -> std::same_as<Resolution>;
    // Asks again for a content that was pending. When it answers `ready` it has set the handle for read(),
    // and is followed by retain().
    { host.poll(content) } -> std::same_as<Availability>;
    // A ready content that a session holds; every retain is followed by exactly one release.
    { host.retain(same) } -> std::same_as<void>;
    { host.release(same) } -> std::same_as<void>;
    // Copies out.size() bytes from `offset` on: always within the content's size, and at most a window before
    // the farthest that was read. `gone`: the transfer then fails with an ERROR.
    { host.read(same, offset, out) } -> std::same_as<ReadResult>;

    // It may also have prefetch(content, offset, length): bring these bytes into the caches, they are read
    // before the turn is over.

    // Room for the UDP payload of one frame to the peer: at least the largest block size + 4 bytes (and 516).
    // Empty when the port is out of frames. Every non-empty reply is followed by one commit before anything
    // else is asked of the Host, except read(); commit(0) gives the frame back unsent.
    { host.reply(route) } -> std::same_as<std::span<std::byte>>;
    { host.commit(length) } -> std::same_as<void>;

    // Passes an event on; the Host sets its time_ns.
    { host.emit(event) } -> std::same_as<void>;
    { host.counters() } -> std::same_as<WorkerCounters&>;
};

}  // namespace rouse::tftp
