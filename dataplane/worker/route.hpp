#pragma once
// The headers in front of all that is sent to one peer, over the IP version that it speaks.

#include "dataplane/wire/udp.hpp"
#include "dataplane/wire/udp6.hpp"

namespace rouse::worker {

// What a std::variant of the two would be, but for where it says which: in front, so that over IPv4 the whole
// of it lies in its first 64 bytes and a session in three cache lines.
class Route {
  public:
    Route() noexcept : ipv4_() {}
    explicit Route(const wire::UdpTemplate& headers) noexcept : ipv4_(headers) {}
    explicit Route(const wire::Udp6Template& headers) noexcept : is_ipv6_(true), ipv6_(headers) {}

    // Bytes in front of the payload.
    [[nodiscard]] std::size_t overhead() const noexcept {
        return is_ipv6_ ? wire::kUdp6FrameOverhead : wire::kUdpFrameOverhead;
    }
    // Over IPv4 UDP has no checksum, so that there is nothing for a device to do.
    [[nodiscard]] bool has_checksum() const noexcept { return is_ipv6_; }
    // Heads a frame whose payload is in place, behind overhead() bytes; returns the frame's length.
    std::size_t write(wire::MutableBytes frame, std::size_t payload_length,
                      wire::UdpChecksum by) const noexcept {
        return is_ipv6_ ? ipv6_.write(frame, payload_length, by) : ipv4_.write(frame, payload_length);
    }

  private:
    bool is_ipv6_ = false;
    union {
        wire::UdpTemplate ipv4_;
        wire::Udp6Template ipv6_;
    };
};
static_assert(std::is_trivially_copyable_v<Route>);

}  // namespace rouse::worker
