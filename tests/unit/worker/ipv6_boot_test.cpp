// A machine that boots over IPv6: frames in, frames out, events beside them.

#include "dataplane/dhcp6/identity.hpp"
#include "tests/support/dhcp6_builder.hpp"
#include "tests/support/worker_fixture.hpp"

#include <map>

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

using test::Dhcp6Builder;
using test::ScratchStore;
using wire::Dhcp6Option;
using wire::Dhcp6Type;

const MacAddress kMac = ScratchStore::mac_of(3);
const Ipv6Address kAddress = *Ipv6Address::parse("2001:db8:77::9");
const Ipv6Address kLinkLocal = wire::link_local_of(kMac);

std::vector<std::byte> udp6_frame(const Ipv6Address& source, const Ipv6Address& destination,
                                  std::uint16_t source_port, std::uint16_t destination_port,
                                  std::span<const std::byte> payload, const MacAddress& mac = kMac) {
    std::vector<std::byte> frame(wire::kUdp6FrameOverhead + payload.size());
    wire::store_bytes(frame, wire::kUdp6FrameOverhead, payload);
    const MacAddress to = destination.is_multicast() ? wire::multicast_mac_of(destination) : test::kServerMac;
    wire::Udp6Template(
        {.ends = {.source_mac = mac, .destination_mac = to, .source = source, .destination = destination},
         .source_port = source_port,
         .destination_port = destination_port})
        .write(frame, payload.size());
    return frame;
}

std::vector<std::byte> dhcp6_frame(const Dhcp6Builder& builder, const MacAddress& mac = kMac) {
    return udp6_frame(wire::link_local_of(mac), wire::kAllDhcpAgents, wire::kDhcp6ClientPort,
                      wire::kDhcp6ServerPort, builder.payload(), mac);
}

Dhcp6Builder firmware(Dhcp6Type type, std::string_view vendor, std::uint16_t architecture) {
    return Dhcp6Builder(type)
        .client(kMac)
        .ia_na(7)
        .firmware(vendor, architecture)
        .wants({Dhcp6Option::boot_file_url, Dhcp6Option::boot_file_parameters});
}

class Ipv6BootTest : public ::testing::Test {
  protected:
    ScratchStore store_;
    std::unique_ptr<test::WorkerFixture> fixture_;

    void SetUp() override {
        store_.add_network_and_profile();
        store_.add_machines(10);
        store_.add_image("ipxe.efi", std::string(3000, 'x'));
        store_.commit([](store::Transaction& txn, const store::Tables& tables) {
            auto network = record<store::NetworkRecord>(txn, tables.networks, be32(1));
            network.prefix6 = *Ipv6Prefix::parse("2001:db8:77::/64");
            network.flags = store::NetworkRecord::kServeUnknown;
            put(txn, tables.networks, be32(1), network);
            auto profile = record<store::ProfileRecord>(txn, tables.profiles, be32(1));
            static_cast<void>(profile.loaders[static_cast<std::size_t>(Loader::x64_http)].assign("a b.efi"));
            put(txn, tables.profiles, be32(1), profile);
            auto host = record<store::HostRecord>(txn, tables.hosts, kMac);
            host.address6 = kAddress;
            put(txn, tables.hosts, kMac, host);
            store::LeaseRecord lease;
            lease.network = 1;
            lease.mac = kMac;
            put(txn, tables.leases6, kAddress, lease);
        });
        fixture_ = std::make_unique<test::WorkerFixture>(store_);
    }
    template <typename R, typename Key>
    static R record(store::Transaction& txn, store::Table table, const Key& key) {
        return *store::decode<R>(**txn.get(table, store::bytes_of(key)));
    }
    template <typename R, typename Key>
    static void put(store::Transaction& txn, store::Table table, const Key& key, const R& value) {
        test::must(txn.put(table, store::bytes_of(key), store::bytes_of(value)));
    }

