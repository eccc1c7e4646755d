#include "dataplane/dhcp/responder.hpp"

#include "tests/support/dhcp_builder.hpp"

#include <map>

#include <gtest/gtest.h>

namespace rouse::dhcp {
namespace {

using test::DhcpBuilder;
using wire::DhcpOption;
using wire::DhcpType;

const Ipv4Address kServer = *Ipv4Address::parse("10.77.0.1");
const Ipv4Address kAddress = *Ipv4Address::parse("10.77.0.9");
const Ipv4Address kOther = *Ipv4Address::parse("10.77.0.10");

class Responder : public ::testing::Test {
  protected:
    store::HostRecord host_;
    store::NetworkRecord network_;
    store::ProfileRecord profile_;
    Facts facts_{.server = kServer, .host = &host_, .network = &network_, .profile = &profile_};
    std::vector<std::byte> request_;
    Message message_;
    std::array<std::byte, 1472> out_{};
    wire::DhcpHeader header_{};
    std::map<DhcpOption, std::string> options_;
    std::vector<DhcpOption> order_;

    void SetUp() override {
        host_.network = 1;
        host_.address = kAddress;
        ASSERT_TRUE(host_.hostname.assign("node1"));
        network_.id = 1;
        network_.prefix = *Ipv4Prefix::parse("10.77.0.0/16");
        network_.gateway = kServer;
        network_.lease_seconds = 3600;
        network_.dns = {kServer, kOther};
        network_.dns_count = 2;
        profile_.id = 1;
        profile_.flags = store::ProfileRecord::kHasScript;
        ASSERT_TRUE(profile_.loaders[static_cast<std::size_t>(Loader::bios)].assign("undionly.kpxe"));
        ASSERT_TRUE(profile_.loaders[static_cast<std::size_t>(Loader::x64_uefi)].assign("ipxe.efi"));
    }

    Answer answer(const DhcpBuilder& builder) {
        request_ = builder.payload();
        EXPECT_EQ(parse(request_, message_), DropReason::none);
        const auto result = respond(message_, facts_, out_);
        options_.clear();
        order_.clear();
        if (result.drop != DropReason::none) return result;
        const auto reply = std::span(out_).first(result.length);
        header_ = *wire::load<wire::DhcpHeader>(reply);
        wire::DhcpOptionReader reader(reply.subspan(sizeof header_));
        while (const auto option = reader.next()) {
            EXPECT_TRUE(options_.emplace(option->code, wire::as_text(option->value)).second)
                << "option sent twice";
            order_.push_back(option->code);
        }
        EXPECT_FALSE(reader.malformed());
        EXPECT_GE(result.length, wire::kMinimumDhcpMessage);
        return result;
    }
    DhcpBuilder request() { return DhcpBuilder(DhcpType::request); }
};

TEST_F(Responder, OffersTheAddressOfTheRecord) {
    const auto result = answer(DhcpBuilder(DhcpType::discover).pxe(0));
    EXPECT_EQ(result.type, DhcpType::offer);
    EXPECT_EQ(header_.op, wire::kBootReply);
    EXPECT_EQ(header_.transaction, be32(0x12345678));
    EXPECT_EQ(header_.your, kAddress);
    EXPECT_EQ(header_.server, kServer);
    EXPECT_STREQ(header_.file.data(), "undionly.kpxe");
    EXPECT_EQ(options_[DhcpOption::subnet_mask], std::string("\xff\xff\0\0", 4));
    EXPECT_EQ(options_[DhcpOption::lease_time], std::string("\0\0\x0e\x10", 4));
    EXPECT_EQ(options_[DhcpOption::server_identifier], std::string("\x0a\x4d\0\x01", 4));
    EXPECT_EQ(options_[DhcpOption::dns_servers].size(), 8U);
    EXPECT_EQ(options_[DhcpOption::vendor_class], "PXEClient");
    EXPECT_EQ(options_[DhcpOption::vendor_specific], std::string("\x06\x01\x08\xff"));
}

TEST_F(Responder, BootFileFollowsWhatTheClientIs) {
    const auto file = [&](const DhcpBuilder& builder) { return std::string(answer(builder).boot_file); };
    EXPECT_EQ(file(DhcpBuilder(DhcpType::discover).pxe(0)), "undionly.kpxe");
    EXPECT_EQ(file(DhcpBuilder(DhcpType::discover).pxe(7)), "ipxe.efi");
    EXPECT_EQ(file(DhcpBuilder(DhcpType::discover).pxe(9)), "ipxe.efi");
    EXPECT_EQ(file(DhcpBuilder(DhcpType::discover).pxe(11)), "");
    EXPECT_EQ(file(DhcpBuilder(DhcpType::discover).ipxe(0)), "boot.ipxe");
    EXPECT_EQ(options_.count(DhcpOption::vendor_class), 0U);
    EXPECT_EQ(options_[DhcpOption::ipxe], std::string("\xb0\x01\x01\xff"));
    EXPECT_EQ(file(DhcpBuilder(DhcpType::discover).text(DhcpOption::vendor_class, "udhcp 1.35.0")), "");
    EXPECT_TRUE(header_.server.is_zero());
    profile_.flags = 0;
    EXPECT_EQ(file(DhcpBuilder(DhcpType::discover).ipxe(7)), "ipxe.efi");
    facts_.profile = nullptr;
    EXPECT_EQ(file(DhcpBuilder(DhcpType::discover).ipxe(7)), "");
}

TEST_F(Responder, RequestInEachStateOfTable4) {
    EXPECT_EQ(answer(request()
                         .option(DhcpOption::server_identifier, kServer)
                         .option(DhcpOption::requested_address, kAddress))
                  .type,
              DhcpType::ack);
    EXPECT_EQ(answer(request()
                         .option(DhcpOption::server_identifier, kOther)
                         .option(DhcpOption::requested_address, kAddress))
                  .drop,
              DropReason::dhcp_other_server);
    EXPECT_EQ(answer(request().option(DhcpOption::requested_address, kAddress)).type, DhcpType::ack);
    EXPECT_EQ(answer(request().option(DhcpOption::requested_address, kOther)).type, DhcpType::nak);
    EXPECT_TRUE(header_.your.is_zero());
    EXPECT_EQ(options_.count(DhcpOption::lease_time), 0U);
    auto renewing = request();
    renewing.header.client = kAddress;
    EXPECT_EQ(answer(renewing).type, DhcpType::ack);
    EXPECT_EQ(header_.client, kAddress);
    renewing.header.client = kOther;
    EXPECT_EQ(answer(renewing).type, DhcpType::nak);
    EXPECT_EQ(answer(request()).drop, DropReason::dhcp_wrong_address);
}

TEST_F(Responder, FirmwareIsNeverSentANak) {
    EXPECT_EQ(answer(request().pxe(7).option(DhcpOption::requested_address, kOther)).drop,
              DropReason::dhcp_wrong_address);
    EXPECT_EQ(answer(request().ipxe(7).option(DhcpOption::requested_address, kOther)).drop,
              DropReason::dhcp_wrong_address);
}

TEST_F(Responder, SilenceHasAReason) {
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::inform)).drop, DropReason::dhcp_type_unhandled);
    host_.address = {};
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::discover)).drop, DropReason::dhcp_no_address);
    facts_.network = nullptr;
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::discover)).drop, DropReason::dhcp_unknown_network);
    facts_.host = nullptr;
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::discover)).drop, DropReason::dhcp_unknown_machine);
}

