// The whole dataplane below the port: frames in, frames out, events and counters beside them.

#include "dataplane/worker/worker.hpp"

#include "shared/store/framed_text.hpp"
#include "tests/support/dhcp_builder.hpp"
#include "tests/support/worker_fixture.hpp"

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

using test::DhcpBuilder;
using test::ScratchStore;
using wire::DhcpOption;
using wire::DhcpType;

constexpr std::uint32_t kMachine = 3;

const MacAddress kElsewhereMac{{2, 0, 0, 0, 0, 9}};
const Ipv4Address kElsewhere = *Ipv4Address::parse("192.168.1.9");

class WorkerTest : public ::testing::Test {
  protected:
    ScratchStore store_;
    std::unique_ptr<test::WorkerFixture> fixture_;

    void SetUp() override {
        store_.add_network_and_profile();
        store_.add_machines(10);
        fixture_ = std::make_unique<test::WorkerFixture>(store_);
    }
    // The one datagram that answers FRAME, parsed as the client would.
    wire::Datagram answer_to(std::span<const std::byte> frame) {
        sent_ = fixture_->exchange(frame);
        EXPECT_EQ(sent_.size(), 1U);
        wire::Datagram datagram;
        if (sent_.size() != 1) return datagram;
        const wire::Self client{.mac = ScratchStore::mac_of(kMachine),
                                .address = ScratchStore::address_of(kMachine),
                                .subnet = {}};
        EXPECT_EQ(wire::parse_datagram(sent_[0], client, datagram), DropReason::none);
        return datagram;
    }
    std::vector<std::byte> tftp_frame(std::string_view payload, std::uint32_t machine = kMachine,
                                      std::optional<MacAddress> mac = {}) {
        std::vector<std::byte> frame(wire::kUdpFrameOverhead + payload.size());
        wire::UdpTemplate({.source_mac = mac.value_or(ScratchStore::mac_of(machine)),
                           .destination_mac = test::kServerMac,
                           .source = ScratchStore::address_of(machine),
                           .destination = test::kServerAddress,
                           .source_port = 2000,
                           .destination_port = 69})
            .write(frame, payload.size());
        wire::store_bytes(frame, wire::kUdpFrameOverhead, std::as_bytes(std::span(payload)));
        return frame;
    }
    // One whose network is not this link's.
    void add_machine_elsewhere() {
        store_.commit([](store::Transaction& txn, const store::Tables& tables) {
            const store::NetworkRecord network{
                .id = 2, .prefix = *Ipv4Prefix::parse("192.168.1.0/24"), .lease_seconds = 3600};
            const store::HostRecord host{.network = 2, .address = kElsewhere};
            test::must(txn.put(tables.networks, store::bytes_of(be32(2)), store::bytes_of(network)));
            test::must(txn.put(tables.hosts, store::bytes_of(kElsewhereMac), store::bytes_of(host)));
        });
    }
    void add_rendered(std::string_view name, std::string_view content) {
        store_.commit([&](store::Transaction& txn, const store::Tables& tables) {
            const be64 id(7);
            test::must(txn.put(tables.rendered, store::bytes_of(id), store::bytes_of(content)));
            const store::NameRecord record{
                .kind = store::ContentKind::rendered, .size = content.size(), .rendered_id = 7};
            const auto key = store::NameKey::machine(ScratchStore::mac_of(kMachine), name);
            test::must(txn.put(tables.names, key->bytes(), store::bytes_of(record)));
        });
    }
    std::vector<EventKind> event_kinds() {
        std::vector<EventKind> kinds;
        for (const auto& event : fixture_->take_events()) kinds.push_back(event.kind);
        return kinds;
    }
    std::vector<std::vector<std::byte>> sent_;
};

