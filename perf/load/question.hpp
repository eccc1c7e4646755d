#pragma once
// A machine's DHCP messages as frames: all that its kind always says is written once, the rest per frame.

#include "dataplane/wire/udp.hpp"
#include "perf/load/machine_kind.hpp"

#include <vector>

namespace rouse::load {

// What differs from one frame to the next.
struct Asker {
    MacAddress mac;
    std::uint32_t transaction = 0;
    std::uint16_t seconds = 0;      // since it began to ask
    Ipv4Address requested_address;  // REQUEST: option 50
    Ipv4Address server_identifier;  // REQUEST: option 54
};

class Question {
  public:
    // TYPE: DISCOVER, or REQUEST as in state SELECTING (RFC 2131 4.3.2).
    Question(const MachineKind& kind, wire::DhcpType type);

    // Writes a whole frame; returns its length. ROOM holds length() bytes at least.
    std::size_t write(wire::MutableBytes room, const Asker& asker) const noexcept;
    [[nodiscard]] std::size_t length() const noexcept { return frame_.size(); }

  private:
    std::size_t put(wire::DhcpOption code, std::string_view value);

    std::vector<std::byte> frame_;
    bool has_checksum_;
    // Where in the frame; 0: this kind, or this type, has none.
    std::size_t identifier_mac_ = 0;
    std::size_t uuid_mac_ = 0;
    std::size_t requested_address_ = 0;
    std::size_t server_identifier_ = 0;
};

}  // namespace rouse::load
