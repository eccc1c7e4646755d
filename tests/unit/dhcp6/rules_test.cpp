// What a server takes, by message type: RFC 8415 16.2 to 16.12, 16 and 18.4.1 as a table.

#include "tests/unit/dhcp6/exchange.hpp"

namespace rouse::dhcp6 {
namespace {

using test::Dhcp6Builder;
using wire::Dhcp6Option;
using wire::Dhcp6Type;

class Rules : public Exchange {
  protected:
    // A message of TYPE with what every server wants to see in it: an address where that is the point.
    static Dhcp6Builder message(Dhcp6Type type, bool client_id, wire::ConstBytes server_id) {
        Dhcp6Builder builder(type);
        if (client_id) builder.client();
        if (!server_id.empty()) builder.raw(Dhcp6Option::server_id, server_id);
        if (type != Dhcp6Type::information_request) builder.ia_na(1, {kAddress});
        return builder;
    }
};

TEST_F(Rules, IdentifiersByMessageType) {
    constexpr DropReason none = DropReason::none;
    constexpr DropReason no_client = DropReason::dhcp6_no_client_id;
    constexpr DropReason no_server = DropReason::dhcp6_no_server_id;
    constexpr DropReason unexpected = DropReason::dhcp6_unexpected_server_id;
    constexpr DropReason other = DropReason::dhcp_other_server;
    constexpr DropReason ignored = DropReason::dhcp6_type_unhandled;
    constexpr DropReason unicast = DropReason::dhcp6_unicast;
    struct Row {
        Dhcp6Type type;
        DropReason bare;     // neither identifier
        DropReason client;   // the client's only
        DropReason ours;     // the client's and ours
        DropReason foreign;  // the client's and another server's
        DropReason alone;    // like the good one, but sent to our own address
        int alone_status;    // what that answer says; -1: nothing
    };
    const Row rows[] = {
        {Dhcp6Type::solicit, no_client, none, unexpected, unexpected, unicast, -1},
        {Dhcp6Type::request, no_client, no_server, none, other, none, 5},
        {Dhcp6Type::confirm, no_client, none, unexpected, unexpected, unicast, -1},
        {Dhcp6Type::renew, no_client, no_server, none, other, none, 5},
        {Dhcp6Type::rebind, no_client, none, unexpected, unexpected, unicast, -1},
        {Dhcp6Type::release, no_client, no_server, none, other, none, 5},
        {Dhcp6Type::decline, no_client, no_server, none, other, none, 5},
        {Dhcp6Type::information_request, none, none, none, other, unicast, -1},
        {Dhcp6Type::advertise, ignored, ignored, ignored, ignored, ignored, -1},
        {Dhcp6Type::reply, ignored, ignored, ignored, ignored, ignored, -1},
        {Dhcp6Type::reconfigure, ignored, ignored, ignored, ignored, ignored, -1},
        {Dhcp6Type::relay_reply, ignored, ignored, ignored, ignored, ignored, -1},
        {Dhcp6Type::none, ignored, ignored, ignored, ignored, ignored, -1},
        {static_cast<Dhcp6Type>(36), ignored, ignored, ignored, ignored, ignored, -1},
    };
    const auto foreign_id = server_duid({{2, 0, 0, 0, 0, 0xfd}});
    const wire::ConstBytes ours(server_id_);
    for (const Row& row : rows) {
        const auto type = static_cast<int>(row.type);
        const auto expect = [&](bool client_id, wire::ConstBytes server_id, DropReason expected) {
            EXPECT_EQ(to_string(answer(message(row.type, client_id, server_id)).drop), to_string(expected))
                << "type " << type;
        };
        expect(false, {}, row.bare);
        expect(true, {}, row.client);
        expect(true, ours, row.ours);
        expect(true, foreign_id, row.foreign);
        expect(true, ours.first(4), row.ours == none ? other : row.ours);

        const auto good = message(row.type, true, row.client == none ? wire::ConstBytes{} : ours);
        EXPECT_EQ(to_string(answer(good, address("2001:db8:77::1")).drop), to_string(row.alone)) << type;
        EXPECT_EQ(status(), row.alone_status) << type;
        if (row.alone_status == -1) continue;
        EXPECT_EQ(header_.type, Dhcp6Type::reply);
        EXPECT_EQ(options_.size(), 3U) << "client, server and status, nothing else";
        EXPECT_TRUE(granted_.empty());
    }
}

TEST_F(Rules, ARelaysUnicastIsNoClients) {
    auto builder = from_client(Dhcp6Type::solicit).ia_na(1);
    EXPECT_EQ(answer(builder.relayed(0, "2001:db8:77::2", "fe80::1"), address("2001:db8:77::1")).drop,
              DropReason::none);
}

TEST_F(Rules, InformationRequestMustNotAskForAnAddress) {
    for (const auto kind : {Dhcp6Option::ia_na, Dhcp6Option::ia_ta, Dhcp6Option::ia_pd})
        EXPECT_EQ(answer(from_client(Dhcp6Type::information_request).association(kind, 1)).drop,
                  DropReason::dhcp6_unexpected_ia);
}

TEST_F(Rules, ConfirmNeedsAnAddress) {
    EXPECT_EQ(answer(from_client(Dhcp6Type::confirm)).drop, DropReason::dhcp6_nothing_to_confirm);
    EXPECT_EQ(answer(from_client(Dhcp6Type::confirm).ia_na(1)).drop, DropReason::dhcp6_nothing_to_confirm);
}

TEST_F(Rules, SilenceWhenTheRecordsDoNotSpeakForTheSender) {
    const auto solicit = from_client(Dhcp6Type::solicit).ia_na(1);
    const auto inform = from_client(Dhcp6Type::information_request);
    host_.address6 = {};
    EXPECT_EQ(answer(solicit).drop, DropReason::dhcp_no_address);
    EXPECT_EQ(answer(inform).drop, DropReason::none);
    network_.prefix6 = {};
    EXPECT_EQ(answer(solicit).drop, DropReason::dhcp_unknown_network);
    EXPECT_EQ(answer(inform).drop, DropReason::dhcp_unknown_network);
    facts_.network = nullptr;
    EXPECT_EQ(answer(solicit).drop, DropReason::dhcp_unknown_network);
    facts_.host = nullptr;
    EXPECT_EQ(answer(solicit).drop, DropReason::dhcp_unknown_machine);
    EXPECT_EQ(answer(inform).drop, DropReason::dhcp_unknown_machine);
}

}  // namespace
}  // namespace rouse::dhcp6
