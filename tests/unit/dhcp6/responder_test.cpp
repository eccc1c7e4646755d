#include "dataplane/dhcp6/responder.hpp"

#include "tests/support/hex.hpp"
#include "tests/support/pcap.hpp"
#include "tests/unit/dhcp6/exchange.hpp"

#include <random>
#include <set>

namespace rouse::dhcp6 {
namespace {

using test::Dhcp6Builder;
using wire::Dhcp6Option;
using wire::Dhcp6Type;
using Lifetimes = std::pair<std::uint32_t, std::uint32_t>;

class Responder : public Exchange {};

TEST_F(Responder, AdvertisesTheAddressOfTheRecord) {
    const auto result = answer(from_client(Dhcp6Type::solicit).ia_na(7).wants({Dhcp6Option::dns_servers}));
    EXPECT_EQ(result.type, Dhcp6Type::advertise);
    EXPECT_EQ(result.address, address(kAddress));
    EXPECT_EQ(header_.type, Dhcp6Type::advertise);
    EXPECT_EQ(header_.transaction, (std::array<std::uint8_t, 3>{0x12, 0x34, 0x56}));
    EXPECT_EQ(options_[Dhcp6Option::client_id], wire::as_text(test::duid_llt(Dhcp6Builder::kMac)));
    EXPECT_EQ(options_[Dhcp6Option::server_id], wire::as_text(server_id_));
    EXPECT_EQ(options_[Dhcp6Option::preference], "\xff");
    EXPECT_EQ(options_[Dhcp6Option::dns_servers].size(), 32U);
    ASSERT_EQ(granted_.size(), 1U);
    EXPECT_EQ(granted_[0].id, 7U);
    EXPECT_EQ(granted_[0].renew, 1800U);
    EXPECT_EQ(granted_[0].rebind, 2880U);
    EXPECT_EQ(granted_[0].addresses.at(kAddress), Lifetimes(3600, 3600));
    EXPECT_EQ(granted_[0].status, -1);
}

TEST_F(Responder, CommitsAtOnceWhenAsked) {
    EXPECT_EQ(answer(from_client(Dhcp6Type::solicit).ia_na(7).raw(Dhcp6Option::rapid_commit, {})).type,
              Dhcp6Type::reply);
    EXPECT_EQ(options_.count(Dhcp6Option::rapid_commit), 1U);
    EXPECT_EQ(options_.count(Dhcp6Option::preference), 0U);
    EXPECT_EQ(granted_.at(0).addresses.count(kAddress), 1U);
    // Only a SOLICIT may ask for it (RFC 8415 21.14).
    EXPECT_EQ(answer(to_us(Dhcp6Type::request).ia_na(7).raw(Dhcp6Option::rapid_commit, {})).type,
              Dhcp6Type::reply);
    EXPECT_EQ(options_.count(Dhcp6Option::rapid_commit), 0U);
}

TEST_F(Responder, InfiniteLeasesStayInfinite) {
    network_.lease_seconds = 0xffffffff;
    answer(from_client(Dhcp6Type::solicit).ia_na(7));
    EXPECT_EQ(granted_.at(0).renew, 0xffffffffU);
    EXPECT_EQ(granted_.at(0).addresses.at(kAddress), Lifetimes(0xffffffff, 0xffffffff));
    network_.lease_seconds = 0xfffffffe;
    answer(from_client(Dhcp6Type::solicit).ia_na(7));
    EXPECT_EQ(granted_.at(0).renew, 0x7fffffffU);
}

TEST_F(Responder, RequestGetsThePromisedAddressWhateverWasHintedAt) {
    for (const char* hint : {kAddress, kOther}) {
        EXPECT_EQ(answer(to_us(Dhcp6Type::request).ia_na(7, {hint})).address, address(kAddress));
        EXPECT_EQ(granted_.at(0).addresses.size(), 1U);
        EXPECT_EQ(granted_.at(0).addresses.count(kAddress), 1U);
    }
    EXPECT_TRUE(answer(to_us(Dhcp6Type::request).ia_na(7, {kElsewhere})).address.is_zero());
    EXPECT_EQ(granted_.at(0).status, 4) << "NotOnLink";
    EXPECT_TRUE(granted_.at(0).addresses.empty());
}

TEST_F(Responder, OneAddressGoesToOneAssociation) {
    const auto request = to_us(Dhcp6Type::request)
                             .association(Dhcp6Option::ia_ta, 1)
                             .ia_na(2)
                             .ia_na(3, {kAddress})
                             .association(Dhcp6Option::ia_pd, 4);
    answer(request);
    ASSERT_EQ(granted_.size(), 4U);
    EXPECT_EQ(granted_[0].status, 2) << "NoAddrsAvail";
    EXPECT_EQ(granted_[1].status, 2);
    EXPECT_EQ(granted_[2].addresses.count(kAddress), 1U);
    EXPECT_EQ(granted_[3].status, 6) << "NoPrefixAvail";
    answer(from_client(Dhcp6Type::solicit).ia_na(2).ia_na(3));
    EXPECT_EQ(granted_.at(0).addresses.count(kAddress), 1U) << "the first when none holds it";
    EXPECT_EQ(granted_.at(1).status, 2);
}

TEST_F(Responder, RenewAndRebindExtendThePromiseAndEndTheRest) {
    for (const auto& builder : {to_us(Dhcp6Type::renew), from_client(Dhcp6Type::rebind)}) {
        auto request = builder;
        EXPECT_EQ(answer(request.ia_na(7, {kElsewhere, kAddress}).ia_na(8, {kOther})).address,
                  address(kAddress));
        ASSERT_EQ(granted_.size(), 2U);
        EXPECT_EQ(granted_[0].addresses.at(kAddress), Lifetimes(3600, 3600));
        EXPECT_EQ(granted_[0].addresses.at(kElsewhere), Lifetimes(0, 0));
        EXPECT_EQ(granted_[1].status, 3) << "NoBinding";
        EXPECT_TRUE(granted_[1].addresses.empty());
    }
}

TEST_F(Responder, ConfirmsOnlyThePromisedAddress) {
    const auto confirm = [&](std::initializer_list<const char*> addresses) {
        EXPECT_EQ(answer(from_client(Dhcp6Type::confirm).ia_na(7, addresses)).type, Dhcp6Type::reply);
        EXPECT_TRUE(granted_.empty());
        return status();
    };
    EXPECT_EQ(confirm({kAddress}), 0);
    EXPECT_EQ(confirm({kElsewhere}), 4);
    EXPECT_EQ(confirm({kOther}), 4) << "on the link, but another machine's by now";
    EXPECT_EQ(confirm({kAddress, kOther}), 4);
}

TEST_F(Responder, ReleaseAndDeclineAreAcknowledgedAndReported) {
    for (const auto type : {Dhcp6Type::release, Dhcp6Type::decline}) {
        EXPECT_EQ(answer(to_us(type).ia_na(7, {kAddress}).ia_na(8, {kOther})).address, address(kAddress));
        EXPECT_EQ(header_.type, Dhcp6Type::reply);
        EXPECT_EQ(status(), 0);
        ASSERT_EQ(granted_.size(), 1U) << "only what was not bound is named";
        EXPECT_EQ(granted_[0].id, 8U);
        EXPECT_EQ(granted_[0].status, 3);
        EXPECT_EQ(options_.count(Dhcp6Option::dns_servers), 0U);
        EXPECT_TRUE(answer(to_us(type).ia_na(7, {kOther})).address.is_zero());
    }
}

TEST_F(Responder, InformationRequestGetsConfigurationOnly) {
    facts_.boot_url = "tftp://[2001:db8:77::1]/ipxe.efi";
    EXPECT_EQ(answer(Dhcp6Builder(Dhcp6Type::information_request)
                         .firmware("PXEClient:Arch:00007", 7)
                         .wants({Dhcp6Option::dns_servers, Dhcp6Option::boot_file_url}))
                  .type,
              Dhcp6Type::reply);
    EXPECT_TRUE(granted_.empty());
    EXPECT_EQ(options_.count(Dhcp6Option::client_id), 0U);
    EXPECT_EQ(options_[Dhcp6Option::boot_file_url], facts_.boot_url);
    EXPECT_EQ(options_[Dhcp6Option::dns_servers].size(), 32U);
}

TEST_F(Responder, PxeFirmwareGetsUrlAndSizeButNoVendorClass) {
    facts_.boot_url = "tftp://[2001:db8:77::1]/ipxe.efi";
    const auto size = [&](std::uint64_t bytes) {
        facts_.boot_file_bytes = bytes;
        answer(from_client(Dhcp6Type::solicit).ia_na(1).firmware("PXEClient:Arch:00007", 7));
        EXPECT_EQ(options_[Dhcp6Option::boot_file_url], facts_.boot_url);
        EXPECT_EQ(options_.count(Dhcp6Option::vendor_class), 0U) << "it would ask port 4011";
        return options_.count(Dhcp6Option::boot_file_parameters) ? options_[Dhcp6Option::boot_file_parameters]
                                                                 : "none";
    };
    EXPECT_EQ(size(1), std::string("\0\x01"
                                   "1",
                                   3));
    EXPECT_EQ(size(512), std::string("\0\x01"
                                     "1",
                                     3));
    EXPECT_EQ(size(1'000'000), std::string("\0\x04"
                                           "1954",
                                           6));
    EXPECT_EQ(size(65535 * 512), std::string("\0\x05"
                                             "65535",
                                             7));
    EXPECT_EQ(size(65535 * 512 + 1), "none") << "a size it cannot read would end its boot";
    EXPECT_EQ(size(~std::uint64_t{0}), "none");
    EXPECT_EQ(size(0), "none");
}

TEST_F(Responder, HttpFirmwareGetsItsClassRightBehindTheUrl) {
    facts_.boot_url = "http://[2001:db8:77::1]/boot/ipxe.efi";
    facts_.boot_file_bytes = 512;
    answer(from_client(Dhcp6Type::solicit).ia_na(1).firmware("HTTPClient:Arch:00016", 16));
    EXPECT_EQ(options_[Dhcp6Option::vendor_class], std::string("\0\0\x01\x57\0\x0aHTTPClient", 16));
    EXPECT_EQ(options_.count(Dhcp6Option::boot_file_parameters), 0U);
    const std::string bytes(wire::as_text(reply_));
    const auto url = bytes.find(facts_.boot_url);
    ASSERT_NE(url, std::string::npos);
    EXPECT_EQ(bytes.substr(url + facts_.boot_url.size(), 2), std::string("\0\x10", 2)) << "ends the URL";
}

TEST_F(Responder, AnOperatingSystemGetsABootFileOnlyIfItAsks) {
    facts_.boot_url = "tftp://[2001:db8:77::1]/ipxe.efi";
    answer(from_client(Dhcp6Type::solicit).ia_na(1));
    EXPECT_EQ(options_.count(Dhcp6Option::boot_file_url), 0U);
    answer(from_client(Dhcp6Type::solicit).ia_na(1).wants({Dhcp6Option::boot_file_url}));
    EXPECT_EQ(options_.count(Dhcp6Option::boot_file_url), 1U);
    answer(from_client(Dhcp6Type::solicit).ia_na(1).user_class("iPXE"));
    EXPECT_EQ(options_.count(Dhcp6Option::boot_file_url), 1U);
    EXPECT_EQ(options_.count(Dhcp6Option::boot_file_parameters), 0U);
    EXPECT_EQ(options_.count(Dhcp6Option::dns_servers), 0U) << "not asked for";
}

TEST_F(Responder, SendsNothingForeignOn) {
    auto builder = from_client(Dhcp6Type::solicit).ia_na(1);
    const std::string mark = "FOREIGN-BYTES-0123456789";
    for (std::uint16_t code = 4; code < 300; ++code) {
        const auto option = static_cast<Dhcp6Option>(code);
        if (code <= 16 || code == 25 || code == 61) continue;  // of a form that is checked
        builder.raw(option, std::as_bytes(std::span(mark)));
    }
    builder.user_class(mark).vendor_class(mark).raw(Dhcp6Option::rapid_commit, {});
    EXPECT_EQ(answer(builder).type, Dhcp6Type::reply);
    EXPECT_EQ(std::string(wire::as_text(reply_)).find(mark), std::string::npos);
    const std::set<Dhcp6Option> ours{Dhcp6Option::client_id, Dhcp6Option::server_id,
                                     Dhcp6Option::rapid_commit};
    for (const auto& [code, value] : options_) EXPECT_TRUE(ours.contains(code)) << static_cast<int>(code);
}

TEST_F(Responder, WritesTheSameIntoAnyRoomOrNothing) {
    facts_.boot_url = "http://[2001:db8:77::1]/boot/ipxe.efi";
    auto builder = to_us(Dhcp6Type::renew)
                       .ia_na(1, {kAddress, kOther})
                       .association(Dhcp6Option::ia_pd, 2)
                       .firmware("HTTPClient:Arch:00016", 16)
                       .wants({Dhcp6Option::dns_servers});
    builder.relayed(0, "2001:db8:77::2", "fe80::1");
    ASSERT_EQ(answer(builder).drop, DropReason::none);
    const auto whole = reply_;
    for (room_ = 0; room_ < whole.size(); ++room_)
        EXPECT_EQ(answer(builder).drop, DropReason::dhcp_reply_too_long) << room_;
    ASSERT_EQ(answer(builder).drop, DropReason::none);
    EXPECT_EQ(test::to_hex(reply_), test::to_hex(whole));
}

TEST_F(Responder, EveryRandomMessageGetsAWellFormedAnswerOrAReason) {
    std::mt19937 random(1);
    facts_.boot_url = "tftp://[2001:db8:77::1]/ipxe.efi";
    const auto base = to_us(Dhcp6Type::request)
                          .ia_na(1, {kAddress})
                          .association(Dhcp6Option::ia_pd, 2)
                          .firmware("PXEClient:Arch:00007", 7)
                          .wants({Dhcp6Option::dns_servers})
                          .payload();
    int answered = 0;
    for (int round = 0; round < 20000; ++round) {
        auto payload = base;
        payload[0] = static_cast<std::byte>(random() % 13);
        for (auto changes = random() % 4; changes > 0; --changes)
            payload[random() % payload.size()] = static_cast<std::byte>(random());
        const Received received(payload);
        if (received.drop != DropReason::none) continue;
        reply_.assign(room_, std::byte{0xcc});
        const Answer result = respond(received.message, facts_, reply_);
        if (result.drop != DropReason::none) continue;
        options_.clear();
        granted_.clear();
        take_apart(std::span(reply_).first(result.length));
        EXPECT_TRUE(header_.type == Dhcp6Type::advertise || header_.type == Dhcp6Type::reply);
        EXPECT_EQ(options_.count(Dhcp6Option::server_id), 1U);
        for (const auto& granted : granted_)
            for (const auto& [held, lifetimes] : granted.addresses)
                EXPECT_TRUE(held == kAddress || lifetimes == Lifetimes(0, 0)) << held;
        ++answered;
    }
    EXPECT_GT(answered, 1000);
}

// EDK2's exchange as captured: its SOLICIT answered, then its REQUEST made from the answer.
TEST_F(Responder, TakesCapturedFirmwareThroughAnExchange) {
    facts_.boot_url = "tftp://[2001:db8:77::1]/ipxe.efi";
    facts_.boot_file_bytes = 1'000'000;
    const wire::Self6 self(MacAddress{{2, 0, 0, 0, 0, 0xfe}});
    int exchanges = 0;
    for (const auto& frame : test::read_pcap(std::string(ROUSE_FIXTURES) + "/m_ovmf_v6.pcap")) {
        wire::Packet6 packet;
        wire::Datagram6 datagram;
        if (wire::parse_packet6(frame, self, packet) != DropReason::none || packet.next_header != 17)
            continue;
        ASSERT_EQ(wire::parse_datagram6(packet, datagram), DropReason::none);
        std::vector<std::byte> request(datagram.payload.begin(), datagram.payload.end());
        for (const auto expected : {Dhcp6Type::advertise, Dhcp6Type::reply}) {
            datagram.payload = request;
            Message message;
            ASSERT_EQ(parse(datagram, message), DropReason::none);
            EXPECT_EQ(mac_of(message), (MacAddress{{0x52, 0x54, 0, 0xaa, 0, 0x10}}));
            reply_.assign(room_, std::byte{0});
            const auto result = respond(message, facts_, reply_);
            ASSERT_EQ(result.type, expected);
            options_.clear();
            granted_.clear();
            take_apart(std::span(reply_).first(result.length));
            EXPECT_EQ(granted_.at(0).addresses.count(kAddress), 1U);
            EXPECT_EQ(options_.count(Dhcp6Option::boot_file_url),
                      classify(message) == ClientKind::pxe ? 1U : 0U);
            request[0] = static_cast<std::byte>(Dhcp6Type::request);
            const auto server_id = test::dhcp6_option(Dhcp6Option::server_id, server_id_);
            request.insert(request.end(), server_id.begin(), server_id.end());
        }
        ++exchanges;
    }
    EXPECT_EQ(exchanges, 10);
}

}  // namespace
}  // namespace rouse::dhcp6
