#include "dataplane/worker/dhcp_service.hpp"

#include "dataplane/dhcp/decision.hpp"
#include "dataplane/dhcp/overheard.hpp"
#include "dataplane/dhcp/quirks.hpp"
#include "shared/clock.hpp"

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

std::array<char, 17> text_of(const MacAddress& mac) noexcept {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<char, 17> text{};
    text.fill(':');
    for (std::size_t i = 0; i < mac.octets.size(); ++i) {
        text[3 * i] = kDigits[mac.octets[i] >> 4];
        text[3 * i + 1] = kDigits[mac.octets[i] & 0xf];
    }
    return text;
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

// For how long an ACK gives the address; 0 when it gives none.
std::uint64_t promised_seconds(const Message& message, const dhcp::Facts& facts) noexcept {
    const bool gives =
        message.type != DhcpType::inform && !facts.boot_server_port && !facts.network->is_proxy();
    return gives ? dhcp::lease_seconds(facts) : 0;
}

// From a client that has an address elsewhere and asks us alone, through a router (RFC 2131 4.3.6, RENEWING).
bool is_routed(const Message& message, const wire::Datagram& datagram, const wire::Self& self) noexcept {
    const auto& header = message.header;
    return header.gateway.is_zero() && !header.client.is_zero() && datagram.source == header.client &&
           datagram.destination == self.address && !self.subnet.contains(header.client);
}

// An address of the link that a message came from: the relay's, the routed client's own there, or ours.
Ipv4Address arrival_of(const Message& message, const wire::Datagram& datagram,
                       const wire::Self& self) noexcept {
    if (message.link_selection) return *message.link_selection;
    if (!message.header.gateway.is_zero()) return message.header.gateway;
    return is_routed(message, datagram, self) ? message.header.client : self.address;
}

// On our own link everybody speaks for himself: else one machine could ask in the names of thousands. Relays
// speak for others, to the server's port alone. What a router passes on bears the router's hardware address,
// and asks for nothing new.
bool is_senders_own(const Message& message, const wire::Datagram& datagram, const wire::Self& self) noexcept {
    if (message.header.hardware == datagram.source_mac) return true;
    if (!message.header.gateway.is_zero()) return datagram.destination_port == wire::kDhcpServerPort;
    const bool asks_anew = message.type == DhcpType::discover || message.type == DhcpType::none;
    return !asks_anew && is_routed(message, datagram, self);
}

}  // namespace

DhcpService::Outcome DhcpService::receive(const wire::Datagram& datagram, std::uint64_t now_unix,
                                          bool is_replay, wire::MutableBytes room) noexcept {
    Message message;
    if (const DropReason drop = dhcp::parse(datagram.payload, message); drop != DropReason::none)
        return {.drop = drop};
    if (!is_senders_own(message, datagram, self_)) return {.drop = DropReason::dhcp_not_senders};
    if (!is_replay) count_received(message.type);

    const auto host = directory_->host(message.header.hardware);
    dhcp::Facts facts{.server = self_.address,
                      .host = host ? &*host : nullptr,
                      .now_unix = now_unix,
                      .boot_server_port = datagram.destination_port == wire::kPxeServerPort};
    const Ipv4Address arrived = arrival_of(message, datagram, self_);
    if (host) {
        // A machine on another network than its record's would be given an address that does not work where
        // it is.
        facts.network = directory_->network(host->network);
        if (facts.network != nullptr && !facts.network->prefix.contains(arrived)) facts.network = nullptr;
        const auto* here = facts.network == nullptr ? directory_->network_at(arrived) : nullptr;
        facts.is_astray = here != nullptr && !here->is_proxy();
    }
    if (ask_for_lease(message, facts, arrived, is_replay))
        return {.drop = is_replay ? DropReason::dhcp_no_address : DropReason::none,
                .wants_lease = message.header.hardware};
    if (!is_replay) report_received(message, facts);
    return answer(datagram, message, facts, room);
}

