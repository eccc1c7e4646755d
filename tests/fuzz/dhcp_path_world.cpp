#include "tests/fuzz/dhcp_path_world.hpp"

#include "dataplane/wire/arp.hpp"
#include "dataplane/wire/icmp.hpp"
#include "dataplane/wire/icmpv6.hpp"

#include <algorithm>
#include <cstdlib>

namespace rouse::fuzz {
namespace {

constexpr std::size_t kIp = sizeof(wire::EthernetHeader);
constexpr std::size_t kUdp4 = kIp + sizeof(wire::Ipv4Header);
constexpr std::uint32_t kRegistered = 4;

void require(bool holds) {
    if (!holds) std::abort();
}

template <typename R, typename Key>
void put(store::Transaction& txn, store::Table table, const Key& key, const R& value) {
    test::must(txn.put(table, store::bytes_of(key), store::bytes_of(value)));
}

void fill(store::Transaction& txn, const store::Tables& tables, unsigned which) {
    store::NetworkRecord network;
    network.id = 1;
    network.prefix = *Ipv4Prefix::parse("10.0.0.0/8");
    network.gateway = test::kServerAddress;
    network.lease_seconds = 3600;
    network.dns_count = 2;
    network.dns = {test::kServerAddress, test::kServerAddress};
    if (which == 1) network.flags = store::NetworkRecord::kServeUnknown;
    if (which == 2) network.flags = store::NetworkRecord::kProxy;
    if (which != 3) network.prefix6 = *Ipv6Prefix::parse("2001:db8:77::/64");
    if (which == 1) network.router_lifetime6 = 1800;
    network.dns6_count = which != 3 ? 2 : 0;
    put(txn, tables.networks, be32(1), network);
    store::ProfileRecord profile;
    profile.id = 1;
    if (which == 0) profile.flags = store::ProfileRecord::kHasScript;
    for (std::size_t i = 0; i < profile.loaders.size(); ++i)
        require(profile.loaders[i].assign(i % 2 == 0 ? "{{mac}} {{ip}} {{hostname}}" : "loader.efi"));
    put(txn, tables.profiles, be32(1), profile);
    for (std::uint32_t i = 0; i < kRegistered; ++i) {
        auto host = *store::decode<store::HostRecord>(
            **txn.get(tables.hosts, store::bytes_of(test::ScratchStore::mac_of(i))));
        host.quirks.bits = static_cast<std::uint16_t>(i == 3 ? 0xff : 0);
        require(host.hostname.assign("node"));
        if (which != 3 && i != 2) {
            host.address6 = *Ipv6Address::parse("2001:db8:77::9");
            host.address6.octets[15] = static_cast<std::uint8_t>(0x10 + i);
        }
        if (which == 1 && i == 3) host.expires_unix = 1'000'000;
        put(txn, tables.hosts, test::ScratchStore::mac_of(i), host);
    }
}

std::size_t largest_reply(const dhcp::Message& message) {
    return std::max<std::size_t>(wire::kMinimumDhcpMessage,
                                 message.maximum_datagram - wire::kUdpIpv4Overhead);
}

void check_options(wire::ConstBytes field) {
    wire::DhcpOptionReader reader(field);
    while (reader.next()) {
    }
    require(!reader.malformed());
}

// RFC 2131 4.1 and 4.3, as seen by who asked.
void check_dhcp4(World& world, const Frame& request, const wire::Datagram& answer) {
    wire::Datagram asked;
    const wire::Self self{test::kServerMac, test::kServerAddress, *Ipv4Prefix::parse("10.0.0.0/8")};
    require(wire::parse_datagram(request, self, asked) == DropReason::none);
    dhcp::Message message;
    require(dhcp::parse(asked.payload, message) == DropReason::none);
    const auto reply = wire::load<wire::DhcpHeader>(answer.payload);
    require(reply && reply->op == wire::kBootReply && reply->cookie == wire::kDhcpCookie);
    require(reply->transaction == message.header.transaction && reply->hardware == message.header.hardware);
    require(world.knows(reply->hardware));
    require(answer.payload.size() >= wire::kMinimumDhcpMessage);
    require(answer.payload.size() <= largest_reply(message));
    check_options(answer.payload.subspan(sizeof *reply));
    require(answer.destination_mac == asked.source_mac || answer.destination_mac == kBroadcastMac);
    if (!message.header.gateway.is_zero() && asked.destination_port == wire::kDhcpServerPort)
        require(answer.destination == message.header.gateway);
    else
        require(asked.source_mac == reply->hardware);
}

void check_ipv4(World& world, const Frame& request, const Frame& answer) {
    const auto ethernet = *wire::load<wire::EthernetHeader>(answer);
    const auto ip = wire::load<wire::Ipv4Header>(answer, kIp);
    require(ip.has_value());
    const wire::Self client{ethernet.destination, ip->destination, {}};
    wire::Packet packet;
    require(wire::parse_packet(answer, client, packet) == DropReason::none);
    require(packet.source == test::kServerAddress);
    if (packet.protocol == wire::kProtocolIcmp) return;
    wire::Datagram datagram;
    require(wire::parse_datagram(answer, client, datagram) == DropReason::none);
    if (datagram.source_port != wire::tftp::kPort) check_dhcp4(world, request, datagram);
}

bool check_ipv6(const Frame& request, const Frame& answer) {
    const auto ethernet = *wire::load<wire::EthernetHeader>(answer);
    const auto ip = wire::load<wire::Ipv6Header>(answer, kIp);
    require(ip.has_value());
    wire::Packet6 packet;
    const wire::Self6 client(ethernet.destination, ip->destination);
    const bool to_group = ethernet.destination.is_group();
    if (!to_group) require(ethernet.destination == wire::load<wire::EthernetHeader>(request)->source);
    if (to_group) require(ethernet.destination == wire::multicast_mac_of(wire::kAllNodes));
    require(wire::parse_packet6(answer, to_group ? wire::Self6(kRouterMac) : client, packet) ==
            DropReason::none);
    if (packet.next_header == wire::kProtocolIcmpv6) {
        wire::Icmpv6Message message;
        require(wire::parse_icmpv6(packet, message) == DropReason::none);
        return !(to_group && message.type == wire::Icmpv6Type::router_advertisement);
    }
    wire::Datagram6 datagram;
    require(wire::parse_datagram6(packet, datagram) == DropReason::none);
    if (datagram.source_port != wire::kDhcp6ServerPort) return true;
    const bool relayed = datagram.payload[0] == static_cast<std::byte>(wire::Dhcp6Type::relay_reply);
    wire::Dhcp6OptionReader reader(
        datagram.payload.subspan(relayed ? sizeof(wire::Dhcp6RelayHeader) : sizeof(wire::Dhcp6Header)));
    while (reader.next()) {
    }
    require(!reader.malformed());
    return true;
}

template <typename Sum>
void put_checksum(Frame& frame, std::size_t field, std::size_t begin, std::size_t length, Sum start) {
    if (field + 2 > frame.size() || begin > frame.size()) return;
    wire::store(frame, field, std::uint16_t{0});
    wire::ChecksumSum sum = start;
    sum.add(std::span(frame).subspan(begin, std::min(length, frame.size() - begin)));
    wire::store(frame, field, sum.checksum());
}

void repair_ipv4(Frame& frame) {
    auto ip = wire::load<wire::Ipv4Header>(frame, kIp);
    if (!ip) return;
    ip->version_ihl = 0x45;
    ip->fragment = 0;
    ip->total_length = static_cast<std::uint16_t>(frame.size() - kIp);
    wire::store(frame, kIp, *ip);
    put_checksum(frame, kIp + offsetof(wire::Ipv4Header, checksum), kIp, sizeof *ip, wire::ChecksumSum{});
    if (ip->protocol == wire::kProtocolIcmp)
        put_checksum(frame, kUdp4 + 2, kUdp4, frame.size() - kUdp4, wire::ChecksumSum{});
    const auto udp = wire::load<wire::UdpHeader>(frame, kUdp4);
    if (ip->protocol != wire::kProtocolUdp || !udp) return;
    wire::store(frame, kUdp4 + offsetof(wire::UdpHeader, length),
                be16(static_cast<std::uint16_t>(frame.size() - kUdp4)));
    wire::store(frame, kUdp4 + offsetof(wire::UdpHeader, checksum), std::uint16_t{0});
    wire::add_udp_checksum(frame);
}

void repair_ipv6(Frame& frame) {
    auto ip = wire::load<wire::Ipv6Header>(frame, kIp);
    if (!ip) return;
    const std::size_t length = frame.size() - wire::kIpv6FrameOverhead;
    ip->payload_length = static_cast<std::uint16_t>(length);
    wire::store(frame, kIp, *ip);
    const bool udp = ip->next_header == wire::kProtocolUdp;
    if (udp && length >= sizeof(wire::UdpHeader))
        wire::store(frame, wire::kIpv6FrameOverhead + offsetof(wire::UdpHeader, length), ip->payload_length);
    if (!udp && ip->next_header != wire::kProtocolIcmpv6) return;
    wire::ChecksumSum sum;
    wire::add_pseudo_header6(sum, ip->source, ip->destination, length, ip->next_header);
    put_checksum(frame, wire::kIpv6FrameOverhead + (udp ? 6U : 2U), wire::kIpv6FrameOverhead, length, sum);
}

}  // namespace

World::World(unsigned which) {
    store_.add_network_and_profile();
    store_.add_machines(kRegistered);
    store_.commit(
        [which](store::Transaction& txn, const store::Tables& tables) { fill(txn, tables, which); });
    fixture_ = std::make_unique<test::WorkerFixture>(store_);
}

World& World::get(unsigned which) {
    static std::array<std::unique_ptr<World>, 4> worlds;
    auto& world = worlds.at(which);
    if (!world) world.reset(new World(which));
    return *world;
}

std::vector<Frame> World::send(const Frame& frame) {
    fixture_->forget_events();
    fixture_->port.inject(frame);
    now_ns_ += kNanosPerMilli;
    fixture_->worker.turn(now_ns_, now_ns_);
    return fixture_->port.take_sent();
}

void World::settle() {
    advance(worker::Parking::kPatienceNs + kNanosPerMilli);
    fixture_->worker.turn(now_ns_, now_ns_);
    fixture_->port.drain();
}

bool World::knows(const MacAddress& mac) {
    fixture_->directory.begin();
    const bool known = fixture_->directory.host(mac).has_value();
    fixture_->directory.end();
    return known;
}

bool check(World& world, const Frame& request, const Frame& answer) {
    const auto ethernet = wire::load<wire::EthernetHeader>(answer);
    require(ethernet && ethernet->source == test::kServerMac && answer.size() <= port::kMaxFrameBytes - 4);
    if (ethernet->type == wire::kEtherTypeIpv6) return check_ipv6(request, answer);
    if (ethernet->type == wire::kEtherTypeArp)
        require(wire::load<wire::ArpPacket>(answer, kIp)->operation == wire::kArpReply);
    else
        check_ipv4(world, request, answer);
    return true;
}

void repair(Frame& frame) {
    const auto ethernet = wire::load<wire::EthernetHeader>(frame);
    if (!ethernet) return;
    if (ethernet->type == wire::kEtherTypeIpv4) repair_ipv4(frame);
    if (ethernet->type == wire::kEtherTypeIpv6) repair_ipv6(frame);
}

void adopt(Frame& frame, const MacAddress& mac) {
    auto ethernet = wire::load<wire::EthernetHeader>(frame);
    if (!ethernet) return;
    ethernet->source = mac;
    if (!ethernet->destination.is_group()) ethernet->destination = test::kServerMac;
    wire::store(frame, 0, *ethernet);
    auto ip = wire::load<wire::Ipv4Header>(frame, kIp);
    if (ethernet->type != wire::kEtherTypeIpv4 || !ip) return;
    if (ip->destination != kBroadcastIpv4) ip->destination = test::kServerAddress;
    wire::store(frame, kIp, *ip);
    auto bootp = wire::load<wire::DhcpHeader>(frame, wire::kUdpFrameOverhead);
    if (!bootp || bootp->op != wire::kBootRequest) return;
    bootp->hardware = mac;
    wire::store(frame, wire::kUdpFrameOverhead, *bootp);
}

void readdress(Frame& frame) {
    auto ethernet = wire::load<wire::EthernetHeader>(frame);
    if (!ethernet) return;
    ethernet->source = kRouterMac;
    if (!ethernet->destination.is_group()) ethernet->destination = test::kServerMac;
    wire::store(frame, 0, *ethernet);
    if (auto ip = wire::load<wire::Ipv4Header>(frame, kIp); ip && ethernet->type == wire::kEtherTypeIpv4) {
        ip->destination = test::kServerAddress;
        wire::store(frame, kIp, *ip);
        if (ip->protocol == wire::kProtocolUdp)
            wire::store(frame, kUdp4 + offsetof(wire::UdpHeader, destination_port),
                        be16(wire::kDhcpServerPort));
    }
    if (auto ip = wire::load<wire::Ipv6Header>(frame, kIp); ip && ethernet->type == wire::kEtherTypeIpv6) {
        ip->destination = test::kServerAddress6;
        wire::store(frame, kIp, *ip);
        if (ip->next_header == wire::kProtocolUdp)
            wire::store(frame, wire::kIpv6FrameOverhead + offsetof(wire::UdpHeader, destination_port),
                        be16(wire::kDhcp6ServerPort));
    }
}

}  // namespace rouse::fuzz
