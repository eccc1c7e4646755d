#include "dataplane/worker/dhcp6_service.hpp"

#include "dataplane/dhcp/boot_file.hpp"

#include <algorithm>

namespace rouse::worker {
namespace {

using dhcp6::Message;
using wire::Dhcp6Type;

constexpr std::uint16_t kHttpPort = 80;
constexpr std::size_t kLargestFrame = sizeof(wire::EthernetHeader) + 1500;  // fragments are never sent

bool asks_for_offer(const Message& message) noexcept {
    return message.type == Dhcp6Type::solicit;
}

bool asks_for_address(const Message& message) noexcept {
    return message.type == Dhcp6Type::request || message.type == Dhcp6Type::renew ||
           message.type == Dhcp6Type::rebind || message.type == Dhcp6Type::confirm;
}

// The first address that the client says it holds or was offered.
Ipv6Address held_address(const Message& message) noexcept {
    for (const auto& association : message.associations()) {
        wire::Dhcp6OptionReader reader(association.options);
        if (const auto held = dhcp6::next_address(reader)) return *held;
    }
    return {};
}

Event event_about(EventKind kind, const Message& message, const MacAddress& mac) noexcept {
    constexpr unsigned kElapsedPerSecond = 100;
    Event event;
    event.kind = kind;
    event.mac = mac;
    event.transaction = std::uint32_t{message.transaction[0]} << 16 |
                        std::uint32_t{message.transaction[1]} << 8 | message.transaction[2];
    event.architecture = message.architecture;
    event.count = message.elapsed / kElapsedPerSecond;
    return event;
}

EventKind kind_of_answer(const Message& message, const dhcp6::Answer& answer) noexcept {
    if (message.type == Dhcp6Type::decline) return EventKind::dhcp_decline;
    if (message.type == Dhcp6Type::release) return EventKind::dhcp_release;
    if (answer.type == Dhcp6Type::advertise) return EventKind::dhcp_offer;
    return asks_for_address(message) && answer.address.is_zero() ? EventKind::dhcp_nak : EventKind::dhcp_ack;
}

}  // namespace

Dhcp6Service::Outcome Dhcp6Service::receive(const wire::Datagram6& datagram, std::uint64_t now_unix,
                                            bool is_replay, wire::MutableBytes room) noexcept {
    Message message;
    if (const DropReason drop = dhcp6::parse(datagram, message); drop != DropReason::none)
        return {.drop = drop};
    if (!is_replay && asks_for_offer(message)) counters_->add(Counter::dhcp_discovers);
    if (!is_replay && asks_for_address(message)) counters_->add(Counter::dhcp_requests);
    const auto mac = dhcp6::mac_of(message);
    if (!mac) return {.drop = DropReason::dhcp6_no_identity};

    const auto host = directory_->host(*mac);
    dhcp6::Facts facts{.server_id = server_id_, .host = host ? &*host : nullptr, .now_unix = now_unix};
    if (host) facts.network = network_of(message, *host);
    if (ask_for_lease(message, *mac, facts, is_replay))
        return {.drop = is_replay ? DropReason::dhcp_no_address : DropReason::none, .wants_lease = mac};
    if (host && !is_replay) report_received(message, *mac);

    const BootFile boot_file = boot_file_for(message, *mac, facts);
    facts.boot_url = boot_file.url.view();
    facts.boot_file_bytes = boot_file.bytes;
    const auto answer = dhcp6::respond(
        message, facts, room.first(std::min(room.size(), kLargestFrame)).subspan(wire::kUdp6FrameOverhead));
    report_outcome(message, *mac, facts, answer, boot_file.name.view());
    if (answer.drop != DropReason::none) return {.drop = answer.drop};
    const wire::Udp6Template headers(dhcp6::destination(message, datagram, self6_));
    return {.frame_length = headers.write(room, answer.length)};
}

// The host's, if that is where the message came from: else its address would not work where it is.
const store::NetworkRecord* Dhcp6Service::network_of(const Message& message,
                                                     const store::HostRecord& host) noexcept {
    const auto* network = directory_->network(host.network);
    return network != nullptr && arrived_on(message, *network) ? network : nullptr;
}

bool Dhcp6Service::arrived_on(const Message& message, const store::NetworkRecord& network) const noexcept {
    // A relay that names no link has no address on it, as a bridge between us and the client.
    const Ipv6Address link = message.link();
    return link.is_zero() ? network.prefix.contains(self_.address) : network.prefix6.contains(link);
}

Dhcp6Service::BootFile Dhcp6Service::boot_file_for(const Message& message, const MacAddress& mac,
                                                   const dhcp6::Facts& facts) noexcept {
    BootFile file;
    if (facts.host == nullptr || facts.network == nullptr) return file;
    const ClientKind kind = dhcp6::classify(message);
    dhcp::write_boot_name(file.name, {.kind = kind, .architecture = message.architecture, .mac = mac},
                          *facts.host, directory_->profile(facts.host->profile), facts.host->quirks);
    // From our address on the client's own network, if we have one: it need not route to it.
    const auto ours = self6_.addresses();
    const auto near = std::find_if(ours.begin(), ours.end(), [&](const Ipv6Address& address) {
        return facts.network->prefix6.contains(address);
    });
    const auto& server = near != ours.end() ? *near : self6_.source_for(facts.host->address6);
    file.url = kind == ClientKind::http ? dhcp6::BootUrl::http(server, kHttpPort, file.name.view())
                                        : dhcp6::BootUrl::tftp(server, file.name.view());
    if (kind == ClientKind::pxe && !file.name.empty())
        if (const auto record = directory_->find_name(mac, *facts.host, file.name.view()))
            file.bytes = record->size;
    return file;
}

bool Dhcp6Service::ask_for_lease(const Message& message, const MacAddress& mac, const dhcp6::Facts& facts,
                                 bool is_replay) noexcept {
    if (!asks_for_offer(message) || (facts.host != nullptr && !facts.host->is_guest())) return false;
    const bool has_lease =
        facts.host != nullptr && facts.network != nullptr && !facts.host->address6.is_zero() &&
        store::lease_seconds(*facts.host, *facts.network, facts.now_unix) >= store::kOfferSeconds / 2;
    // Leases are given by IPv4 network; a relay's link is not told apart there, so its strangers are not
    // served.
    const auto* network =
        has_lease || !message.link().is_zero() ? nullptr : directory_->network_at(self_.address);
    if (network == nullptr || !network->serves_unknown() || !network->has_ipv6()) return false;
    if (!is_replay) {
        Event event = event_about(EventKind::dhcp_lease_wanted, message, mac);
        event.address = self_.address;
        event.detail = static_cast<std::uint16_t>(dhcp6::classify(message));
        event.set_text(message.vendor_class);
        reporter_->report(event);
    }
    return true;
}

void Dhcp6Service::report_received(const Message& message, const MacAddress& mac) noexcept {
    if (!asks_for_offer(message) && !asks_for_address(message)) return;
    Event event = event_about(asks_for_offer(message) ? EventKind::dhcp_discover : EventKind::dhcp_request,
                              message, mac);
    event.detail = static_cast<std::uint16_t>(dhcp6::classify(message));
    event.address = asks_for_offer(message) ? message.client_address : held_address(message);
    event.set_text(message.vendor_class);
    reporter_->report(event);
}

void Dhcp6Service::report_outcome(const Message& message, const MacAddress& mac, const dhcp6::Facts& facts,
                                  const dhcp6::Answer& answer, std::string_view boot_file) noexcept {
    if (answer.drop == DropReason::none) {
        const bool returns = message.type == Dhcp6Type::decline || message.type == Dhcp6Type::release;
        if (returns && answer.address.is_zero()) return;  // not an address of its own
        const EventKind kind = kind_of_answer(message, answer);
        if (kind == EventKind::dhcp_offer) counters_->add(Counter::dhcp_offers);
        if (kind == EventKind::dhcp_ack) counters_->add(Counter::dhcp_acks);
        if (kind == EventKind::dhcp_nak) counters_->add(Counter::dhcp_naks);
        Event event = event_about(kind, message, mac);
        event.address =
            message.type == Dhcp6Type::information_request ? facts.host->address6 : answer.address;
        event.set_text(boot_file);
        reporter_->report(event);
        return;
    }
    if (answer.drop == DropReason::dhcp_other_server) {  // no fault of ours
        counters_->add(Counter::dhcp_foreign);
        return;
    }
    Event event = event_about(EventKind::dhcp_ignored, message, mac);
    event.detail = static_cast<std::uint16_t>(answer.drop);
    event.set_text(message.vendor_class);
    if (facts.host == nullptr)
        reporter_->report_stranger(event);
    else
        reporter_->report(event);
}

}  // namespace rouse::worker