    // The payload of the one datagram in SENT, as the client takes it.
    std::vector<std::byte> payload_of(const std::vector<std::vector<std::byte>>& sent,
                                      const Ipv6Address& client, const MacAddress& mac = kMac) {
        EXPECT_EQ(sent.size(), 1U);
        if (sent.size() != 1) return {};
        wire::Packet6 packet;
        wire::Datagram6 datagram;
        EXPECT_EQ(wire::parse_packet6(sent[0], wire::Self6(mac, client), packet), DropReason::none);
        EXPECT_EQ(wire::parse_datagram6(packet, datagram), DropReason::none);
        return {datagram.payload.begin(), datagram.payload.end()};
    }
    // The answer's type, and its options' values as text.
    struct Reply {
        Dhcp6Type type{};
        std::map<Dhcp6Option, std::string> options;
    };
    Reply ask(const Dhcp6Builder& builder) {
        const auto payload = payload_of(fixture_->exchange(dhcp6_frame(builder)), kLinkLocal);
        Reply reply;
        const auto header = wire::load<wire::Dhcp6Header>(payload);
        if (!header) return reply;
        reply.type = header->type;
        wire::Dhcp6OptionReader reader(wire::ConstBytes(payload).subspan(sizeof *header));
        while (const auto option = reader.next()) reply.options[option->code] = wire::as_text(option->value);
        EXPECT_FALSE(reader.malformed());
        return reply;
    }
    void add_script() {
        store_.commit([](store::Transaction& txn, const store::Tables& tables) {
            const std::string content(2000, 'y');
            test::must(txn.put(tables.rendered, store::bytes_of(be64(9)), std::as_bytes(std::span(content))));
            const store::NameRecord name{
                .kind = store::ContentKind::rendered, .size = content.size(), .rendered_id = 9};
            test::must(txn.put(tables.names, store::NameKey::machine(kMac, "boot.ipxe")->bytes(),
                               store::bytes_of(name)));
        });
    }
    std::vector<EventKind> event_kinds() {
        std::vector<EventKind> kinds;
        for (const Event& event : fixture_->take_events()) kinds.push_back(event.kind);
        return kinds;
    }
};

TEST_F(Ipv6BootTest, PxeFirmwareGetsItsAddressAndATftpUrlWithItsSize) {
    const auto advertise = ask(firmware(Dhcp6Type::solicit, "PXEClient:Arch:00007:UNDI:003000", 7));
    EXPECT_EQ(advertise.type, Dhcp6Type::advertise);
    EXPECT_EQ(advertise.options.at(Dhcp6Option::boot_file_url), "tftp://[2001:db8:77::1]/ipxe.efi");
    EXPECT_EQ(advertise.options.at(Dhcp6Option::boot_file_parameters), std::string_view("\0\1"
                                                                                        "6",
                                                                                        3));
    EXPECT_NE(advertise.options.at(Dhcp6Option::ia_na).find(wire::as_text(store::bytes_of(kAddress))),
              std::string::npos);
    const auto server = advertise.options.at(Dhcp6Option::server_id);
    const auto reply = ask(Dhcp6Builder(Dhcp6Type::request)
                               .client(kMac)
                               .ia_na(7, {kAddress.to_string().c_str()})
                               .firmware("PXEClient:Arch:00007:UNDI:003000", 7)
                               .raw(Dhcp6Option::server_id, std::as_bytes(std::span(server))));
    EXPECT_EQ(reply.type, Dhcp6Type::reply);

    const auto events = fixture_->take_events();
    ASSERT_EQ(events.size(), 4U);
    const EventKind expected[] = {EventKind::dhcp_discover, EventKind::dhcp_offer, EventKind::dhcp_request,
                                  EventKind::dhcp_ack};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(events[i].kind, expected[i]);
        EXPECT_EQ(events[i].mac, kMac);
        EXPECT_EQ(events[i].transaction, 0x123456U);
        EXPECT_EQ(events[i].architecture, 7);
        EXPECT_EQ(events[i].address, IpAddress(i == 0 ? kLinkLocal : kAddress));
    }
    EXPECT_EQ(events[0].detail, static_cast<std::uint16_t>(ClientKind::pxe));
    EXPECT_EQ(events[3].get_text(), "ipxe.efi");
    for (const auto counter :
         {Counter::dhcp_discovers, Counter::dhcp_offers, Counter::dhcp_requests, Counter::dhcp_acks})
        EXPECT_EQ(fixture_->counters->get(counter), 1U);
}