TEST_F(WorkerTest, ARegisteredMachineGetsItsAddressAndBootFile) {
    const MacAddress mac = ScratchStore::mac_of(kMachine);
    auto offer = answer_to(DhcpBuilder(DhcpType::discover, mac).ipxe(7).frame());
    EXPECT_EQ(offer.destination, ScratchStore::address_of(kMachine));
    EXPECT_EQ(offer.source_port, 67);
    const auto header = wire::load<wire::DhcpHeader>(offer.payload);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->your, ScratchStore::address_of(kMachine));
    EXPECT_STREQ(header->file.data(), "boot.ipxe");
    answer_to(DhcpBuilder(DhcpType::request, mac)
                  .ipxe(7)
                  .option(DhcpOption::server_identifier, test::kServerAddress)
                  .option(DhcpOption::requested_address, ScratchStore::address_of(kMachine))
                  .frame());
    EXPECT_EQ(event_kinds(), (std::vector{EventKind::dhcp_discover, EventKind::dhcp_offer,
                                          EventKind::dhcp_request, EventKind::dhcp_ack}));
    EXPECT_EQ(fixture_->counters->get(Counter::dhcp_acks), 1U);
    EXPECT_EQ(fixture_->port.held() + fixture_->port.waiting(), port::kBurst - 2);
}

// RFC 2131 4.3.2, RENEWING: no relay has a hand in it, so only its own address says on which link the client
// is.
TEST_F(WorkerTest, AMachineBehindARouterRenewsByItself) {
    add_machine_elsewhere();
    DhcpBuilder request(DhcpType::request, kElsewhereMac);
    request.header.client = kElsewhere;
    auto to_us = request.frame();
    wire::UdpTemplate({.source_mac = {{2, 0, 0, 0, 0, 8}},  // the router's
                       .destination_mac = test::kServerMac,
                       .source = kElsewhere,
                       .destination = test::kServerAddress,
                       .source_port = wire::kDhcpClientPort,
                       .destination_port = wire::kDhcpServerPort})
        .write(to_us, to_us.size() - wire::kUdpFrameOverhead);
    const auto sent = fixture_->exchange(to_us);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(*wire::load<MacAddress>(sent[0]), (MacAddress{{2, 0, 0, 0, 0, 8}}));
    EXPECT_EQ(fixture_->counters->get(Counter::dhcp_acks), 1U);
}

// RFC 2131 4.3.2: it would keep an address that does not work where it is, and that others may be given.
TEST_F(WorkerTest, AMachineOnAnotherNetworkThanItsOwnIsRefusedWhatItHadAndOfferedNothing) {
    add_machine_elsewhere();
    EXPECT_TRUE(fixture_->exchange(DhcpBuilder(DhcpType::discover, kElsewhereMac).frame()).empty());
    EXPECT_EQ(fixture_->dropped(DropReason::dhcp_unknown_network), 1U);
    DhcpBuilder rebinding(DhcpType::request, kElsewhereMac);
    rebinding.header.client = kElsewhere;
    EXPECT_EQ(fixture_->exchange(rebinding.frame()).size(), 1U);
    EXPECT_EQ(fixture_->counters->get(Counter::dhcp_naks), 1U);
    EXPECT_TRUE(fixture_->exchange(rebinding.pxe(0).frame()).empty());  // firmware may take a NAK for the end
    EXPECT_EQ(fixture_->dropped(DropReason::dhcp_wrong_address), 1U);
}

TEST_F(WorkerTest, AProxyTellsOnlyWhatToBoot) {
    store_.commit([](store::Transaction& txn, const store::Tables& tables) {
        const be32 key(1);
        auto network = *store::decode<store::NetworkRecord>(**txn.get(tables.networks, store::bytes_of(key)));
        network.flags |= store::NetworkRecord::kProxy;
        test::must(txn.put(tables.networks, store::bytes_of(key), store::bytes_of(network)));
    });
    const MacAddress mac = ScratchStore::mac_of(kMachine);
    EXPECT_EQ(fixture_->exchange(DhcpBuilder(DhcpType::discover, mac).pxe(7).frame()).size(), 1U);
    EXPECT_TRUE(fixture_
                    ->exchange(DhcpBuilder(DhcpType::request, mac)
                                   .pxe(7)
                                   .option(DhcpOption::server_identifier, *Ipv4Address::parse("10.0.0.2"))
                                   .frame())
                    .empty());
    const auto events = fixture_->take_events();
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[1].kind, EventKind::dhcp_offer);
    EXPECT_TRUE(events[1].address.is_zero());
    EXPECT_EQ(events[2].kind, EventKind::dhcp_request);
    EXPECT_EQ(fixture_->dropped(DropReason::dhcp_proxy_only), 1U);
}

