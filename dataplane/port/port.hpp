#pragma once
// A port moves Ethernet frames: one receive and one transmit queue of a device, owned by one worker thread.
// Chosen once at start; the worker is a template over it, so nothing is virtual per packet.

#include "shared/addresses.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rouse::port {

inline constexpr std::size_t kBurst = 32;            // frames per receive: fits L1, amortises the kick
inline constexpr std::size_t kMaxFrameBytes = 1518;  // Ethernet without FCS, one VLAN tag to spare

// Bytes of one frame. `data` may be written up to `capacity`; `length` is how many bytes are the frame.
struct Frame {
    std::byte* data = nullptr;
    std::uint32_t length = 0;
    std::uint32_t capacity = 0;
    std::uint64_t handle = 0;  // the port's own
    // UDP's checksum. Received: the device found it right. To send: it holds the pseudo header's sum, and the
    // device completes it (only where sums_udp() says that it can).
    bool device_sums = false;

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data, length}; }
    [[nodiscard]] std::span<std::byte> room() const noexcept { return {data, capacity}; }
};

// What the device counts itself, since the port was opened; read in housekeeping, not per burst.
struct DeviceStatistics {
    std::uint64_t receive_dropped = 0;   // lost before we saw them: ring full, no free frame, bad descriptor
    std::uint64_t transmit_dropped = 0;  // handed over and lost: no link, bad descriptor
    std::uint64_t host_lost = 0;         // for the host or from it, and refused there
    std::uint64_t kicks_unfinished =
        0;  // flushes after which frames still waited; the next one takes them on
};

// Optional: `bool sums_udp()`, constant; true: the device completes UDP checksums. Without it none does.
template <typename P>
concept Port = requires(P port, std::span<Frame> frames, std::span<const Frame> done) {
    // True: nobody else sees the device's frames, so the worker answers ARP, echo and neighbour solicitations
    // too. False: a kernel keeps the interface and does that; it gives us what our services asked for.
    { P::kOwnsInterface } -> std::convertible_to<bool>;
    // Up to frames.size() received frames; they stay the caller's until release(). Never waits.
    { port.receive(frames) } -> std::same_as<std::size_t>;
    // Gives received frames back. Every received frame is released exactly once.
    { port.release(done) } -> std::same_as<void>;
    // Up to frames.size() empty frames to send (length 0). Fewer, or none, when the port is out of frames.
    { port.allocate(frames) } -> std::same_as<std::size_t>;
    // Hands over allocated frames (length set; 0 gives the frame back unsent). The port owns them from here
    // on; returns how many went into the transmit ring, the rest were freed and are for the caller to count.
    { port.send(done) } -> std::same_as<std::size_t>;
    // The one system call: kicks the device if something waits to be sent, or if it needs a wake-up to
    // receive. A device may take no more than a burst per kick, so this is called once per turn of the loop,
    // whether or not that turn sent anything.
    { port.flush() } -> std::same_as<void>;
    { port.hardware_address() } -> std::same_as<MacAddress>;
    // Rests until a frame arrives, WAKE_FD (below 0: none) can be read, or NANOSECONDS have passed; may
    // return early. For a loop that has nothing to do.
    { port.wait(std::uint64_t{}, int{}) } -> std::same_as<void>;
    // IP MTU: bytes of the largest packet without its Ethernet header.
    { port.mtu() } -> std::same_as<std::uint32_t>;
    { port.statistics() } -> std::same_as<DeviceStatistics>;
};

}  // namespace rouse::port