TEST_F(Ipv6BootTest, HttpFirmwareGetsAnHttpUrlAndIpxeItsScript) {
    const auto http = ask(firmware(Dhcp6Type::solicit, "HTTPClient:Arch:00016:UNDI:003000", 16));
    EXPECT_EQ(http.options.at(Dhcp6Option::boot_file_url), "http://[2001:db8:77::1]/boot/a%20b.efi");
    EXPECT_EQ(http.options.count(Dhcp6Option::vendor_class), 1U);
    const auto ipxe = ask(firmware(Dhcp6Type::solicit, "PXEClient", 7).user_class("iPXE"));
    EXPECT_EQ(ipxe.options.at(Dhcp6Option::boot_file_url), "tftp://[2001:db8:77::1]/boot.ipxe");
}

TEST_F(Ipv6BootTest, ARelayedMachineIsServedOnItsOwnLinkOnly) {
    const auto relayed = [&](const char* link) {
        const auto builder =
            firmware(Dhcp6Type::solicit, "PXEClient", 7).relayed(0, link, kLinkLocal.to_string().c_str());
        return fixture_->exchange(udp6_frame(*Ipv6Address::parse("2001:db8:5::1"), test::kServerAddress6, 547,
                                             547, builder.payload(), {{2, 7, 7, 7, 7, 7}}));
    };
    EXPECT_EQ(relayed("2001:db8:77::ff").size(), 1U);
    EXPECT_TRUE(relayed("2001:db8:99::ff").empty());
    EXPECT_EQ(fixture_->dropped(DropReason::dhcp_unknown_network), 1U);
}

TEST_F(Ipv6BootTest, WhatIsWrongIsCountedAndAnAddressOfNobodysIsRefused) {
    EXPECT_TRUE(fixture_->exchange(dhcp6_frame(Dhcp6Builder(Dhcp6Type::solicit))).empty());
    EXPECT_EQ(fixture_->dropped(DropReason::dhcp6_no_client_id), 1U);
    fixture_->forget_events();
    const auto rebind = ask(Dhcp6Builder(Dhcp6Type::rebind).client(kMac).ia_na(7, {"2001:db8:77::aa"}));
    EXPECT_EQ(rebind.type, Dhcp6Type::reply);
    EXPECT_EQ(event_kinds(), (std::vector{EventKind::dhcp_request, EventKind::dhcp_ack}));
    const auto confirm = ask(Dhcp6Builder(Dhcp6Type::confirm).client(kMac).ia_na(7, {"2001:db8:77::aa"}));
    EXPECT_EQ(confirm.type, Dhcp6Type::reply);
    EXPECT_EQ(event_kinds(), (std::vector{EventKind::dhcp_request, EventKind::dhcp_nak}));
    EXPECT_EQ(fixture_->counters->get(Counter::dhcp_naks), 1U);
}

TEST_F(Ipv6BootTest, AStrangerIsAnsweredOnceItsLeaseIsCommittedInBothFamilies) {
    const MacAddress guest{{2, 9, 9, 9, 9, 9}};
    const auto solicit = dhcp6_frame(Dhcp6Builder(Dhcp6Type::solicit).client(guest).ia_na(1), guest);
    EXPECT_TRUE(fixture_->exchange(solicit).empty());
    const auto events = fixture_->take_events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].kind, EventKind::dhcp_lease_wanted);
    EXPECT_EQ(events[0].mac, guest);
    EXPECT_EQ(events[0].address, IpAddress(test::kServerAddress));
    EXPECT_FALSE(fixture_->worker.is_quiet());

    store_.commit([&](store::Transaction& txn, const store::Tables& tables) {
        store::HostRecord host;
        host.network = 1;
        host.address = ScratchStore::address_of(500);
        host.address6 = *Ipv6Address::parse("2001:db8:77::500");
        host.expires_unix = 100;
        put(txn, tables.hosts, guest, host);
    });
    fixture_->worker.turn(2, 40 * kNanosPerSecond);
    const auto payload = payload_of(fixture_->port.take_sent(), wire::link_local_of(guest), guest);
    // Never promised for longer than what is committed.
    const be32 lifetime(60);
    EXPECT_NE(wire::as_text(payload).find(wire::as_text(store::bytes_of(lifetime))), std::string::npos);
    EXPECT_TRUE(fixture_->worker.is_quiet());
    fixture_->worker.turn(3, 101 * kNanosPerSecond);
    fixture_->port.inject(solicit);
    fixture_->worker.turn(4, 101 * kNanosPerSecond);
    EXPECT_TRUE(fixture_->port.take_sent().empty());
    EXPECT_FALSE(fixture_->worker.is_quiet());  // it has run out: a new one is asked for
}

