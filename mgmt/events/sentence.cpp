#include "mgmt/events/sentence.hpp"

#include "mgmt/events/boot_record.hpp"
#include "mgmt/events/text.hpp"
#include "shared/boot_architecture.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace rouse::events {
namespace {

// The entry of a list that Event::detail points into; null for one that only a newer dataplane knows.
template <std::size_t N>
const ListEntry* detail_of(const Event& event, const std::array<ListEntry, N>& list) noexcept {
    return event.detail < N ? &list[event.detail] : nullptr;
}

// " (a loader tries …)"; empty for the list's first, ordinary entry.
template <std::size_t N>
std::string remark(const Event& event, const std::array<ListEntry, N>& list) {
    const ListEntry* entry = event.detail == 0 ? nullptr : detail_of(event, list);
    return entry == nullptr ? "" : " (" + std::string(entry->help) + ")";
}

template <std::size_t N>
std::string help(const Event& event, const std::array<ListEntry, N>& list) {
    const ListEntry* entry = detail_of(event, list);
    return entry == nullptr || entry->help.empty() ? "for a reason unknown here" : std::string(entry->help);
}

template <std::size_t N>
std::string_view reason(const Event& event, const std::array<ListEntry, N>& list) {
    const ListEntry* entry = detail_of(event, list);
    return entry == nullptr ? "unknown" : entry->name;
}

std::string who(const Event& event) {
    const ClientKind kind = client_kind(event);
    if (kind != ClientKind::system)
        return std::string(to_string(kind)) + ", " + architecture_name(event.architecture);
    return event.get_text().empty() ? std::string(to_string(kind)) : printable(event.get_text());
}

std::string with_boot_file(const Event& event) {
    const std::string file = printable(event.get_text());
    const std::string rest = file.empty() ? "no boot file" : "boot file " + file;
    // Another server gives the addresses on a proxy's network.
    return event.address.is_zero() ? rest : event.address.to_string() + ", " + rest;
}

std::string file_name(const Event& event) {
    return file_of(event).empty() ? "a file" : printable(file_of(event));
}

// What the client said when it broke off; empty when it said nothing.
std::string client_words(const Event& event) {
    return printable(event.get_words());
}

std::string sent(const Event& event) {
    std::string out = "sent " + file_name(event) + ", " + human_bytes(event.bytes) + " in " +
                      human_duration(event.duration_ns);
    if (const auto rate = human_rate(event.bytes, event.duration_ns); !rate.empty()) out += " (" + rate + ")";
    return out;
}

std::string completed(const Event& event) {
    std::string out = sent(event) + ", ";
    out += event.count == 0 ? "nothing"
                            : std::to_string(event.count) + (event.count == 1 ? " block" : " blocks");
    return out + " resent" + remark(event, kTransferEndings);
}

std::string failed(const Event& event) {
    const std::string words = client_words(event);
    return "fetching " + file_name(event) + " failed" +
           (event.bytes == 0 ? "" : " after " + human_bytes(event.bytes)) + ": " +
           help(event, kTransferFailures) + (words.empty() ? "" : ", saying \"" + words + "\"");
}

// A DISCOVER bears no address; DHCPv6's, from a machine that has a link-local one, does.
bool is_over_ipv6(const Event& discover) {
    return !discover.address.is_zero() && !discover.address.v4();
}

// Either the machine said so itself, or the server was overheard and its hardware address is known.
std::string foreign_server(const Event& event) {
    const std::string server = event.address.to_string();
    const std::string mac = printable(event.get_text());
    return mac.empty() ? "chose another DHCP server, " + server
                       : "was answered by another DHCP server, " + server + " (" + mac + ")";
}

}  // namespace

std::string sentence(const Event& event) {
    switch (event.kind) {
        case EventKind::dataplane_started:
            return "the dataplane started on " + printable(event.get_text());
        case EventKind::dhcp_discover:
            return (is_over_ipv6(event) ? "asked for an IPv6 address (" : "asked for an address (") +
                   who(event) + ")";
        case EventKind::dhcp_offer:
            return "offered " + with_boot_file(event);
        case EventKind::dhcp_request:
            return event.address.is_zero()
                       ? "asked for its address (" + who(event) + ")"
                       : "asked for " + event.address.to_string() + " (" + who(event) + ")";
        case EventKind::dhcp_ack:
            return "given " + with_boot_file(event);
        case EventKind::dhcp_nak:
            return (event.address.is_zero() ? "refused the address that it asked for"
                                            : "refused " + event.address.to_string()) +
                   ": it is not this machine's here";
        case EventKind::dhcp_decline:
            return "declined " + event.address.to_string() +
                   ": another machine uses it; find who, by ARP, and take it away there";
        case EventKind::dhcp_release:
            return "gave back " + event.address.to_string();
        case EventKind::dhcp_lease_wanted:
            return "asked for an address as a guest (" + who(event) + ")";
        case EventKind::dhcp_foreign_server:
            return foreign_server(event) + ": switch that one off, or set the pool's mode to proxy";
        case EventKind::dhcp_ignored:
            return "not answered: " + help(event, kDropReasons);
        case EventKind::tftp_request:
            return "asked for " + file_name(event) + ", " + human_bytes(event.bytes);
        case EventKind::tftp_complete:
            return completed(event);
        case EventKind::tftp_probe:
            return "asked for the size of " + file_name(event) + " (" + human_bytes(event.bytes) +
                   ") before fetching it";
        case EventKind::tftp_failed:
            return failed(event);
        case EventKind::tftp_missing:
            return "asked for " + file_name(event) + ", which is not there" + remark(event, kMissKinds);
        case EventKind::tftp_write_refused:
            return "tried to write " + file_name(event) + " and was refused";
        case EventKind::http_request:
            return "asked for " + file_name(event) + " by HTTP, " + human_bytes(event.bytes) +
                   remark(event, kHttpParts);
        case EventKind::http_complete:
            return sent(event) + " by HTTP" + remark(event, kHttpParts);
        case EventKind::http_probe:
            return "asked for the size of " + file_name(event) + " (" + human_bytes(event.bytes) +
                   ") by HTTP before fetching it";
        case EventKind::http_failed:
            return failed(event);
        case EventKind::http_missing:
            return "asked for " + file_name(event) + " by HTTP, which is not there" +
                   remark(event, kMissKinds);
        case EventKind::none:
            break;
    }
    return "something that this version does not know";
}

