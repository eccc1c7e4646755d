// What the XDP program steers to the services, everybody being known.

#include "ebpf/allow_list.hpp"
#include "tests/unit/ebpf/filter_fixture.hpp"

#include <array>

namespace rouse::ebpf {
namespace {

using test::Bytes;
using test::PacketBuilder;

constexpr std::size_t kEthernet = 14;
constexpr std::size_t kShortest = kEthernet;  // of what BPF_PROG_TEST_RUN accepts

constexpr bool is_ours(unsigned port) {
    return port == 67 || port == 69 || port == 4011;
}

class Filter : public FilterFixture {
  protected:
    void expect_counters(std::uint64_t redirected, std::uint64_t without_socket, std::uint64_t passed) {
        const XdpCounters counters = counted();
        EXPECT_EQ(counters.redirected, redirected);
        EXPECT_EQ(counters.without_socket, without_socket);
        EXPECT_EQ(counters.passed, passed);
    }
};

struct Case {
    const char* description;
    Bytes frame;
    xdp_action expected;
};
std::vector<Case> cases() {
    const auto dhcp = [] { return PacketBuilder().eth().ipv4().udp().payload(300).build(); };
    const auto with_ip = [](const test::Ipv4& ip) {
        return PacketBuilder().eth().ipv4(ip).udp().payload(300).build();
    };
    const auto with_udp = [](const test::Udp& udp) {
        return PacketBuilder().eth().ipv4().udp(udp).payload(300).build();
    };
    return {
        {"DHCP from a client", dhcp(), XDP_REDIRECT},
        {"TFTP request", with_udp({.source_port = 1024, .destination_port = 69}), XDP_REDIRECT},
        {"PXE boot server request", with_udp({.destination_port = 4011}), XDP_REDIRECT},
        {"DHCP from a server to a client", with_udp({.source_port = 67, .destination_port = 68}), XDP_PASS},
        {"TFTP data from elsewhere", with_udp({.source_port = 69, .destination_port = 1024}), XDP_PASS},
        {"options in the IP header", with_ip({.ihl = 6}), XDP_REDIRECT},
        {"do not fragment is no fragment", with_ip({.flags_and_offset = 0x4000}), XDP_REDIRECT},
        {"no payload at all", PacketBuilder().eth().ipv4().udp().build(), XDP_REDIRECT},
        {"padded to Ethernet's minimum", PacketBuilder().eth().ipv4().udp().build(60), XDP_REDIRECT},

        // Faulty, and ours to count.
        {"IP checksum wrong", with_ip({.checksum = 0xdead}), XDP_REDIRECT},
        {"IP total length beyond the frame", with_ip({.total_length = 9000}), XDP_REDIRECT},
        {"IP total length below the header's", with_ip({.total_length = 19}), XDP_REDIRECT},
        {"IP total length leaves no room for UDP", with_ip({.total_length = 27}), XDP_REDIRECT},
        {"first fragment", with_ip({.flags_and_offset = 0x2000}), XDP_REDIRECT},
        {"UDP length beyond the packet", with_udp({.length = 9000}), XDP_REDIRECT},
        {"UDP length below 8", with_udp({.length = 7}), XDP_REDIRECT},
        {"UDP checksum wrong", with_udp({.checksum = 0xdead}), XDP_REDIRECT},
        {"UDP header cut off after the port", PacketBuilder().eth().ipv4().udp().build(kEthernet + 24),
         XDP_REDIRECT},

        // No port can be read in these, or not with certainty.
        {"last fragment", with_ip({.flags_and_offset = 0x0001}), XDP_PASS},
        {"middle fragment", with_ip({.flags_and_offset = 0x3fff}), XDP_PASS},
        {"IP version 6 in an IPv4 frame", with_ip({.version = 6}), XDP_PASS},
        {"IHL 4", with_ip({.ihl = 4}), XDP_PASS},
        {"IHL beyond the frame", PacketBuilder().eth().ipv4({.ihl = 15}).udp().build(kEthernet + 28),
         XDP_PASS},
        {"TCP to port 67", with_ip({.protocol = 6}), XDP_PASS},
        {"VLAN-tagged DHCP", PacketBuilder().eth({.type = 0x8100}).vlan().ipv4().udp().payload(300).build(),
         XDP_PASS},
        {"ARP", PacketBuilder().eth({.type = 0x0806}).payload(28).build(), XDP_PASS},
        {"IPv6", PacketBuilder().eth({.type = 0x86dd}).payload(40).build(), XDP_PASS},
        {"nothing after Ethernet", PacketBuilder().eth().build(), XDP_PASS},
    };
}

TEST_F(Filter, SteersEachKindOfFrame) {
    std::uint64_t redirected = 0;
    const auto table = cases();
    for (const Case& c : table) {
        EXPECT_EQ(run(c.frame), c.expected) << c.description;
        if (c.expected == XDP_REDIRECT) ++redirected;
    }
    expect_counters(redirected, 0, table.size() - redirected);
}

TEST_F(Filter, QueueWithoutSocketIsLeftToTheKernelAndCounted) {
    const std::uint32_t queue = 0;
    ASSERT_EQ(bpf_map_delete_elem(program_->sockets_map_fd(), &queue), 0);
    for (const Case& c : cases()) EXPECT_EQ(run(c.frame), XDP_PASS) << c.description;
    const XdpCounters counters = counted();
    EXPECT_EQ(counters.redirected, 0U);
    EXPECT_GT(counters.without_socket, 0U);
    EXPECT_EQ(counters.without_socket + counters.passed, cases().size());
}

TEST_F(Filter, TakesItsThreePortsAndNoOther) {
    for (unsigned port = 0; port <= 0xffff; ++port) {
        const auto destination_port = static_cast<std::uint16_t>(port);
        const Bytes frame =
            PacketBuilder().eth().ipv4().udp({.destination_port = destination_port}).build(60);
        ASSERT_EQ(run(frame), is_ours(port) ? XDP_REDIRECT : XDP_PASS) << "port " << port;
    }
    expect_counters(3, 0, 0x10000 - 3);
}

TEST_F(Filter, TakesThePortsOfTransfersAndNoOther) {
    AllowList list(*program_);
    for (const PortRange range : {PortRange{61440, 4096}, PortRange{1024, 256}, PortRange{65535, 1}}) {
        list.steer({.tftp_ports = range});
        for (unsigned port = 0; port <= 0xffff; ++port) {
            const auto destination_port = static_cast<std::uint16_t>(port);
            const Bytes frame =
                PacketBuilder().eth().ipv4().udp({.destination_port = destination_port}).build(60);
            const bool ours = is_ours(port) || range.contains(destination_port);
            ASSERT_EQ(run(frame), ours ? XDP_REDIRECT : XDP_PASS) << range.to_string() << " port " << port;
        }
    }
}

TEST_F(Filter, SourcePortDoesNotMatter) {
    for (unsigned port = 0; port <= 0xffff; ++port) {
        const auto source_port = static_cast<std::uint16_t>(port);
        const Bytes frame = PacketBuilder().eth().ipv4().udp({.source_port = source_port}).build(60);
        ASSERT_EQ(run(frame), XDP_REDIRECT) << "port " << port;
    }
}

TEST_F(Filter, TakesNoEthertypeButIpv4) {
    for (unsigned type = 0; type <= 0xffff; ++type) {
        const Bytes frame =
            PacketBuilder().eth({.type = static_cast<std::uint16_t>(type)}).ipv4().udp().build(60);
        ASSERT_EQ(run(frame), type == 0x0800 ? XDP_REDIRECT : XDP_PASS) << "ethertype " << type;
    }
    expect_counters(1, 0, 0xffff);
}

TEST_F(Filter, TakesNoProtocolButUdp) {
    for (unsigned protocol = 0; protocol <= 0xff; ++protocol) {
        const Bytes frame =
            PacketBuilder().eth().ipv4({.protocol = static_cast<std::uint8_t>(protocol)}).udp().build(60);
        ASSERT_EQ(run(frame), protocol == 17 ? XDP_REDIRECT : XDP_PASS) << "protocol " << protocol;
    }
    expect_counters(1, 0, 0xff);
}

// The port is looked for behind the header that version and IHL tell of, and nowhere else: an IHL that is too
// small would make it one of the header's own fields, so these look like a port of ours.
TEST_F(Filter, EveryVersionAndHeaderLength) {
    const Ipv4Address ends_in_67 = *Ipv4Address::parse("10.0.0.67");
    for (unsigned version = 0; version <= 0xf; ++version)
        for (unsigned ihl = 0; ihl <= 0xf; ++ihl) {
            const test::Ipv4 ip{.version = static_cast<std::uint8_t>(version),
                                .ihl = static_cast<std::uint8_t>(ihl),
                                .total_length = 67,
                                .checksum = 67,
                                .source = ends_in_67,
                                .destination = ends_in_67};
            const bool ours = version == 4 && ihl >= 5;
            const Bytes frame = PacketBuilder().eth().ipv4(ip).udp().payload(64).build();
            EXPECT_EQ(run(frame), ours ? XDP_REDIRECT : XDP_PASS) << "version " << version << ", IHL " << ihl;
            const Bytes other =
                PacketBuilder().eth().ipv4(ip).udp({.destination_port = 68}).payload(64).build();
            EXPECT_EQ(run(other), XDP_PASS) << "version " << version << ", IHL " << ihl;
        }
}

TEST_F(Filter, EveryTruncation) {
    for (const std::uint8_t ihl : {std::uint8_t{5}, std::uint8_t{6}, std::uint8_t{15}}) {
        const PacketBuilder whole = PacketBuilder().eth().ipv4({.ihl = ihl}).udp().payload(300);
        const std::size_t port_end = kEthernet + ihl * 4U + 4;
        for (std::size_t size = kShortest; size <= whole.build().size(); ++size)
            ASSERT_EQ(run(whole.build(size)), size >= port_end ? XDP_REDIRECT : XDP_PASS) << size << " bytes";
    }
}

TEST_F(Filter, EveryFragmentFieldWithAnOffsetIsLeftToTheKernel) {
    for (unsigned field = 0; field <= 0xffff; ++field) {
        const Bytes frame = PacketBuilder()
                                .eth()
                                .ipv4({.flags_and_offset = static_cast<std::uint16_t>(field)})
                                .udp()
                                .build(60);
        ASSERT_EQ(run(frame), (field & 0x1fff) == 0 ? XDP_REDIRECT : XDP_PASS) << "field " << field;
    }
}

TEST_F(Filter, LargestFrameIsSteeredToo) {
    EXPECT_EQ(run(PacketBuilder().eth().ipv4().udp().payload(1472).build()), XDP_REDIRECT);
}

TEST(XdpProgram, MissingInterfaceIsNamed) {
    const auto program = XdpProgram::attach("rouse-none0");
    ASSERT_FALSE(program);
    EXPECT_NE(program.error().message.find("rouse-none0"), std::string::npos);
}

}  // namespace
}  // namespace rouse::ebpf