constexpr std::string_view kRequest(
    "\0\1boot.ipxe\0octet\0blksize\0"
    "1468\0",
    31);

TEST_F(Ipv6BootTest, FilesComeOverIpv6ToWhoHoldsTheAddress) {
    const auto request = std::as_bytes(std::span(kRequest));
    add_script();
    const auto ask = [&](const Ipv6Address& from, const MacAddress& mac, std::uint16_t port = 2000) {
        return fixture_->exchange(udp6_frame(from, test::kServerAddress6, port, 69, request, mac));
    };
    // 1500 bytes less IPv6's, UDP's and TFTP's headers.
    EXPECT_EQ(wire::as_text(payload_of(ask(kAddress, kMac), kAddress)), std::string_view("\0\6blksize\0"
                                                                                         "1448\0",
                                                                                         15));
    const std::string_view ack("\0\4\0\0", 4);
    const auto data = fixture_->exchange(
        udp6_frame(kAddress, test::kServerAddress6, 2000, 69, std::as_bytes(std::span(ack))));
    ASSERT_EQ(data.size(), 1U);
    EXPECT_EQ(data[0].size(), 1514U);
    payload_of(data, kAddress);
    EXPECT_EQ(ask(kLinkLocal, kMac).size(), 1U);

    const MacAddress stranger{{2, 9, 9, 9, 9, 9}};
    EXPECT_TRUE(ask(kAddress, stranger, 2001).empty());
    EXPECT_TRUE(ask(wire::link_local_of(stranger), stranger).empty());
    EXPECT_TRUE(ask(*Ipv6Address::parse("2001:db8:1::1"), kMac).empty());
    EXPECT_EQ(fixture_->dropped(DropReason::tftp_unknown_machine), 3U);
    EXPECT_TRUE(fixture_->exchange(udp6_frame(kAddress, wire::kAllNodes, 2000, 69, request)).empty());
    EXPECT_EQ(fixture_->dropped(DropReason::ipv6_not_for_us), 1U);
}

// The same frames but for the checksum, of which the device gets the pseudo header's part.
TEST_F(Ipv6BootTest, ADeviceThatSumsIsLeftTheBlocksToSum) {
    add_script();
    test::WorkerFixture sparing(store_, {.sums_udp = true});
    const std::string_view ack("\0\4\0\0", 4);
    constexpr std::size_t kChecksum = wire::kIpv6FrameOverhead + offsetof(wire::UdpHeader, checksum);
    for (const auto text : {kRequest, ack}) {
        const auto frame =
            udp6_frame(kAddress, test::kServerAddress6, 2000, 69, std::as_bytes(std::span(text)));
        const auto whole = fixture_->exchange(frame);
        auto left = sparing.exchange(frame);
        ASSERT_EQ(whole.size(), 1U);
        ASSERT_EQ(left.size(), 1U);
        EXPECT_NE(left, whole);
        wire::ChecksumSum sum;
        sum.add(std::span(left[0]).subspan(wire::kIpv6FrameOverhead));
        wire::store(left[0], kChecksum, sum.checksum());
        EXPECT_EQ(left, whole);
    }
}

}  // namespace
}  // namespace rouse::worker
