// What the simulated machines say is what the product's own parser understands of the real ones.

#include "perf/load/question.hpp"

#include "dataplane/dhcp/message.hpp"
#include "tests/support/worker_fixture.hpp"

#include <gtest/gtest.h>

namespace rouse::load {
namespace {

using test::must;

constexpr MacAddress kMac{{0x52, 0x54, 0, 1, 2, 3}};
const wire::Self kServer{
    .mac = test::kServerMac, .address = test::kServerAddress, .subnet = *Ipv4Prefix::parse("10.0.0.0/8")};

std::vector<std::byte> frame_of(const MachineKind& kind, wire::DhcpType type, const Asker& asker) {
    const Question question(kind, type);
    std::vector<std::byte> frame(question.length());
    EXPECT_EQ(question.write(frame, asker), frame.size());
    return frame;
}

class EachKind : public ::testing::TestWithParam<std::string_view> {
  protected:
    const MachineKind& kind_ = *must(find_machine_kind(GetParam()));
};

INSTANTIATE_TEST_SUITE_P(Question, EachKind,
                         ::testing::Values("ipxe-bios", "ipxe-efi", "edk2", "edk2-http", "uboot", "udhcpc"),
                         [](const auto& instance) {
                             std::string name(instance.param);
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST_P(EachKind, DiscoverIsWhole) {
    const auto frame =
        frame_of(kind_, wire::DhcpType::discover, {.mac = kMac, .transaction = 7, .seconds = 3});
    wire::Datagram datagram;
    ASSERT_EQ(wire::parse_datagram(frame, kServer, datagram), DropReason::none);
    EXPECT_EQ(datagram.source_mac, kMac);
    EXPECT_GE(datagram.payload.size(), wire::kMinimumDhcpMessage);
    dhcp::Message message;
    ASSERT_EQ(dhcp::parse(datagram.payload, message), DropReason::none);
    EXPECT_EQ(message.type, wire::DhcpType::discover);
    EXPECT_EQ(message.header.hardware, kMac);
    EXPECT_EQ(message.header.transaction, be32(7));
    EXPECT_EQ(message.header.seconds, be16(3));
    EXPECT_EQ(message.vendor_text(), kind_.dhcp.vendor_class);
    EXPECT_EQ(message.architecture, kind_.dhcp.architecture);
    EXPECT_EQ(message.requested_file(), kind_.dhcp.file);
    EXPECT_FALSE(message.requested_address);
}

TEST_P(EachKind, RequestNamesAddressAndServer) {
    const auto address = *Ipv4Address::parse("10.1.2.3");
    const auto frame =
        frame_of(kind_, wire::DhcpType::request,
                 {.mac = kMac, .requested_address = address, .server_identifier = test::kServerAddress});
    wire::Datagram datagram;
    ASSERT_EQ(wire::parse_datagram(frame, kServer, datagram), DropReason::none);
    dhcp::Message message;
    ASSERT_EQ(dhcp::parse(datagram.payload, message), DropReason::none);
    EXPECT_EQ(message.type, wire::DhcpType::request);
    EXPECT_EQ(message.requested_address, address);
    EXPECT_EQ(message.server_identifier, test::kServerAddress);
}

TEST(Question, IdentityNamesTheMachine) {
    const auto frame =
        frame_of(*must(find_machine_kind("ipxe-efi")), wire::DhcpType::discover, {.mac = kMac});
    dhcp::Message message;
    ASSERT_EQ(dhcp::parse(std::span(frame).subspan(wire::kUdpFrameOverhead), message), DropReason::none);
    EXPECT_EQ(message.kind, ClientKind::ipxe);
    ASSERT_EQ(message.client_identifier.size(), 7U);
    EXPECT_EQ(*wire::load<MacAddress>(message.client_identifier, 1), kMac);
    ASSERT_EQ(message.client_uuid.size(), 17U);
    EXPECT_EQ(*wire::load<MacAddress>(message.client_uuid, 11), kMac);
}

TEST(MachineKind, WaitsDoubleUpToTheLongest) {
    const auto& kind = *must(find_machine_kind("ipxe-bios"));
    EXPECT_EQ(kind.dhcp.discover.wait_ms(1), 1000U);
    EXPECT_EQ(kind.dhcp.discover.wait_ms(4), 8000U);
    EXPECT_EQ(kind.dhcp.discover.wait_ms(5), 10'000U);
    EXPECT_EQ(kind.dhcp.request.wait_ms(1), 250U);
    EXPECT_EQ(kind.dhcp.request.wait_ms(2), 500U);
}

TEST(MachineKind, AnUnknownOneIsAnErrorThatNamesThoseThereAre) {
    const auto found = find_machine_kind("toaster");
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().message.find("'toaster'"), std::string::npos);
    EXPECT_NE(found.error().message.find("edk2-http"), std::string::npos);
}

}  // namespace
}  // namespace rouse::load