TEST_F(Responder, EchoesIdentityAndRelayInformationLast) {
    const std::string identity("\x01\x02\x00\x00\x00\x00\x01", 7);
    const std::string uuid(17, 'u');
    answer(DhcpBuilder(DhcpType::discover)
               .text(DhcpOption::relay_agent, "circuit")
               .pxe(7)
               .text(DhcpOption::client_identifier, identity)
               .text(DhcpOption::client_uuid, uuid));
    EXPECT_EQ(options_[DhcpOption::client_identifier], identity);
    EXPECT_EQ(options_[DhcpOption::client_uuid], uuid);
    EXPECT_EQ(options_[DhcpOption::relay_agent], "circuit");
    EXPECT_EQ(order_.back(), DhcpOption::relay_agent);
}

TEST_F(Responder, NeverWritesMoreThanTheClientTakes) {
    const std::string huge(255, 'x');
    const auto result = answer(DhcpBuilder(DhcpType::discover)
                                   .text(DhcpOption::client_identifier, huge)
                                   .text(DhcpOption::client_uuid, huge));
    EXPECT_EQ(result.drop, DropReason::dhcp_reply_too_long);
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::discover)
                         .option(DhcpOption::maximum_message_size, be16(1472))
                         .text(DhcpOption::client_identifier, huge)
                         .text(DhcpOption::client_uuid, huge))
                  .type,
              DhcpType::offer);
}

TEST_F(Responder, AnswersGoWhereTheRfcSays) {
    wire::Datagram received;
    received.source_mac = {{2, 9, 9, 9, 9, 9}};
    const wire::Self self{.mac = {{2, 0, 0, 0, 0, 0xfe}}, .address = kServer, .subnet = network_.prefix};
    const auto go = [&](DhcpBuilder builder, DhcpType type) {
        request_ = builder.payload();
        EXPECT_EQ(parse(request_, message_), DropReason::none);
        return destination(message_, type, received, self, kAddress);
    };
    auto builder = DhcpBuilder(DhcpType::discover);
    auto ends = go(builder, DhcpType::offer);
    EXPECT_EQ(ends.destination, kAddress);
    EXPECT_EQ(ends.destination_mac, builder.header.hardware);
    EXPECT_EQ(ends.destination_port, 68);
    EXPECT_EQ(go(builder, DhcpType::nak).destination, kBroadcastIpv4);
    builder.header.flags = wire::kBroadcastFlag;
    ends = go(builder, DhcpType::offer);
    EXPECT_EQ(ends.destination, kBroadcastIpv4);
    EXPECT_EQ(ends.destination_mac, kBroadcastMac);
    builder.header.client = kOther;
    ends = go(builder, DhcpType::ack);
    EXPECT_EQ(ends.destination, kOther);
    EXPECT_EQ(ends.destination_mac, received.source_mac);
    builder.header.gateway = kOther;
    ends = go(builder, DhcpType::offer);
    EXPECT_EQ(ends.destination, kOther);
    EXPECT_EQ(ends.destination_port, 67);
    EXPECT_EQ(ends.destination_mac, received.source_mac);
}

}  // namespace
}  // namespace rouse::dhcp
