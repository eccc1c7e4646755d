#include "dataplane/dhcp6/identity.hpp"

#include <bit>

namespace rouse::dhcp6 {
namespace {

constexpr std::uint16_t kEthernet = 1;
constexpr std::size_t kTimeSize = 4;  // in a DUID-LLT, between hardware type and address

std::optional<MacAddress> usable(std::optional<MacAddress> mac) noexcept {
    if (mac && (mac->is_zero() || mac->is_group())) return std::nullopt;
    return mac;
}

}  // namespace

std::optional<MacAddress> mac_in_duid(wire::ConstBytes duid) noexcept {
    const auto type = wire::load<be16>(duid);
    if (!type || wire::load<be16>(duid, sizeof(be16)) != be16(kEthernet)) return std::nullopt;
    std::size_t offset = offsetof(wire::DuidLinkLayer, address);
    if (*type == static_cast<std::uint16_t>(wire::DuidType::link_layer_time))
        offset += kTimeSize;
    else if (*type != static_cast<std::uint16_t>(wire::DuidType::link_layer))
        return std::nullopt;
    if (duid.size() != offset + sizeof(MacAddress)) return std::nullopt;
    return usable(wire::load<MacAddress>(duid, offset));
}

std::optional<MacAddress> mac_of(const Message& message) noexcept {
    if (!message.relayed()) return usable(message.heard_mac);
    if (const auto mac = usable(message.relayed_mac)) return mac;
    if (const auto mac = mac_in_duid(message.client_id)) return mac;
    if (!message.client_address.is_link_local()) return std::nullopt;
    return wire::mac_of(message.client_address);
}

std::array<std::byte, sizeof(wire::DuidLinkLayer)> server_duid(const MacAddress& mac) noexcept {
    return std::bit_cast<std::array<std::byte, sizeof(wire::DuidLinkLayer)>>(
        wire::DuidLinkLayer{.type = static_cast<std::uint16_t>(wire::DuidType::link_layer),
                            .hardware_type = kEthernet,
                            .address = mac});
}

}  // namespace rouse::dhcp6