DhcpService::Outcome DhcpService::answer(const wire::Datagram& datagram, const Message& message,
                                         dhcp::Facts& facts, wire::MutableBytes room) noexcept {
    const auto* host = facts.host;
    if (host != nullptr) facts.quirks = dhcp::known_quirks(message) | host->quirks;
    const dhcp::BootFile boot_file =
        host == nullptr ? dhcp::BootFile{}
                        : dhcp::boot_file_for(message, *host, directory_->profile(host->profile),
                                              facts.quirks, self_.address);
    if (host != nullptr) facts.boot_file = &boot_file;
    // Only firmware asks a server for a size before it asks for the file.
    if (!boot_file.name.empty() && message.kind == ClientKind::pxe)
        facts.boot_file_bytes = size_of(message.header.hardware, *host, boot_file.name.view());
    const auto answer = dhcp::respond(message, facts, room.subspan(wire::kUdpFrameOverhead));
    report_outcome(message, facts, answer);
    if (answer.drop == DropReason::dhcp_other_server) notice_other_server(message);
    if (answer.drop != DropReason::none || answer.length == 0) return {.drop = answer.drop};

    const wire::UdpTemplate headers(dhcp::destination(message, facts, answer.type, datagram, self_));
    const std::size_t length = headers.write(room, answer.length);
    wire::add_udp_checksum(room.first(length));
    count_sent(answer.type);
    return {.frame_length = length};
}

bool DhcpService::ask_for_lease(const Message& message, const dhcp::Facts& facts, Ipv4Address arrived,
                                bool is_replay) noexcept {
    if (message.type != DhcpType::discover) return false;
    // A registered machine waits for nobody: what it lacks, an operator must give it.
    if (facts.host != nullptr && !facts.host->is_guest()) return false;
    const bool has_lease = facts.host != nullptr && facts.network != nullptr &&
                           dhcp::lease_seconds(facts) >= store::kOfferSeconds / 2;
    const auto* network = has_lease ? nullptr : directory_->network_at(arrived);
    if (network == nullptr || !network->serves_unknown()) return false;
    if (!is_replay) {
        Event event = event_about(EventKind::dhcp_lease_wanted, message);
        event.address = arrived;
        event.detail = static_cast<std::uint16_t>(message.kind);
        event.set_text(message.vendor_text());
        reporter_->report(event);
    }
    return true;
}

// Seen from its clients' side: they say aloud which server they chose (RFC 2131 3.1.3).
void DhcpService::notice_other_server(const Message& message) noexcept {
    counters_->add(Counter::dhcp_foreign);
    Event event = event_about(EventKind::dhcp_foreign_server, message);
    event.address = message.server_identifier.value_or(Ipv4Address{});
    reporter_->report_stranger(event);
}

DropReason DhcpService::overhear(const wire::Datagram& datagram) noexcept {
    dhcp::Overheard heard;
    if (const DropReason drop = dhcp::parse_overheard(datagram, heard); drop != DropReason::none) return drop;
    const auto* network = directory_->network_at(self_.address);
    if (heard.server == self_.address || (network != nullptr && network->is_proxy())) return DropReason::none;
    counters_->add(Counter::dhcp_foreign);
    Event event;
    event.kind = EventKind::dhcp_foreign_server;
    event.mac = heard.client;
    event.architecture = kArchitectureUnknown;
    event.address = heard.server;
    const auto server = text_of(datagram.source_mac);
    event.set_text({server.data(), server.size()});
    reporter_->report_stranger(event);
    return DropReason::none;
}

std::uint64_t DhcpService::size_of(const MacAddress& mac, const store::HostRecord& host,
                                   std::string_view name) const noexcept {
    const auto record = directory_->find_name(mac, host, name);
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
    event.detail = static_cast<std::uint16_t>(message.kind);
    event.set_text(message.vendor_text());
    reporter_->report(event);
}

void DhcpService::report_outcome(const Message& message, const dhcp::Facts& facts,
                                 const dhcp::Answer& answer) noexcept {
    if (answer.drop == DropReason::none) {
        Event event = event_about(kind_of_answer(message, answer), message);
        // Where another server gives the addresses, none of ours was spoken of.
        if (facts.network != nullptr && !facts.network->is_proxy()) event.address = facts.host->address;
        if (event.kind == EventKind::dhcp_ack)
            event.duration_ns = promised_seconds(message, facts) * kNanosPerSecond;
        if (facts.boot_file != nullptr) event.set_text(facts.boot_file->name.view());
        reporter_->report(event);
        return;
    }
    // Selecting another server is no fault of ours, less so where it gives the addresses; and other messages
    // need no answer.
    if (answer.drop == DropReason::dhcp_other_server || answer.drop == DropReason::dhcp_proxy_only ||
        answer.drop == DropReason::dhcp_type_unhandled)
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
