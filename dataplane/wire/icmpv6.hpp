#pragma once
// ICMPv6 (RFC 4443) and the messages and options of neighbour discovery (RFC 4861 4).

#include "dataplane/wire/ipv6.hpp"

namespace rouse::wire {

enum class Icmpv6Type : std::uint8_t {
    echo_request = 128,
    echo_reply = 129,
    router_solicitation = 133,
    router_advertisement = 134,
    neighbour_solicitation = 135,
    neighbour_advertisement = 136,
};

struct Icmpv6Header {
    Icmpv6Type type;
    std::uint8_t code;
    std::uint16_t checksum;  // as it lies in memory: see ChecksumSum
};
inline constexpr std::size_t kIcmpv6FrameOverhead = kIpv6FrameOverhead + sizeof(Icmpv6Header);

// What follows the ICMPv6 header.
struct RouterSolicitation {
    be32 reserved;
};
struct RouterAdvertisement {
    static constexpr std::uint8_t kManaged = 0x80;  // M: addresses by DHCPv6
    static constexpr std::uint8_t kOther = 0x40;    // O: the rest by DHCPv6
    std::uint8_t hop_limit;                         // 0: not said
    std::uint8_t flags;
    be16 router_lifetime;  // seconds; 0: not a default router
    be32 reachable_time;   // ms; 0: not said
    be32 retransmission;   // ms; 0: not said
};
struct NeighbourSolicitation {
    be32 reserved;
    Ipv6Address target;
};
struct NeighbourAdvertisement {
    static constexpr std::uint32_t kRouter = 0x80000000;
    static constexpr std::uint32_t kSolicited = 0x40000000;
    static constexpr std::uint32_t kOverride = 0x20000000;
    be32 flags;
    Ipv6Address target;
};
static_assert(sizeof(RouterAdvertisement) == 12 && sizeof(NeighbourAdvertisement) == 20);

enum class NdOption : std::uint8_t {
    source_link_layer = 1,
    target_link_layer = 2,
    prefix_information = 3,
    mtu = 5,
};

// Whole options, type and length included; length counts units of 8 bytes.
struct LinkLayerOption {
    NdOption type;
    std::uint8_t length = 1;
    MacAddress address;
};
struct PrefixInformationOption {
    static constexpr std::uint8_t kOnLink = 0x80;      // L
    static constexpr std::uint8_t kAutonomous = 0x40;  // A
    NdOption type = NdOption::prefix_information;
    std::uint8_t length = 4;
    std::uint8_t prefix_length;
    std::uint8_t flags;
    be32 valid_lifetime;      // seconds
    be32 preferred_lifetime;  // seconds
    be32 reserved;
    Ipv6Address prefix;
};
struct MtuOption {
    NdOption type = NdOption::mtu;
    std::uint8_t length = 1;
    be16 reserved;
    be32 mtu;
};
static_assert(sizeof(LinkLayerOption) == 8 && sizeof(PrefixInformationOption) == 32 &&
              sizeof(MtuOption) == 8);

// Walks the options behind a neighbour discovery message.
class NdOptionReader {
  public:
    struct Option {
        NdOption type;
        ConstBytes whole;  // type and length included
    };
    explicit NdOptionReader(ConstBytes options) noexcept : rest_(options) {}

    [[nodiscard]] std::optional<Option> next() noexcept {
        if (rest_.empty()) return std::nullopt;
        const std::size_t length = rest_.size() < 2 ? 0 : 8 * std::to_integer<std::size_t>(rest_[1]);
        malformed_ = length == 0 || length > rest_.size();
        if (malformed_) return std::nullopt;
        const Option option{static_cast<NdOption>(rest_[0]), rest_.first(length)};
        rest_ = rest_.subspan(length);
        return option;
    }
    // An option has length 0 or promised more bytes than there are.
    [[nodiscard]] bool malformed() const noexcept { return malformed_; }

  private:
    ConstBytes rest_;
    bool malformed_ = false;
};

// A message whose checksum holds; `body` is what follows the header and lies in the frame.
struct Icmpv6Message {
    Icmpv6Type type{};
    std::uint8_t code = 0;
    ConstBytes body;
};

// PACKET carries kProtocolIcmpv6. DropReason::none: OUT holds the message (RFC 4443 2.3).
[[nodiscard]] DropReason parse_icmpv6(const Packet6& packet, Icmpv6Message& out) noexcept;

// Writes the headers of a frame whose BODY_LENGTH bytes of body are already in place at kIcmpv6FrameOverhead;
// returns the frame's length.
std::size_t write_icmpv6(MutableBytes frame, const Ends6& ends, Icmpv6Type type, std::uint8_t hop_limit,
                         std::size_t body_length) noexcept;

}  // namespace rouse::wire
