#include "perf/load/question.hpp"

#include <algorithm>

namespace rouse::load {
namespace {

using wire::DhcpOption;

constexpr std::size_t kDhcpOffset = wire::kUdpFrameOverhead;

std::string_view text_of(const auto& value) noexcept {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

// Returns where in the frame the value begins.
std::size_t Question::put(DhcpOption code, std::string_view value) {
    frame_.push_back(static_cast<std::byte>(code));
    frame_.push_back(static_cast<std::byte>(value.size()));
    const auto bytes = std::as_bytes(std::span(value));
    frame_.insert(frame_.end(), bytes.begin(), bytes.end());
    return frame_.size() - value.size();
}

Question::Question(const MachineKind& kind, wire::DhcpType type)
    : frame_(kDhcpOffset + sizeof(wire::DhcpHeader)), has_checksum_(kind.has_checksum) {
    const DhcpManner& manner = kind.dhcp;
    wire::DhcpHeader header{};
    header.op = wire::kBootRequest;
    header.hardware_type = wire::kHardwareEthernet;
    header.hardware_length = sizeof(MacAddress);
    header.flags = manner.flags;
    header.cookie = wire::kDhcpCookie;
    std::copy(manner.file.begin(), manner.file.end(), header.file.begin());
    wire::store(frame_, kDhcpOffset, header);

    put(DhcpOption::message_type, text_of(type));
    put(DhcpOption::maximum_message_size, text_of(be16(manner.maximum_message_size)));
    if (manner.architecture != DhcpManner::kNoArchitecture)
        put(DhcpOption::client_architecture, text_of(be16(manner.architecture)));
    put(DhcpOption::vendor_class, manner.vendor_class);
    if (!manner.user_class.empty()) put(DhcpOption::user_class, manner.user_class);
    put(DhcpOption::parameter_list, manner.parameter_list);
    // Type 1 and the hardware address (RFC 2132 9.14); type 0 and a UUID, whose last six bytes (its node, RFC
    // 4122 4.1.6) are the hardware address here.
    if (manner.has_client_identifier)
        identifier_mac_ = put(DhcpOption::client_identifier, {"\1\0\0\0\0\0\0", 7}) + 1;
    if (manner.has_uuid) uuid_mac_ = put(DhcpOption::client_uuid, {"\0rouse-load\0\0\0\0\0\0", 17}) + 11;
    if (type == wire::DhcpType::request) {
        requested_address_ = put(DhcpOption::requested_address, {"\0\0\0\0", 4});
        server_identifier_ = put(DhcpOption::server_identifier, {"\0\0\0\0", 4});
    }
    frame_.push_back(static_cast<std::byte>(DhcpOption::end));
    frame_.resize(std::max(frame_.size(), kDhcpOffset + wire::kMinimumDhcpMessage));

    const wire::UdpTemplate headers({.destination_mac = kBroadcastMac,
                                     .destination = kBroadcastIpv4,
                                     .source_port = wire::kDhcpClientPort,
                                     .destination_port = wire::kDhcpServerPort});
    headers.write(frame_, frame_.size() - kDhcpOffset);
}

std::size_t Question::write(wire::MutableBytes room, const Asker& asker) const noexcept {
    wire::store_bytes(room, 0, frame_);
    wire::store(room, offsetof(wire::EthernetHeader, source), asker.mac);
    wire::store(room, kDhcpOffset + offsetof(wire::DhcpHeader, transaction), be32(asker.transaction));
    wire::store(room, kDhcpOffset + offsetof(wire::DhcpHeader, seconds), be16(asker.seconds));
    wire::store(room, kDhcpOffset + offsetof(wire::DhcpHeader, hardware), asker.mac);
    if (identifier_mac_ != 0) wire::store(room, identifier_mac_, asker.mac);
    if (uuid_mac_ != 0) wire::store(room, uuid_mac_, asker.mac);
    if (requested_address_ != 0) wire::store(room, requested_address_, asker.requested_address);
    if (server_identifier_ != 0) wire::store(room, server_identifier_, asker.server_identifier);
    if (has_checksum_) wire::add_udp_checksum(room.first(frame_.size()));
    return frame_.size();
}

}  // namespace rouse::load
