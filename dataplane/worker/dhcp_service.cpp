#include "dataplane/worker/dhcp_service.hpp"

#include "dataplane/dhcp/quirks.hpp"

namespace rouse::worker {
namespace {

using dhcp::Message;
using wire::DhcpType;

Event event_about(EventKind kind, const Message& message) noexcept {
    Event event;
    event.kind = kind;
    event.mac = message.header.hardware;
    event.transaction = message.header.transaction.host();
    event.architecture = message.architecture;
    event.count = message.header.seconds.host();
    return event;
}

EventKind kind_of_answer(const Message& message, const dhcp::Answer& answer) noexcept {
    if (message.type == DhcpType::decline) return EventKind::dhcp_decline;
    if (message.type == DhcpType::release) return EventKind::dhcp_release;
    switch (answer.type) {
        case DhcpType::offer:
            return EventKind::dhcp_offer;
        case DhcpType::nak:
            return EventKind::dhcp_nak;
        default:
            return EventKind::dhcp_ack;  // BOOTP's answer is as final as one
    }
}

}  // namespace

DropReason DhcpService::receive(const wire::Datagram& datagram, std::uint64_t now_unix,
                                wire::MutableBytes room, std::size_t& frame_length) noexcept {
    frame_length = 0;
    Message message;
    if (const DropReason drop = dhcp::parse(datagram.payload, message); drop != DropReason::none) return drop;
    count_received(message.type);

    const MacAddress& mac = message.header.hardware;
    const auto host = directory_->host(mac);
    dhcp::Facts facts{.server = self_.address,
                      .host = host ? &*host : nullptr,
                      .now_unix = now_unix,
                      .boot_server_port = datagram.destination_port == wire::kPxeServerPort};
    dhcp::BootFile boot_file;
    if (host) {
        facts.network = network_of(message, *host);
        facts.quirks = dhcp::known_quirks(message) | host->quirks;
        boot_file = dhcp::boot_file_for(message, *host, directory_->profile(host->profile), facts.quirks,
                                        self_.address);
        facts.boot_file = &boot_file;
        // Only firmware asks a server for a size before it asks for the file.
        if (!boot_file.name.empty() && dhcp::classify(message) == ClientKind::pxe)
            facts.boot_file_bytes = size_of(mac, *host, boot_file.name.view());
    }
    report_received(message, facts);
    const auto answer = dhcp::respond(message, facts, room.subspan(wire::kUdpFrameOverhead));
    report_outcome(message, facts, answer);
    if (answer.drop != DropReason::none || answer.length == 0) return answer.drop;

    const wire::UdpTemplate headers(dhcp::destination(message, facts, answer.type, datagram, self_));
    frame_length = headers.write(room, answer.length);
    wire::add_udp_checksum(room.first(frame_length));
    count_sent(answer.type);
    return DropReason::none;
}

// A machine on another network than its record's would be given an address that does not work where it is.
const store::NetworkRecord* DhcpService::network_of(const Message& message,
                                                    const store::HostRecord& host) noexcept {
    const store::NetworkRecord* network = directory_->network(host.network);
    const auto& gateway = message.header.gateway;
    const Ipv4Address arrived = message.link_selection.value_or(gateway.is_zero() ? self_.address : gateway);
    return network != nullptr && network->prefix.contains(arrived) ? network : nullptr;
}

std::uint64_t DhcpService::size_of(const MacAddress& mac, const store::HostRecord& host,
                                   std::string_view name) const noexcept {
    const auto record = directory_->find_name(mac, host.profile, name);
    return record ? record->size : 0;
}

void DhcpService::count_received(DhcpType type) noexcept {
    if (type == DhcpType::discover) counters_->add(Counter::dhcp_discovers);
    if (type == DhcpType::request) counters_->add(Counter::dhcp_requests);
}

void DhcpService::count_sent(DhcpType type) noexcept {
    if (type == DhcpType::offer) counters_->add(Counter::dhcp_offers);
    if (type == DhcpType::ack) counters_->add(Counter::dhcp_acks);
    if (type == DhcpType::nak) counters_->add(Counter::dhcp_naks);
}

void DhcpService::report_received(const Message& message, const dhcp::Facts& facts) noexcept {
    if (facts.host == nullptr) return;
    if (message.type != DhcpType::discover && message.type != DhcpType::request) return;
    Event event = event_about(
        message.type == DhcpType::discover ? EventKind::dhcp_discover : EventKind::dhcp_request, message);
    event.detail = static_cast<std::uint16_t>(dhcp::classify(message));
    event.set_text(message.vendor_text());
    reporter_->report(event);
}

void DhcpService::report_outcome(const Message& message, const dhcp::Facts& facts,
                                 const dhcp::Answer& answer) noexcept {
    if (answer.drop == DropReason::none) {
        Event event = event_about(kind_of_answer(message, answer), message);
        event.address = facts.host->address;
        if (facts.boot_file != nullptr) event.set_text(facts.boot_file->name.view());
        reporter_->report(event);
        return;
    }
    // Selecting another server is no fault of ours, and other messages need no answer.
    if (answer.drop == DropReason::dhcp_other_server || answer.drop == DropReason::dhcp_type_unhandled)
        return;
    Event event = event_about(EventKind::dhcp_ignored, message);
    event.detail = static_cast<std::uint16_t>(answer.drop);
    event.set_text(message.vendor_text());
    if (facts.host == nullptr)
        reporter_->report_stranger(event);
    else
        reporter_->report(event);
}

}  // namespace rouse::worker
