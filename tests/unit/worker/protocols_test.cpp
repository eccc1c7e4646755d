// The same protocols over every kind of port: the worker is one template, and what carries its frames must
// make no difference.

#include "dataplane/wire/arp.hpp"
#include "dataplane/wire/checksum.hpp"
#include "tests/support/dhcp_builder.hpp"
#include "tests/support/privileges.hpp"
#include "tests/support/tftp_client.hpp"
#include "tests/unit/worker/protocol_rigs.hpp"

#include <deque>
#include <random>

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

using test::Bytes;
using test::DhcpBuilder;
using test::kServerAddress;
using test::PacketBuilder;
using test::ScratchStore;
using test::TftpClient;
using wire::DhcpOption;
using wire::DhcpType;

constexpr std::uint32_t kMachine = 3;
constexpr std::uint16_t kClientPort = 2000;
constexpr std::uint64_t kTurnNs = 2000;  // simulated, about what a turn takes
constexpr MacAddress kStranger{{0x02, 9, 9, 9, 9, 9}};
const MacAddress kMac = ScratchStore::mac_of(kMachine);
const Ipv4Address kAddress = ScratchStore::address_of(kMachine);

std::string content() {
    std::mt19937 random(1);
    std::string text(100'001, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

template <typename Rig>
class Protocols : public ::testing::Test {
  protected:
    using P = typename Rig::PortType;
    void SetUp() override {
        ROUSE_NEEDS_PRIVILEGES(rig_.refusal().empty(), rig_.refusal());
        store_.add_network_and_profile();
        store_.add_machines(10);
        store_.add_image("file", content_);
        fixture_.emplace(rig_.port(), store_);
    }
    // A frame that IS_WANTED, within five seconds; others that come before it are nobody's.
    template <typename Wanted>
    std::optional<Bytes> hear(Wanted&& is_wanted,
                              std::chrono::milliseconds patience = std::chrono::seconds(5)) {
        for (const auto end = std::chrono::steady_clock::now() + patience;
             std::chrono::steady_clock::now() < end;) {
            now_ns_ += kTurnNs;
            fixture_->worker.turn(now_ns_, now_ns_);
            for (Bytes& frame : rig_.heard()) inbox_.push_back(std::move(frame));
            while (!inbox_.empty()) {
                Bytes frame = std::move(inbox_.front());
                inbox_.pop_front();
                if (is_wanted(frame)) return frame;
            }
            std::this_thread::yield();
        }
        return {};
    }
    // The datagram from us to ADDRESS that comes next.
    std::optional<wire::Datagram> hear_datagram(std::chrono::milliseconds patience = std::chrono::seconds(5),
                                                Ipv4Address address = kAddress) {
        wire::Datagram datagram;
        kept_ = hear(
            [&](const Bytes& frame) {
                MacAddress to;
                std::memcpy(&to, frame.data(), sizeof to);
                const wire::Self self{.mac = to, .address = address, .subnet = {}};
                return wire::parse_datagram(frame, self, datagram) == DropReason::none &&
                       datagram.source == kServerAddress;
            },
            patience);
        if (!kept_) return {};
        datagram.payload = std::span(*kept_).subspan(wire::kUdpFrameOverhead, datagram.payload.size());
        return datagram;
    }
    bool is_silent() { return !hear_datagram(std::chrono::milliseconds(50)); }
    [[nodiscard]] Bytes tftp_frame(std::span<const std::byte> payload, const MacAddress& mac = kMac) {
        return PacketBuilder()
            .eth({.destination = rig_.port().hardware_address(), .source = mac})
            .ipv4({.source = kAddress, .destination = kServerAddress})
            .udp({.source_port = kClientPort, .destination_port = 69})
            .payload(payload)
            .build();
    }
    void say_tftp(std::span<const std::byte> payload) { ASSERT_TRUE(rig_.say(tftp_frame(payload))); }
    // Its bytes are staged by a thread of its own: until they are there.
    void fetch(TftpClient& client) {
        say_tftp(client.start(0));
        while (!client.is_done() && client.failure().empty()) {
            const auto datagram = hear_datagram();
            ASSERT_TRUE(datagram) << "after " << client.blocks() << " blocks";
            if (const auto answer = client.receive(0, datagram->payload)) say_tftp(*answer);
        }
    }
    [[nodiscard]] std::uint64_t dropped(DropReason reason) const { return fixture_->dropped(reason); }

    const std::string content_ = content();
    ScratchStore store_;
    Rig rig_;
    std::optional<test::WorkerOn<P>> fixture_;
    std::optional<Bytes> kept_;
    std::deque<Bytes> inbox_;  // heard, and not yet looked at
    std::uint64_t now_ns_ = kNanosPerSecond;
};

using Rigs = ::testing::Types<test::MemoryRig, test::XdpRig, test::DpdkRig>;
struct RigNames {
    template <typename Rig>
    static std::string GetName(int) {
        if (std::is_same_v<Rig, test::MemoryRig>) return "memory";
        return std::is_same_v<Rig, test::XdpRig> ? "xdp" : "dpdk";
    }
};
TYPED_TEST_SUITE(Protocols, Rigs, RigNames);

TYPED_TEST(Protocols, AMachineLeasesItsAddress) {
    ASSERT_TRUE(this->rig_.say(DhcpBuilder(DhcpType::discover, kMac).pxe(7).frame()));
    const auto offer = this->hear_datagram();
    ASSERT_TRUE(offer);
    const auto header = wire::load<wire::DhcpHeader>(offer->payload);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->your, kAddress);
    EXPECT_STREQ(header->file.data(), "ipxe.efi");
    ASSERT_TRUE(this->rig_.say(DhcpBuilder(DhcpType::request, kMac)
                                   .pxe(7)
                                   .option(DhcpOption::server_identifier, kServerAddress)
                                   .option(DhcpOption::requested_address, kAddress)
                                   .frame()));
    ASSERT_TRUE(this->hear_datagram());
    EXPECT_EQ(this->fixture_->counters->get(Counter::dhcp_acks), 1U);
}

TYPED_TEST(Protocols, ARelayIsAnsweredAtItsAddress) {
    const auto relay = *Ipv4Address::parse("10.9.9.9");
    DhcpBuilder discover(DhcpType::discover, kMac);
    discover.header.gateway = relay;
    const auto body = discover.payload();
    ASSERT_TRUE(this->rig_.say(
        PacketBuilder()
            .eth({.destination = this->rig_.port().hardware_address(), .source = ScratchStore::mac_of(9)})
            .ipv4({.source = relay, .destination = kServerAddress})
            .udp({.source_port = 67, .destination_port = 67})
            .payload(body)
            .build()));
    const auto offer = this->hear_datagram(std::chrono::seconds(5), relay);
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->destination_port, 67);
    EXPECT_EQ(offer->destination_mac, ScratchStore::mac_of(9));
    EXPECT_EQ(wire::load<wire::DhcpHeader>(offer->payload)->your, kAddress);
}

