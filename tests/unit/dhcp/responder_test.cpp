#include "dataplane/dhcp/responder.hpp"

#include "dataplane/dhcp/quirks.hpp"
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
    bool has_profile_ = true;
    Facts facts_{.server = kServer, .host = &host_, .network = &network_};
    std::vector<std::byte> request_;
    std::optional<Message> message_;
    BootFile boot_file_;
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

    void take(const DhcpBuilder& builder) {
        request_ = builder.payload();
        message_.emplace();
        EXPECT_EQ(parse(request_, *message_), DropReason::none);
        facts_.quirks = known_quirks(*message_) | host_.quirks;
        boot_file_ =
            boot_file_for(*message_, host_, has_profile_ ? &profile_ : nullptr, facts_.quirks, kServer);
        facts_.boot_file = &boot_file_;
    }
    Answer answer(const DhcpBuilder& builder) {
        take(builder);
        const auto result = respond(*message_, facts_, out_);
        options_.clear();
        order_.clear();
        if (result.drop != DropReason::none || result.length == 0) return result;
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
    const auto file = [&](const DhcpBuilder& builder) {
        static_cast<void>(answer(builder));
        return std::string(boot_file_.name.view());
    };
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
    has_profile_ = false;
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
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::offer)).drop, DropReason::dhcp_type_unhandled);
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
    const std::string agent(
        "\x01\x07"
        "circuit");
    answer(DhcpBuilder(DhcpType::discover)
               .text(DhcpOption::relay_agent, agent)
               .pxe(7)
               .text(DhcpOption::client_identifier, identity)
               .text(DhcpOption::client_uuid, uuid));
    EXPECT_EQ(options_[DhcpOption::client_identifier], identity);
    EXPECT_EQ(options_[DhcpOption::client_uuid], uuid);
    EXPECT_EQ(options_[DhcpOption::relay_agent], agent);
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
    received.destination_port = wire::kDhcpServerPort;
    received.source = kOther;
    received.source_port = 1234;
    const wire::Self self{.mac = {{2, 0, 0, 0, 0, 0xfe}}, .address = kServer, .subnet = network_.prefix};
    const auto go = [&](DhcpBuilder builder, DhcpType type) {
        take(builder);
        return destination(*message_, facts_, type, received, self);
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

TEST_F(Responder, InformGetsParametersAndNoLease) {
    auto inform = DhcpBuilder(DhcpType::inform);
    inform.header.client = kOther;
    EXPECT_EQ(answer(inform).type, DhcpType::ack);
    EXPECT_TRUE(header_.your.is_zero());
    EXPECT_EQ(header_.client, kOther);
    EXPECT_EQ(options_.count(DhcpOption::lease_time), 0U);
    EXPECT_EQ(options_.count(DhcpOption::subnet_mask), 1U);
}

TEST_F(Responder, DeclineAndReleaseAreTakenOnlyForTheGivenAddress) {
    auto decline = DhcpBuilder(DhcpType::decline);
    decline.option(DhcpOption::server_identifier, kServer).option(DhcpOption::requested_address, kAddress);
    auto result = answer(decline);
    EXPECT_EQ(result.drop, DropReason::none);
    EXPECT_EQ(result.length, 0U);
    auto release = DhcpBuilder(DhcpType::release);
    release.option(DhcpOption::server_identifier, kServer);
    release.header.client = kOther;
    EXPECT_EQ(answer(release).drop, DropReason::dhcp_wrong_address);
    release.header.client = kAddress;
    EXPECT_EQ(answer(release).drop, DropReason::none);
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::release).option(DhcpOption::server_identifier, kOther)).drop,
              DropReason::dhcp_other_server);
}

TEST_F(Responder, BootpClientsGetTheirAddressInThreeHundredBytes) {
    DhcpBuilder builder(DhcpType::discover);
    builder.header.cookie = 0;
    const auto result = answer(builder);
    EXPECT_EQ(result.drop, DropReason::none);
    EXPECT_EQ(result.length, wire::kMinimumDhcpMessage);
    EXPECT_EQ(header_.your, kAddress);
    EXPECT_STREQ(header_.file.data(), "undionly.kpxe");
    EXPECT_EQ(options_.count(DhcpOption::message_type), 0U);
}

