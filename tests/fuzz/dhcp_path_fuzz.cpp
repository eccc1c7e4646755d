// The whole way of DHCP: frames from the rack in, through a worker on the memory port over a small store,
// frames out. What comes out must be what its receiver takes, for machines that are known, and one for one.
//
// An input's first byte chooses the store and what its frames are made of (enum below); frames follow.
// Lengths, checksums and, on demand, the sender are made right, without which hardly any mutation would get
// far.

#include "dataplane/dhcp/message.hpp"
#include "tests/fuzz/dhcp_path_world.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace rouse;
using fuzz::Frame;
using fuzz::World;

// The bits of an input's first byte.
constexpr unsigned kWorld = 3;     // which store
constexpr unsigned kAdopt = 4;     // the frames come from a machine that is registered
constexpr unsigned kScript = 8;    // several messages made from few bytes each, else one whole frame
constexpr unsigned kMachines = 8;  // that a message of a script may come from; some are registered

void require(bool holds) {
    if (!holds) std::abort();
}

// Reads an input's bytes; zeros behind its end.
class Input {
  public:
    explicit Input(wire::ConstBytes bytes) : rest_(bytes) {}
    [[nodiscard]] bool empty() const { return rest_.empty(); }
    std::uint8_t byte() {
        return rest_.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(take(1)[0]);
    }
    wire::ConstBytes take(std::size_t count) {
        const auto taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

  private:
    wire::ConstBytes rest_;
};

void append(Frame& frame, wire::ConstBytes bytes) {
    frame.insert(frame.end(), bytes.begin(), bytes.end());
}

Frame dhcp4_frame(Input& in) {
    const std::uint8_t type = in.byte(), shape = in.byte(), who = in.byte();
    const MacAddress mac = test::ScratchStore::mac_of(who % kMachines);
    const Ipv4Address relay = (shape & 1) != 0 ? *Ipv4Address::parse("10.9.9.9") : Ipv4Address{};
    const Ipv4Address client =
        (shape & 2) != 0 ? test::ScratchStore::address_of(who % kMachines) : Ipv4Address{};
    wire::DhcpHeader header{};
    header.op = (shape & 4) != 0 ? wire::kBootReply : wire::kBootRequest;
    header.hardware_type = wire::kHardwareEthernet;
    header.hardware_length = sizeof(MacAddress);
    header.transaction = be32(0x01020304);
    header.flags = (shape & 8) != 0 ? be16(wire::kBroadcastFlag) : be16(0);
    header.client = client;
    header.gateway = relay;
    header.hardware = mac;
    header.cookie = wire::kDhcpCookie;
    Frame frame(wire::kUdpFrameOverhead + sizeof header);
    wire::store(frame, wire::kUdpFrameOverhead, header);
    const std::array<std::uint8_t, 3> message_type{53, 1, type};
    if (type != 0) append(frame, std::as_bytes(std::span(message_type)));
    append(frame, in.take(in.byte()));  // options
    constexpr std::uint16_t kPorts[] = {wire::kDhcpServerPort, wire::kDhcpServerPort, wire::kPxeServerPort,
                                        wire::kDhcpClientPort};
    wire::UdpTemplate({.source_mac = relay.is_zero() ? mac : fuzz::kRouterMac,
                       .destination_mac = client.is_zero() ? kBroadcastMac : test::kServerMac,
                       .source = relay.is_zero() ? client : relay,
                       .destination = client.is_zero() ? kBroadcastIpv4 : test::kServerAddress,
                       .source_port = relay.is_zero() ? wire::kDhcpClientPort : wire::kDhcpServerPort,
                       .destination_port = kPorts[shape >> 6]})
        .write(frame, frame.size() - wire::kUdpFrameOverhead);
    return frame;
}

Frame dhcp6_frame(Input& in) {
    const std::uint8_t type = in.byte(), shape = in.byte(), who = in.byte();
    const MacAddress mac = test::ScratchStore::mac_of(who % kMachines);
    const bool relayed = (shape & 1) != 0;
    Frame frame(wire::kUdp6FrameOverhead);
    Frame message;
    append(message, store::bytes_of(wire::Dhcp6Header{static_cast<wire::Dhcp6Type>(type), {1, 2, 3}}));
    if ((shape & 2) != 0) {  // a client identifier and an association
        const wire::DuidLinkLayer duid{3, 1, mac};
        append(message, store::bytes_of(wire::Dhcp6OptionHeader{1, sizeof duid}));
        append(message, store::bytes_of(duid));
        append(message, store::bytes_of(wire::Dhcp6OptionHeader{3, sizeof(wire::Dhcp6IaNa)}));
        append(message, store::bytes_of(wire::Dhcp6IaNa{1, 0, 0}));
    }
    if ((shape & 4) != 0) {
        const auto server = dhcp6::server_duid(test::kServerMac);
        append(message, store::bytes_of(wire::Dhcp6OptionHeader{2, sizeof server}));
        append(message, server);
    }
    append(message, in.take(in.byte()));
    if (relayed) {
        append(frame, store::bytes_of(wire::Dhcp6RelayHeader{wire::Dhcp6Type::relay_forward, 0,
                                                             *Ipv6Address::parse("2001:db8:77::ff"),
                                                             wire::link_local_of(mac)}));
        append(frame,
               store::bytes_of(wire::Dhcp6OptionHeader{9, static_cast<std::uint16_t>(message.size())}));
    }
    append(frame, message);
    wire::Udp6Template(
        {.ends = {.source_mac = relayed ? fuzz::kRouterMac : mac,
                  .destination_mac = wire::multicast_mac_of(wire::kAllDhcpAgents),
                  .source = relayed ? *Ipv6Address::parse("2001:db8:5::1") : wire::link_local_of(mac),
                  .destination = wire::kAllDhcpAgents},
         .source_port = wire::kDhcp6ClientPort,
         .destination_port = wire::kDhcp6ServerPort})
        .write(frame, frame.size() - wire::kUdp6FrameOverhead);
    return frame;
}

// What a receiver of REQUEST may be sent: at most one frame, and that a sound one.
void exchange(World& world, Frame request) {
    if (request.size() > port::kMaxFrameBytes - 4) return;
    fuzz::repair(request);
    std::size_t replies = 0;
    for (const Frame& answer : world.send(request)) {
        if (!fuzz::check(world, request, answer)) continue;  // an advertisement of the router's own accord
        ++replies;
        Frame reflected = answer;
        fuzz::readdress(reflected);
        fuzz::repair(reflected);
        for (const Frame& echo : world.send(reflected)) require(!fuzz::check(world, reflected, echo));
    }
    require(replies <= 1);
}

void run_script(World& world, Input in) {
    constexpr int kMostMessages = 8;
    for (int i = 0; i < kMostMessages && !in.empty(); ++i) {
        switch (const std::uint8_t what = in.byte(); what % 4) {
            case 0:
                exchange(world, dhcp6_frame(in));
                break;
            case 1:
                world.advance(std::uint64_t{what} * 100 * kNanosPerMilli);
                break;
            default:
                exchange(world, dhcp4_frame(in));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1 || size > 1 + port::kMaxFrameBytes) return 0;
    World& world = World::get(data[0] & kWorld);
    const auto rest = std::as_bytes(std::span(data + 1, size - 1));
    if ((data[0] & kScript) != 0) {
        run_script(world, Input(rest));
    } else {
        Frame frame(rest.begin(), rest.end());
        if ((data[0] & kAdopt) != 0) fuzz::adopt(frame, test::ScratchStore::mac_of(1));
        exchange(world, std::move(frame));
    }
    world.settle();
    return 0;
}
