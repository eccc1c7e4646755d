#pragma once
// The XDP program with an allow-list of two machines and one address, and frames of them and of strangers.

#include "ebpf/allow_list.hpp"
#include "tests/support/dhcp_builder.hpp"
#include "tests/unit/ebpf/filter_fixture.hpp"

namespace rouse::ebpf {

using test::Bytes;
using test::DhcpBuilder;
using test::PacketBuilder;

inline const MacAddress kKnown{{0x52, 0x54, 0, 0, 0, 1}};
inline const MacAddress kAlsoKnown{{0x52, 0x54, 0, 0, 0, 2}};
inline const MacAddress kStranger{{0x52, 0x54, 0, 0, 0, 3}};
inline const MacAddress kRouter{{0x52, 0x54, 0, 0, 0, 4}};
inline const Ipv4Address kLeasedElsewhere = *Ipv4Address::parse("10.9.0.7");
inline const Ipv4Address kOther = *Ipv4Address::parse("10.9.0.8");

inline constexpr StrangerLimits kNobody{};
inline constexpr double kNeverAgain = 1e-6;  // tokens a second: none comes in while a test runs

// A machine that is a stranger, and another one with every NUMBER below 2^24.
inline MacAddress stranger(std::uint32_t number) {
    return {{2, 1, 0, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
             static_cast<std::uint8_t>(number)}};
}

struct Dhcp {
    MacAddress source = kKnown;
    MacAddress client = kKnown;
    Ipv4Address relay{};
    Ipv4Address address{};
    test::Udp udp{};
    std::optional<std::size_t> size{};  // of the frame
};
inline Bytes dhcp(const Dhcp& with) {
    DhcpBuilder message(wire::DhcpType::discover, with.client);
    message.header.gateway = with.relay;
    return PacketBuilder()
        .eth({.source = with.source})
        .ipv4({.source = with.address})
        .udp(with.udp)
        .payload(message.payload())
        .build(with.size);
}
inline Bytes discover_of(const MacAddress& mac) {
    return dhcp({.source = mac, .client = mac});
}
inline Bytes tftp(const MacAddress& source, Ipv4Address address) {
    return PacketBuilder()
        .eth({.source = source})
        .ipv4({.source = address})
        .udp({.source_port = 2000, .destination_port = 69})
        .payload(20)
        .build();
}

class Defence : public FilterFixture {
  protected:
    void SetUp() override {
        FilterFixture::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        list_.emplace(*program_);
        ASSERT_TRUE(list_->machines.assign({kKnown, kAlsoKnown}));
        ASSERT_TRUE(list_->addresses.assign({kLeasedElsewhere}));
        list_->enforce(true);
    }
    // How many of COUNT frames reach user space.
    std::uint64_t admitted(const Bytes& frame, unsigned count) {
        std::uint64_t n = 0;
        for (unsigned i = 0; i < count; ++i) n += run(frame) == XDP_REDIRECT ? 1 : 0;
        return n;
    }
    std::optional<AllowList> list_;
};

}  // namespace rouse::ebpf