TEST_F(Responder, BootpHasNoEndSoGuestsGetNone) {
    DhcpBuilder builder(DhcpType::discover);
    builder.header.cookie = 0;
    facts_.now_unix = 1;
    host_.expires_unix = 1000;
    EXPECT_EQ(answer(builder).drop, DropReason::dhcp_bootp_guest);
}

// RFC 3396 6: what came in parts goes back in parts.
TEST_F(Responder, LongIdentifiersAreEchoedInParts) {
    std::vector<std::byte> half(200, std::byte{'i'});
    DhcpBuilder builder(DhcpType::discover);
    builder.header.gateway = kOther;
    builder.option(DhcpOption::maximum_message_size, be16(1500));
    for (int i = 0; i < 2; ++i) builder.raw(DhcpOption::client_identifier, half);
    for (int i = 0; i < 2; ++i) {
        half[0] = static_cast<std::byte>(100 + i);  // a sub-option of 198 bytes
        half[1] = std::byte{198};
        builder.raw(DhcpOption::relay_agent, half);
    }
    take(builder);
    const auto result = respond(*message_, facts_, out_);
    ASSERT_EQ(result.drop, DropReason::none);
    std::map<DhcpOption, std::vector<std::size_t>> parts;
    const wire::ConstBytes reply(out_.data(), result.length);
    wire::DhcpOptionReader reader(reply.subspan(sizeof(wire::DhcpHeader)));
    DhcpOption last{};
    while (const auto option = reader.next()) {
        parts[option->code].push_back(option->value.size());
        last = option->code;
    }
    EXPECT_FALSE(reader.malformed());
    EXPECT_EQ(parts[DhcpOption::client_identifier], (std::vector<std::size_t>{255, 145}));
    EXPECT_EQ(parts[DhcpOption::relay_agent], (std::vector<std::size_t>{255, 145}));
    EXPECT_EQ(last, DhcpOption::relay_agent);
}

TEST_F(Responder, AGuestIsNeverPromisedMoreThanWasCommitted) {
    host_.expires_unix = 1000;
    facts_.now_unix = 400;
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::discover)).type, DhcpType::offer);
    EXPECT_EQ(options_[DhcpOption::lease_time], std::string("\0\0\x02\x58", 4));
    facts_.now_unix = 1000;
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::discover)).drop, DropReason::dhcp_no_address);
}

TEST_F(Responder, HttpBootGetsAnAbsoluteUri) {
    ASSERT_TRUE(profile_.loaders[static_cast<std::size_t>(Loader::x64_http)].assign(
        "boot loaders/{{mac-dashes}}.efi"));
    answer(DhcpBuilder(DhcpType::discover)
               .text(DhcpOption::vendor_class, "HTTPClient:Arch:00016")
               .option(DhcpOption::client_architecture, be16(16)));
    EXPECT_EQ(options_[DhcpOption::vendor_class], "HTTPClient");
    EXPECT_EQ(options_[DhcpOption::boot_file_name],
              "http://10.77.0.1/boot/boot%20loaders/02-00-00-00-00-01.efi");
    EXPECT_TRUE(header_.server.is_zero());
    EXPECT_EQ(header_.file[0], '\0');
}

TEST_F(Responder, BootFileNamesCarryTheMachinesOwnData) {
    auto& loader = profile_.loaders[static_cast<std::size_t>(Loader::bios)];
    const auto name = [&](std::string_view pattern) {
        EXPECT_TRUE(loader.assign(pattern));
        take(DhcpBuilder(DhcpType::discover).pxe(0));
        return std::string(boot_file_.name.view());
    };
    EXPECT_EQ(name("{{hostname}}/{{ip}}/{{mac}}"), "node1/10.77.0.9/02:00:00:00:00:01");
    EXPECT_EQ(name("a{{nonsense}}b{{"), "a{{nonsense}}b{{");
    EXPECT_EQ(name(std::string(110, 'x') + "{{mac}}{{mac}}"), "");
}

