// Relays: envelopes, where the client is, and where the answer goes (RFC 8415 9, 13.1, 18.3.10, 19).

#include "tests/unit/dhcp6/exchange.hpp"

namespace rouse::dhcp6 {
namespace {

using test::Dhcp6Builder;
using wire::Dhcp6Option;
using wire::Dhcp6Type;

class Relays : public Exchange {
  protected:
    static std::vector<std::byte> interface_id(std::string_view text) {
        return test::dhcp6_option(Dhcp6Option::interface_id, std::as_bytes(std::span(text)));
    }
};

TEST_F(Relays, TheReplysEnvelopesRepeatTheRequests) {
    auto builder = from_client(Dhcp6Type::solicit).ia_na(7);
    builder.relayed(0, "::", "fe80::1", interface_id("port 7"));
    builder.relayed(1, "2001:db8:77::2", "fe80::2");
    builder.relayed(2, "2001:db8:99::1", "2001:db8:77::2", interface_id(""));
    ASSERT_EQ(answer(builder).type, Dhcp6Type::advertise);

    struct Envelope {
        std::uint8_t hops;
        const char* link;
        const char* peer;
        std::optional<std::string> interface;
    };
    wire::ConstBytes rest(reply_);
    for (const auto& expected :
         {Envelope{2, "2001:db8:99::1", "2001:db8:77::2", ""},
          Envelope{1, "2001:db8:77::2", "fe80::2", std::nullopt}, Envelope{0, "::", "fe80::1", "port 7"}}) {
        const auto header = *wire::load<wire::Dhcp6RelayHeader>(rest);
        EXPECT_EQ(header.type, Dhcp6Type::relay_reply);
        EXPECT_EQ(header.hop_count, expected.hops);
        EXPECT_EQ(header.link.to_string(), expected.link);
        EXPECT_EQ(header.peer.to_string(), expected.peer);
        wire::Dhcp6OptionReader reader(rest.subspan(sizeof header));
        std::optional<std::string> interface;
        wire::ConstBytes inner;
        while (const auto option = reader.next()) {
            if (option->code == Dhcp6Option::interface_id)
                interface = wire::as_text(option->value);
            else
                EXPECT_EQ(option->code, Dhcp6Option::relay_message);
            if (option->code == Dhcp6Option::relay_message) inner = option->value;
        }
        EXPECT_FALSE(reader.malformed());
        EXPECT_EQ(interface, expected.interface);
        rest = inner;
    }
    take_apart(rest);
    EXPECT_EQ(granted_.at(0).addresses.count(kAddress), 1U);
}

TEST_F(Relays, TheNearestThatKnowsTellsTheLink) {
    auto builder = from_client(Dhcp6Type::solicit).ia_na(7);
    EXPECT_TRUE(Received(builder).message.link().is_zero());
    builder.relayed(0, "::", "fe80::1");
    EXPECT_TRUE(Received(builder).message.link().is_zero());
    builder.relayed(1, "2001:db8:77::2", "fe80::2");
    EXPECT_EQ(Received(builder).message.link().to_string(), "2001:db8:77::2");
    builder.relayed(2, "2001:db8:99::1", "2001:db8:77::2");
    EXPECT_EQ(Received(builder).message.link().to_string(), "2001:db8:77::2");
    EXPECT_EQ(Received(builder).message.client_address.to_string(), "fe80::1");
}

TEST_F(Relays, AreBound) {
    auto builder = from_client(Dhcp6Type::solicit).ia_na(7);
    for (std::uint8_t hops = 0; hops <= wire::kDhcp6HopCountLimit; ++hops) {
        builder.relayed(hops, "2001:db8:77::2", "fe80::1");
        EXPECT_EQ(answer(builder).drop, DropReason::none) << int{hops};
    }
    EXPECT_EQ(Received(builder.relayed(9, "::", "fe80::1")).drop, DropReason::dhcp6_relay_too_deep);
    for (int i = 0; i < 1000; ++i) builder.relayed(9, "::", "fe80::1");
    EXPECT_EQ(Received(builder).drop, DropReason::dhcp6_relay_too_deep);
}

TEST_F(Relays, AnEnvelopeMustHoldAMessage) {
    const Ipv6Address none{};
    std::vector<std::byte> empty(sizeof(wire::Dhcp6RelayHeader));
    wire::store(empty, 0, wire::Dhcp6RelayHeader{Dhcp6Type::relay_forward, 0, none, none});
    EXPECT_EQ(Received(empty).drop, DropReason::dhcp6_bad_relay);
    empty.pop_back();
    EXPECT_EQ(Received(empty).drop, DropReason::dhcp6_too_short);
    auto reply = Dhcp6Builder(Dhcp6Type::relay_reply);
    reply.relayed(0, "::", "fe80::1");
    EXPECT_EQ(answer(reply).drop, DropReason::dhcp6_type_unhandled);
}

TEST_F(Relays, AnswersGoBackToWhoSentThem) {
    wire::Self6 self(MacAddress{{2, 0, 0, 0, 0, 0xfe}});
    ASSERT_TRUE(self.add(address("2001:db8:77::1")));
    const Received direct(from_client(Dhcp6Type::solicit).ia_na(7));
    auto ends = destination(direct.message, direct.datagram, self);
    EXPECT_EQ(ends.ends.source, self.link_local());
    EXPECT_EQ(ends.ends.destination.to_string(), "fe80::1");
    EXPECT_EQ(ends.ends.destination_mac, Dhcp6Builder::kMac);
    EXPECT_EQ(ends.source_port, 547);
    EXPECT_EQ(ends.destination_port, 546);

    auto builder = from_client(Dhcp6Type::solicit).ia_na(7);
    Received relayed(builder.relayed(0, "2001:db8:99::1", "fe80::1"), address("2001:db8:77::1"));
    relayed.datagram.source = address("2001:db8:99::1");
    ends = destination(relayed.message, relayed.datagram, self);
    EXPECT_EQ(ends.ends.source.to_string(), "2001:db8:77::1");
    EXPECT_EQ(ends.ends.destination.to_string(), "2001:db8:99::1");
    EXPECT_EQ(ends.destination_port, 547);

    Received to_group(builder, wire::kAllDhcpServers);
    to_group.datagram.source = address("2001:db8:99::1");
    EXPECT_EQ(destination(to_group.message, to_group.datagram, self).ends.source.to_string(),
              "2001:db8:77::1");
}

}  // namespace
}  // namespace rouse::dhcp6