TEST_F(WorkerTest, StrangersGetSilenceFromDhcpAndTftp) {
    EXPECT_TRUE(
        fixture_->exchange(DhcpBuilder(DhcpType::discover, {{2, 9, 9, 9, 9, 9}}).pxe(0).frame()).empty());
    EXPECT_EQ(fixture_->dropped(DropReason::dhcp_unknown_machine), 1U);
    EXPECT_EQ(event_kinds(), std::vector{EventKind::dhcp_ignored});
    const std::string_view request("\0\1boot.ipxe\0octet\0", 18);
    EXPECT_TRUE(fixture_->exchange(tftp_frame(request, 999)).empty());
    // Another's address does not help: the frame's hardware address gives the stranger away.
    EXPECT_TRUE(fixture_->exchange(tftp_frame(request, kMachine, MacAddress{{2, 9, 9, 9, 9, 9}})).empty());
    EXPECT_EQ(fixture_->dropped(DropReason::tftp_unknown_machine), 2U);
}

// Who repeats a machine's request from elsewhere would draw its transfer to himself.
TEST_F(WorkerTest, ARepeatedRequestFromAnotherHardwareAddressMovesNoTransfer) {
    add_rendered("boot.ipxe", "#!ipxe\n");
    const std::string_view request("\0\1boot.ipxe\0octet\0", 18);
    answer_to(tftp_frame(request));
    EXPECT_TRUE(fixture_->exchange(tftp_frame(request, kMachine, MacAddress{{2, 9, 9, 9, 9, 9}})).empty());
    EXPECT_EQ(fixture_->dropped(DropReason::tftp_unknown_machine), 1U);
    EXPECT_EQ(wire::as_text(answer_to(tftp_frame(request)).payload),
              std::string_view("\0\3\0\1#!ipxe\n", 11));
}

TEST_F(WorkerTest, ServesARenderedFileToItsMachineOnly) {
    add_rendered("boot.ipxe", "#!ipxe\n");
    const std::string_view request("\0\1boot.ipxe\0octet\0", 18);
    const auto data = answer_to(tftp_frame(request));
    EXPECT_EQ(wire::as_text(data.payload), std::string_view("\0\3\0\1#!ipxe\n", 11));
    EXPECT_EQ(data.source_port, 69);
    const auto refused = fixture_->exchange(tftp_frame(request, kMachine + 1));
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_EQ(std::to_integer<int>(refused[0][wire::kUdpFrameOverhead + 1]), 5);
}

TEST_F(WorkerTest, AProfilesFrameIsServedWithTheMachinesOwnLine) {
    store_.commit([&](store::Transaction& txn, const store::Tables& tables) {
        const be64 frame(7), line(8);
        const std::string value = store::FramedText::encode("kernel ", "\nboot\n");
        test::must(
            txn.put(tables.rendered, store::bytes_of(frame), store::bytes_of(std::string_view(value))));
        test::must(
            txn.put(tables.rendered, store::bytes_of(line), store::bytes_of(std::string_view("name=node"))));
        const store::NameRecord record{.kind = store::ContentKind::framed,
                                       .size = store::FramedText::text_bytes(value.size()),
                                       .rendered_id = 7};
        const std::string name = std::string("grub.cfg-01-") + store::kOwnAddress;
        test::must(txn.put(tables.names, store::NameKey::profile(1, name)->bytes(), store::bytes_of(record)));
        store::HostRecord host;
        host.network = host.profile = 1;
        host.address = ScratchStore::address_of(kMachine);
        host.line_id = 8;
        host.line_bytes = 9;
        const auto mac = ScratchStore::mac_of(kMachine);
        test::must(txn.put(tables.hosts, store::bytes_of(mac), store::bytes_of(host)));
    });
    std::string dashes = ScratchStore::mac_of(kMachine).to_string();
    std::replace(dashes.begin(), dashes.end(), ':', '-');
    using namespace std::string_literals;
    const auto data = answer_to(tftp_frame("\0\1grub.cfg-01-"s + dashes + "\0octet\0"s));
    EXPECT_EQ(wire::as_text(data.payload), "\0\3\0\1kernel name=node\nboot\n"s);
    const auto size = answer_to(tftp_frame("\0\1grub.cfg-01-"s + dashes + "\0octet\0tsize\0000\0"s));
    EXPECT_EQ(wire::as_text(size.payload), "\0\6tsize\00022\0"s);
}