TEST_F(Responder, TellsPxeTheSizeOfItsFile) {
    facts_.boot_file_bytes = 1025;
    answer(DhcpBuilder(DhcpType::discover).pxe(7));
    EXPECT_EQ(options_[DhcpOption::boot_file_size], std::string("\0\x03", 2));
    facts_.boot_file_bytes = std::uint64_t{512} * 65536;
    answer(DhcpBuilder(DhcpType::discover).pxe(7));
    EXPECT_EQ(options_.count(DhcpOption::boot_file_size), 0U);
}

TEST_F(Responder, BesideAnotherServerOnlyBootInformationIsGiven) {
    network_.flags = store::NetworkRecord::kProxy;
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::discover).pxe(7)).type, DhcpType::offer);
    EXPECT_TRUE(header_.your.is_zero());
    EXPECT_EQ(header_.server, kServer);
    EXPECT_STREQ(header_.file.data(), "ipxe.efi");
    EXPECT_EQ(options_[DhcpOption::vendor_class], "PXEClient");
    EXPECT_EQ(options_.count(DhcpOption::lease_time) + options_.count(DhcpOption::subnet_mask), 0U);
    EXPECT_EQ(answer(request().pxe(7).option(DhcpOption::server_identifier, kOther)).drop,
              DropReason::dhcp_proxy_only);
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::discover)).drop, DropReason::dhcp_not_netboot);
}

TEST_F(Responder, PortOfTheBootServerAnswersRequests) {
    facts_.boot_server_port = true;
    auto builder = request().pxe(7);
    builder.header.client = kAddress;
    EXPECT_EQ(answer(builder).type, DhcpType::ack);
    EXPECT_STREQ(header_.file.data(), "ipxe.efi");
    EXPECT_TRUE(header_.your.is_zero());
    EXPECT_EQ(answer(DhcpBuilder(DhcpType::discover).pxe(7)).drop, DropReason::dhcp_proxy_only);
}

TEST_F(Responder, RelaysMayNameTheServer) {
    const std::string agent("\x0b\x04\x0a\x4d\x00\x0a", 6);
    DhcpBuilder discover(DhcpType::discover);
    discover.header.gateway = kOther;
    answer(discover.text(DhcpOption::relay_agent, agent));
    EXPECT_EQ(options_[DhcpOption::server_identifier], std::string("\x0a\x4d\0\x0a", 4));
    auto builder = request()
                       .option(DhcpOption::server_identifier, kOther)
                       .option(DhcpOption::requested_address, kAddress);
    builder.header.gateway = kOther;
    EXPECT_EQ(answer(builder.text(DhcpOption::relay_agent, agent)).type, DhcpType::ack);
}

TEST_F(Responder, QuirksOfFamiliesAndOfMachines) {
    answer(DhcpBuilder(DhcpType::discover, {{0xdc, 0xa6, 0x32, 0, 0, 1}}).pxe(0));
    EXPECT_NE(options_[DhcpOption::vendor_specific].find("Raspberry Pi Boot"), std::string::npos);
    host_.quirks.add(Quirk::no_pxe_options);
    answer(DhcpBuilder(DhcpType::discover).pxe(0));
    EXPECT_EQ(options_.count(DhcpOption::vendor_class) + options_.count(DhcpOption::vendor_specific), 0U);
    host_.quirks.add(Quirk::broadcast_replies);
    take(DhcpBuilder(DhcpType::discover).pxe(0));
    EXPECT_EQ(destination(*message_, facts_, DhcpType::offer, {}, {}).destination, kBroadcastIpv4);
}

TEST_F(Responder, UBootIsTakenAtItsOwnFileName) {
    DhcpBuilder builder(DhcpType::discover);
    builder.text(DhcpOption::vendor_class, "U-Boot.armv8").option(DhcpOption::client_architecture, be16(22));
    builder.header.file = {'b', 'o', 'o', 't', '.', 's', 'c', 'r'};
    answer(builder);
    EXPECT_EQ(message_->requested_file(), "boot.scr");
    EXPECT_EQ(header_.server, kServer);
    EXPECT_EQ(header_.file[0], '\0');
}

}  // namespace
}  // namespace rouse::dhcp
