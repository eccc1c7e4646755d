#pragma once
// A datagram to a DHCPv6 server, its bytes and the message in it, for tests.

#include "dataplane/dhcp6/message.hpp"
#include "tests/support/dhcp6_builder.hpp"

namespace rouse::dhcp6 {

struct Received {
    std::vector<std::byte> bytes;  // exactly sized: the address sanitizer sees a read one byte past the end
    wire::Datagram6 datagram;
    Message message;
    DropReason drop = DropReason::none;

    explicit Received(std::vector<std::byte> payload, const Ipv6Address& destination = wire::kAllDhcpAgents)
        : bytes(payload.begin(), payload.end()) {
        datagram = {.source_mac = test::Dhcp6Builder::kMac,
                    .source = *Ipv6Address::parse("fe80::1"),
                    .destination = destination,
                    .source_port = wire::kDhcp6ClientPort,
                    .destination_port = wire::kDhcp6ServerPort,
                    .payload = bytes};
        drop = parse(datagram, message);
    }
    explicit Received(const test::Dhcp6Builder& builder,
                      const Ipv6Address& destination = wire::kAllDhcpAgents)
        : Received(builder.payload(), destination) {}
    Received(const Received&) = delete;
    Received& operator=(const Received&) = delete;
};

}  // namespace rouse::dhcp6