TEST_F(WorkerTest, SwitchesAreObeyedAtOnce) {
    store_.commit([](store::Transaction& txn, const store::Tables& tables) {
        const store::SwitchRecord off{.dhcp_enabled = 0, .tftp_enabled = 0};
        test::must(
            txn.put(tables.switches, store::bytes_of(store::kDataplaneSwitches), store::bytes_of(off)));
    });
    EXPECT_TRUE(fixture_->exchange(DhcpBuilder(DhcpType::discover, ScratchStore::mac_of(1)).frame()).empty());
    EXPECT_TRUE(fixture_->exchange(tftp_frame("\1\1")).empty());
    EXPECT_EQ(fixture_->dropped(DropReason::dhcp_disabled), 1U);
    EXPECT_EQ(fixture_->dropped(DropReason::tftp_disabled), 1U);
}

TEST_F(WorkerTest, EveryByteValueAnywhereIsSurvivedAndEveryFrameIsAccountedFor) {
    const auto good = DhcpBuilder(DhcpType::discover, ScratchStore::mac_of(kMachine)).ipxe(7).frame();
    std::uint64_t injected = 0;
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
            auto frame = good;
            frame[at] = static_cast<std::byte>(value);
            fixture_->exchange(frame);
            ++injected;
        }
    }
    std::uint64_t drops = 0;
    for (std::size_t i = 1; i < kDropReasons.size(); ++i)
        drops += fixture_->dropped(static_cast<DropReason>(i));
    EXPECT_EQ(drops + fixture_->counters->get(Counter::frames_sent), injected);
    EXPECT_EQ(fixture_->counters->get(Counter::frames_received), injected);
}

TEST_F(WorkerTest, AStrangerOnANetworkThatServesThemIsAnsweredOnceItsLeaseIsCommitted) {
    const MacAddress guest{{2, 9, 9, 9, 9, 9}};
    store_.commit([](store::Transaction& txn, const store::Tables& tables) {
        const be32 one(1);
        auto network = *store::decode<store::NetworkRecord>(**txn.get(tables.networks, store::bytes_of(one)));
        network.flags = store::NetworkRecord::kServeUnknown;
        test::must(txn.put(tables.networks, store::bytes_of(one), store::bytes_of(network)));
    });
    const auto discover = DhcpBuilder(DhcpType::discover, guest).frame();
    EXPECT_TRUE(fixture_->exchange(discover).empty());
    EXPECT_TRUE(fixture_->exchange(discover).empty());
    EXPECT_FALSE(fixture_->worker.is_quiet());
    const auto events = fixture_->take_events();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].kind, EventKind::dhcp_lease_wanted);
    EXPECT_EQ(events[0].address, IpAddress(test::kServerAddress));
    EXPECT_EQ(fixture_->counters->get(Counter::dhcp_parked), 1U);

    store_.commit([&](store::Transaction& txn, const store::Tables& tables) {
        store::HostRecord host;
        host.network = 1;
        host.address = ScratchStore::address_of(500);
        host.expires_unix = 100;
        test::must(txn.put(tables.hosts, store::bytes_of(guest), store::bytes_of(host)));
    });
    fixture_->worker.turn(2, 2);
    const auto sent = fixture_->port.take_sent();
    ASSERT_EQ(sent.size(), 1U);
    const auto header = wire::load<wire::DhcpHeader>(std::span(sent[0]).subspan(wire::kUdpFrameOverhead));
    EXPECT_EQ(header->your, ScratchStore::address_of(500));
    EXPECT_TRUE(fixture_->worker.is_quiet());
}

TEST_F(WorkerTest, AStrangerWhoseLeaseNeverComesIsForgottenAndCounted) {
    store_.commit([](store::Transaction& txn, const store::Tables& tables) {
        const be32 one(1);
        auto network = *store::decode<store::NetworkRecord>(**txn.get(tables.networks, store::bytes_of(one)));
        network.flags = store::NetworkRecord::kServeUnknown;
        test::must(txn.put(tables.networks, store::bytes_of(one), store::bytes_of(network)));
    });
    fixture_->exchange(DhcpBuilder(DhcpType::discover, {{2, 9, 9, 9, 9, 9}}).frame());
    fixture_->worker.turn(2 + Parking::kPatienceNs, 2);
    EXPECT_EQ(fixture_->dropped(DropReason::dhcp_lease_timeout), 1U);
    EXPECT_TRUE(fixture_->worker.is_quiet());
}