TYPED_TEST(Protocols, AFileComesWholeWithAndWithoutWindows) {
    for (const std::uint16_t window : std::initializer_list<std::uint16_t>{1, 4, 16}) {
        TftpClient client({.name = "file", .ask = {.block_size = 1428, .window_size = window}});
        this->fetch(client);
        EXPECT_EQ(client.failure(), "");
        EXPECT_EQ(client.window(), window);
        EXPECT_TRUE(client.content() == this->content_) << window;
    }
}

TYPED_TEST(Protocols, ABlockThatNobodyAcknowledgesComesAgain) {
    using namespace std::string_literals;
    const std::string request = "\0\1file\0octet\0"s;
    this->say_tftp(std::as_bytes(std::span(request)));
    const auto first = this->hear_datagram();
    ASSERT_TRUE(first);
    const Bytes block(first->payload.begin(), first->payload.end());
    ASSERT_GT(block.size(), 500U);
    std::optional<wire::Datagram> again;
    for (int step = 0; step < 100 && !again; ++step) {
        this->now_ns_ += 100 * kNanosPerMilli;
        again = this->hear_datagram(std::chrono::milliseconds(20));
    }
    ASSERT_TRUE(again);
    EXPECT_EQ(Bytes(again->payload.begin(), again->payload.end()), block);
    EXPECT_GE(this->fixture_->counters->get(Counter::tftp_retransmissions), 1U);
}