nlohmann::ordered_json details(const Event& event) {
    nlohmann::ordered_json out = nlohmann::ordered_json::object();
    const auto text = [&](const char* name) {
        if (!event.get_text().empty()) out[name] = printable(event.get_text());
    };
    const auto address = [&] {
        if (!event.address.is_zero()) out["ip"] = event.address.to_string();
    };
    switch (event.kind) {
        case EventKind::dhcp_discover:
        case EventKind::dhcp_request:
        case EventKind::dhcp_lease_wanted:
            text("vendor_class");
            if (event.architecture != kArchitectureUnknown)
                out["architecture"] = architecture_name(event.architecture);
            out["client"] = to_string(client_kind(event));
            address();
            out["secs"] = event.count;
            break;
        case EventKind::dhcp_offer:
        case EventKind::dhcp_ack:
        case EventKind::dhcp_nak:
        case EventKind::dhcp_decline:
        case EventKind::dhcp_release:
            address();
            text("boot_file");
            break;
        case EventKind::dhcp_foreign_server:
            address();
            text("mac");
            break;
        case EventKind::dhcp_ignored:
            out["reason"] = reason(event, kDropReasons);
            break;
        case EventKind::tftp_failed:
            out["reason"] = reason(event, kTransferFailures);
            [[fallthrough]];
        case EventKind::tftp_complete:
            out["duration_ms"] = event.duration_ns / 1'000'000;
            if (event.duration_ns > 0)
                out["bytes_per_second"] = bytes_per_second(event.bytes, event.duration_ns);
            out["blocks_resent"] = event.count;
            [[fallthrough]];
        case EventKind::tftp_request:
        case EventKind::tftp_probe:
            out["bytes"] = event.bytes;
            out["block_size"] = event.block_size;
            out["window_size"] = event.window_size;
            [[fallthrough]];
        case EventKind::tftp_missing:
        case EventKind::tftp_write_refused:
            if (event.kind == EventKind::tftp_missing) out["kind"] = reason(event, kMissKinds);
            if (event.kind == EventKind::tftp_complete) out["ending"] = reason(event, kTransferEndings);
            if (!file_of(event).empty()) out["file"] = printable(file_of(event));
            if (event.kind == EventKind::tftp_failed && !client_words(event).empty())
                out["words"] = client_words(event);
            address();
            break;
        case EventKind::http_failed:
            out["reason"] = reason(event, kTransferFailures);
            [[fallthrough]];
        case EventKind::http_complete:
            out["duration_ms"] = event.duration_ns / 1'000'000;
            if (event.duration_ns > 0)
                out["bytes_per_second"] = bytes_per_second(event.bytes, event.duration_ns);
            [[fallthrough]];
        case EventKind::http_request:
        case EventKind::http_probe:
            out["bytes"] = event.bytes;
            [[fallthrough]];
        case EventKind::http_missing:
            if (event.kind == EventKind::http_missing) out["kind"] = reason(event, kMissKinds);
            if (event.kind == EventKind::http_request || event.kind == EventKind::http_complete)
                out["part"] = reason(event, kHttpParts);
            if (!file_of(event).empty()) out["file"] = printable(file_of(event));
            address();
            break;
        case EventKind::none:
        case EventKind::dataplane_started:
            break;
    }
    return out;
}

std::string_view event_name(const Event& event) noexcept {
    return static_cast<std::size_t>(event.kind) < kEvents.size() ? to_string(event.kind) : "unknown";
}

std::string late_start_hint(const Event& discover) {
    // iPXE counts its tries in the upper bits of `secs` and starts at one; all others, and DHCPv6, send
    // seconds. A try or two go unanswered on any network; more were sent into a port that did not forward
    // yet.
    const bool ipxe = client_kind(discover) == ClientKind::ipxe && !is_over_ipv6(discover);
    const std::uint32_t tries = discover.count >> 2;
    if (ipxe ? tries <= 2 : discover.count < 4) return {};
    const std::string tried =
        ipxe ? std::to_string(tries) + " tries" : std::to_string(discover.count) + " s of trying";
    return "; heard only after " + tried + ": check that its switch port forwards at once (portfast, LACP)";
}

}  // namespace rouse::events
