// A frame as it comes from the rack, through neighbour discovery, ARP, echo and DHCPv6, to the answer's
// frame. The first byte of an input says what the store knows and whether checksums are to be made right,
// without which hardly any mutation would get past them.

#include "dataplane/dhcp6/boot_url.hpp"
#include "dataplane/dhcp6/identity.hpp"
#include "dataplane/dhcp6/responder.hpp"
#include "dataplane/neighbour/icmpv6_responder.hpp"
#include "dataplane/neighbour/ipv4_responder.hpp"

#include <cstdlib>
#include <vector>

namespace {

using namespace rouse;

const MacAddress kMac{{2, 0, 0, 0, 0, 0xfe}};
const wire::Self kSelf{
    .mac = kMac, .address = *Ipv4Address::parse("10.77.0.1"), .subnet = *Ipv4Prefix::parse("10.77.0.0/16")};

struct World {
    wire::Self6 self{kMac};
    store::HostRecord host;
    store::NetworkRecord network;
    bool known;

    explicit World(unsigned choices) : known((choices & 2) == 0) {
        host.network = network.id = 1;
        host.address6 = *Ipv6Address::parse("2001:db8:77::9");
        network.lease_seconds = 3600;
        if ((choices & 4) == 0) network.prefix6 = *Ipv6Prefix::parse("2001:db8:77::/64");
        if ((choices & 8) != 0) network.router_lifetime6 = 1800;
        network.dns6_count = 2;
        if (!self.add(*Ipv6Address::parse("2001:db8:77::1"))) std::abort();
    }
};

void require(bool holds) {
    if (!holds) std::abort();
}

// Makes the checksum of FRAME's UDP or ICMPv6 right, as far as it has one.
void repair(std::vector<std::byte>& frame) {
    const auto ip = wire::load<wire::Ipv6Header>(frame, sizeof(wire::EthernetHeader));
    if (!ip) return;
    const bool udp = ip->next_header == wire::kProtocolUdp;
    const std::size_t field = wire::kIpv6FrameOverhead + (udp ? 6U : 2U);
    const std::size_t length = ip->payload_length.host();
    if (field + 2 > frame.size() || length > frame.size() - wire::kIpv6FrameOverhead || length < 8) return;
    wire::store(frame, field, std::uint16_t{0});
    wire::ChecksumSum sum;
    wire::add_pseudo_header6(sum, ip->source, ip->destination, length, ip->next_header);
    sum.add(std::span(frame).subspan(wire::kIpv6FrameOverhead, length));
    wire::store(frame, field, sum.checksum());
}

// A client takes the answer's frame for what it should be.
void check_answer(const World& world, wire::ConstBytes frame, const wire::Ends6& ends) {
    wire::Self6 client(ends.destination_mac, ends.destination);
    wire::Packet6 packet;
    const auto drop = wire::parse_packet6(frame, client, packet);
    require(drop == DropReason::none || ends.destination.is_multicast() || ends.destination_mac.is_group());
    if (drop != DropReason::none) return;
    require(packet.source_mac == world.self.mac());
    if (packet.next_header == wire::kProtocolIcmpv6) {
        wire::Icmpv6Message message;
        require(wire::parse_icmpv6(packet, message) == DropReason::none);
    } else {
        wire::Datagram6 datagram;
        require(wire::parse_datagram6(packet, datagram) == DropReason::none);
        wire::Dhcp6OptionReader reader(datagram.payload.subspan(datagram.payload[0] == std::byte{13}
                                                                    ? sizeof(wire::Dhcp6RelayHeader)
                                                                    : sizeof(wire::Dhcp6Header)));
        while (reader.next()) {
        }
        require(!reader.malformed());
    }
}

void handle_dhcp6(const World& world, const wire::Datagram6& datagram, wire::MutableBytes room) {
    dhcp6::Message message;
    if (dhcp6::parse(datagram, message) != DropReason::none) return;
    const auto server_id = dhcp6::server_duid(kMac);
    const auto url = dhcp6::BootUrl::tftp(world.self.addresses()[1], message.vendor_class);
    dhcp6::Facts facts{.server_id = server_id, .boot_url = url.view(), .boot_file_bytes = message.elapsed};
    if (world.known && dhcp6::mac_of(message)) facts.host = &world.host;
    if (message.link().is_zero() || world.network.prefix6.contains(message.link()))
        facts.network = &world.network;
    const auto answer = dhcp6::respond(message, facts, room.subspan(wire::kUdp6FrameOverhead));
    if (answer.drop != DropReason::none) return;
    require(answer.length <= room.size() - wire::kUdp6FrameOverhead);
    const auto endpoints = dhcp6::destination(message, datagram, world.self);
    const std::size_t length = wire::Udp6Template(endpoints).write(room, answer.length);
    check_answer(world, room.first(length), endpoints.ends);
}

void handle_ipv6(const World& world, wire::ConstBytes frame, wire::MutableBytes room) {
    wire::Packet6 packet;
    if (wire::parse_packet6(frame, world.self, packet) != DropReason::none) return;
    if (packet.next_header == wire::kProtocolUdp) {
        wire::Datagram6 datagram;
        if (wire::parse_datagram6(packet, datagram) == DropReason::none) handle_dhcp6(world, datagram, room);
        return;
    }
    std::size_t length = 0;
    if (neighbour::answer_icmpv6(packet, world.self, &world.network, room, length) != DropReason::none)
        return;
    require(length <= room.size());
    const auto ethernet = *wire::load<wire::EthernetHeader>(room);
    const auto ip = *wire::load<wire::Ipv6Header>(room, sizeof ethernet);
    check_answer(world, room.first(length),
                 {ethernet.source, ethernet.destination, ip.source, ip.destination});
}

void handle_ipv4(wire::ConstBytes frame, wire::MutableBytes room) {
    std::size_t length = 0;
    wire::Packet packet;
    if (neighbour::answer_arp(frame, kSelf, room, length) == DropReason::none) require(length == 42);
    if (wire::parse_packet(frame, kSelf, packet) == DropReason::none &&
        neighbour::answer_icmp(packet, kSelf, room, length) == DropReason::none)
        require(length <= room.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1 || size > 1 + 1514) return 0;
    const World world(data[0]);
    const auto input = std::as_bytes(std::span(data + 1, size - 1));
    std::vector<std::byte> frame(input.begin(), input.end());
    if ((data[0] & 1) != 0) repair(frame);
    std::vector<std::byte> room(1514);
    handle_ipv6(world, frame, room);
    handle_ipv4(frame, room);
    return 0;
}