TEST_F(WorkerTest, ClientsOfAnotherServerGiveItAway) {
    const auto other = *Ipv4Address::parse("10.0.0.66");
    fixture_->exchange(DhcpBuilder(DhcpType::request, ScratchStore::mac_of(kMachine))
                           .option(DhcpOption::server_identifier, other)
                           .option(DhcpOption::requested_address, other)
                           .frame());
    const auto events = fixture_->take_events();
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().kind, EventKind::dhcp_foreign_server);
    EXPECT_EQ(events.back().address, IpAddress(other));
}

TEST_F(WorkerTest, OtherServersAreOverheard) {
    const MacAddress server{{2, 0x66, 0, 0, 0, 0x66}};
    const auto overheard = [&](const DhcpBuilder& reply) {
        const auto body = reply.payload();
        std::vector<std::byte> frame(wire::kUdpFrameOverhead + body.size());
        wire::UdpTemplate({.source_mac = server,
                           .destination_mac = kBroadcastMac,
                           .source = *Ipv4Address::parse("10.0.0.66"),
                           .destination = kBroadcastIpv4,
                           .source_port = 67,
                           .destination_port = 68})
            .write(frame, body.size());
        wire::store_bytes(frame, wire::kUdpFrameOverhead, body);
        EXPECT_TRUE(fixture_->exchange(frame).empty());
    };
    DhcpBuilder offer(DhcpType::offer, ScratchStore::mac_of(kMachine));
    overheard(offer);
    EXPECT_EQ(fixture_->dropped(DropReason::dhcp_not_reply), 1U);
    offer.header.op = wire::kBootReply;
    overheard(offer);
    overheard(offer.option(DhcpOption::server_identifier, *Ipv4Address::parse("10.0.0.67")));
    const auto events = fixture_->take_events();
    ASSERT_EQ(events.size(), 2U);
    for (const Event& event : events) {
        EXPECT_EQ(event.kind, EventKind::dhcp_foreign_server);
        EXPECT_EQ(event.mac, ScratchStore::mac_of(kMachine));
        EXPECT_EQ(event.get_text(), "02:66:00:00:00:66");
    }
    EXPECT_EQ(events[0].address, IpAddress(*Ipv4Address::parse("10.0.0.66")));
    EXPECT_EQ(events[1].address, IpAddress(*Ipv4Address::parse("10.0.0.67")));
    EXPECT_EQ(fixture_->counters->get(Counter::dhcp_foreign), 2U);
    // Where another server is to give the addresses, its answers are as they should be.
    store_.commit([](store::Transaction& txn, const store::Tables& tables) {
        const be32 one(1);
        auto network = *store::decode<store::NetworkRecord>(**txn.get(tables.networks, store::bytes_of(one)));
        network.flags = store::NetworkRecord::kProxy;
        test::must(txn.put(tables.networks, store::bytes_of(one), store::bytes_of(network)));
    });
    overheard(offer);
    EXPECT_TRUE(fixture_->take_events().empty());
}

TEST_F(WorkerTest, NobodySpeaksForAnotherMachineButARelay) {
    DhcpBuilder discover(DhcpType::discover, ScratchStore::mac_of(kMachine));
    auto forged = discover.frame();
    const MacAddress other = ScratchStore::mac_of(kMachine + 1);
    wire::store(forged, offsetof(wire::EthernetHeader, source), other);
    EXPECT_TRUE(fixture_->exchange(forged).empty());
    EXPECT_EQ(fixture_->dropped(DropReason::dhcp_not_senders), 1U);
    EXPECT_TRUE(fixture_->take_events().empty());
    discover.header.gateway = *Ipv4Address::parse("10.9.9.9");
    auto relayed = discover.frame();
    wire::store(relayed, offsetof(wire::EthernetHeader, source), other);
    EXPECT_EQ(fixture_->exchange(relayed).size(), 1U);
}

TEST_F(WorkerTest, WithoutTransmitFramesItDropsAndCounts) {
    test::WorkerFixture starved(store_, {.transmit_frames = 1});
    const auto frame = DhcpBuilder(DhcpType::discover, ScratchStore::mac_of(kMachine)).frame();
    for (int i = 0; i < 5; ++i) starved.port.inject(frame);
    starved.worker.turn(1, 1);
    EXPECT_EQ(starved.dropped(DropReason::transmit_no_frame), 4U);
    EXPECT_EQ(starved.port.drain(), 1U);
}

}  // namespace
}  // namespace rouse::worker