TYPED_TEST(Protocols, StrangersGetSilence) {
    using namespace std::string_literals;
    const std::string request = "\0\1file\0octet\0"s;
    ASSERT_TRUE(this->rig_.say(DhcpBuilder(DhcpType::discover, kStranger).pxe(0).frame()));
    EXPECT_TRUE(this->is_silent());
    // Another's address does not help: the frame's hardware address gives the stranger away.
    ASSERT_TRUE(this->rig_.say(this->tftp_frame(std::as_bytes(std::span(request)), kStranger)));
    EXPECT_TRUE(this->is_silent());
    EXPECT_EQ(this->dropped(DropReason::dhcp_unknown_machine), 1U);
    EXPECT_EQ(this->dropped(DropReason::tftp_unknown_machine), 1U);
}

// By the worker where it owns the interface, else by the kernel, which keeps it.
TYPED_TEST(Protocols, TheServersAddressAnswersArpAndEcho) {
    const wire::ArpPacket question{.hardware_type = wire::kArpHardwareEthernet,
                                   .protocol_type = wire::kEtherTypeIpv4,
                                   .hardware_length = sizeof(MacAddress),
                                   .protocol_length = sizeof(Ipv4Address),
                                   .operation = wire::kArpRequest,
                                   .sender_mac = kMac,
                                   .sender = kAddress,
                                   .target_mac = {},
                                   .target = kServerAddress};
    ASSERT_TRUE(this->rig_.say(PacketBuilder()
                                   .eth({.source = kMac, .type = 0x0806})
                                   .payload(std::as_bytes(std::span(&question, 1)))
                                   .build(60)));
    EXPECT_TRUE(this->hear([&](const Bytes& frame) {
        const auto arp = wire::load<wire::ArpPacket>(frame, sizeof(wire::EthernetHeader));
        return arp && arp->operation == be16(wire::kArpReply) && arp->sender == kServerAddress &&
               arp->sender_mac == this->rig_.port().hardware_address();
    }));

    Bytes echo(8 + 56);
    echo[0] = std::byte{8};
    wire::ChecksumSum sum;
    sum.add(echo);
    wire::store(echo, 2, sum.checksum());
    ASSERT_TRUE(this->rig_.say(PacketBuilder()
                                   .eth({.destination = this->rig_.port().hardware_address(), .source = kMac})
                                   .ipv4({.protocol = 1, .source = kAddress, .destination = kServerAddress})
                                   .payload(echo)
                                   .build()));
    EXPECT_TRUE(this->hear([&](const Bytes& frame) {
        const auto ip = wire::load<wire::Ipv4Header>(frame, sizeof(wire::EthernetHeader));
        return ip && ip->protocol == 1 && ip->destination == kAddress &&
               frame.size() >= 14 + 20 + echo.size() && frame[34] == std::byte{0};
    }));
}

TYPED_TEST(Protocols, MalformedFramesAreSurvivedAndAccountedFor) {
    const Bytes good = DhcpBuilder(DhcpType::discover, kMac).ipxe(7).frame();
    std::uint64_t said = 0;
    const auto say = [&](const Bytes& frame) {
        while (!this->rig_.say(frame)) this->fixture_->worker.turn(this->now_ns_, this->now_ns_);
        if (++said % 16 == 0) this->fixture_->worker.turn(this->now_ns_, this->now_ns_);
        (void)this->rig_.heard();
    };
    for (std::size_t at = 0; at < good.size(); ++at)
        for (const int value : {0x00, 0x7f, 0xff}) {
            Bytes frame = good;
            frame[at] = static_cast<std::byte>(value);
            say(frame);
        }
    for (std::size_t length = sizeof(wire::EthernetHeader); length < good.size(); ++length)
        say(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)));
    (void)this->hear([](const Bytes&) { return false; }, std::chrono::milliseconds(200));  // all has come
    if constexpr (TestFixture::P::kOwnsInterface) {
        std::uint64_t drops = 0;
        for (std::size_t i = 1; i < kDropReasons.size(); ++i)
            drops += this->dropped(static_cast<DropReason>(i));
        EXPECT_EQ(this->fixture_->counters->get(Counter::frames_received), said);
        EXPECT_EQ(drops + this->fixture_->counters->get(Counter::frames_sent), said);
    }
    ASSERT_TRUE(this->rig_.say(good));
    EXPECT_TRUE(this->hear_datagram());
}

}  // namespace
}  // namespace rouse::worker
