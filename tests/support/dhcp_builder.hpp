#pragma once
// Builds DHCP messages as clients send them, good and bad, for tests and benchmarks.

#include "dataplane/wire/dhcp.hpp"
#include "dataplane/wire/udp.hpp"

#include <string_view>
#include <vector>

namespace rouse::test {

class DhcpBuilder {
  public:
    wire::DhcpHeader header{};

    explicit DhcpBuilder(wire::DhcpType type, MacAddress mac = {{2, 0, 0, 0, 0, 1}}) {
        header.op = wire::kBootRequest;
        header.hardware_type = wire::kHardwareEthernet;
        header.hardware_length = sizeof(MacAddress);
        header.transaction = 0x12345678;
        header.hardware = mac;
        header.cookie = wire::kDhcpCookie;
        option(wire::DhcpOption::message_type, type);
    }
    template <typename T>
    DhcpBuilder& option(wire::DhcpOption code, const T& value) {
        return raw(code, std::as_bytes(std::span(&value, 1)));
    }
    DhcpBuilder& text(wire::DhcpOption code, std::string_view value) {
        return raw(code, std::as_bytes(std::span(value)));
    }
    DhcpBuilder& raw(wire::DhcpOption code, wire::ConstBytes value) {
        options_.push_back(static_cast<std::byte>(code));
        options_.push_back(static_cast<std::byte>(value.size()));
        options_.insert(options_.end(), value.begin(), value.end());
        return *this;
    }
    DhcpBuilder& byte(std::uint8_t value) {
        options_.push_back(static_cast<std::byte>(value));
        return *this;
    }
    // What PXE firmware of architecture ARCH says of itself.
    DhcpBuilder& pxe(std::uint16_t arch) {
        text(wire::DhcpOption::vendor_class, "PXEClient:Arch:00000:UNDI:002001");
        return option(wire::DhcpOption::client_architecture, be16(arch));
    }
    DhcpBuilder& ipxe(std::uint16_t arch) {
        pxe(arch);
        return text(wire::DhcpOption::user_class, "iPXE");
    }
    [[nodiscard]] std::vector<std::byte> payload(bool terminated = true) const {
        std::vector<std::byte> bytes(sizeof header + options_.size() + (terminated ? 1 : 0));
        wire::store(bytes, 0, header);
        wire::store_bytes(bytes, sizeof header, options_);
        if (terminated) bytes.back() = static_cast<std::byte>(wire::DhcpOption::end);
        return bytes;
    }
    // The whole frame, broadcast as a client without an address sends it.
    [[nodiscard]] std::vector<std::byte> frame() const {
        const auto body = payload();
        std::vector<std::byte> bytes(wire::kUdpFrameOverhead + body.size());
        const wire::UdpTemplate headers({.source_mac = header.hardware,
                                         .destination_mac = kBroadcastMac,
                                         .source = header.client,
                                         .destination = kBroadcastIpv4,
                                         .source_port = wire::kDhcpClientPort,
                                         .destination_port = wire::kDhcpServerPort});
        headers.write(bytes, body.size());
        wire::store_bytes(bytes, wire::kUdpFrameOverhead, body);
        wire::add_udp_checksum(bytes);
        return bytes;
    }

  private:
    std::vector<std::byte> options_;
};

}  // namespace rouse::test
