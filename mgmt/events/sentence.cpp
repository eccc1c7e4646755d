#include "mgmt/events/sentence.hpp"

#include "mgmt/events/boot_record.hpp"
#include "mgmt/events/text.hpp"
#include "shared/boot_architecture.hpp"

#include <nlohmann/json.hpp>

namespace rouse::events {
namespace {

std::string_view drop_help(const Event& event) noexcept {
    return event.detail < kDropReasons.size() ? kDropReasons[event.detail].help : "for a reason unknown here";
}

std::string_view failure_help(const Event& event) noexcept {
    const bool known = event.detail != 0 && event.detail < kTransferFailures.size();
    return known ? kTransferFailures[event.detail].help : "for a reason unknown here";
}

std::string who(const Event& event) {
    const ClientKind kind = client_kind(event);
    if (kind != ClientKind::system)
        return std::string(to_string(kind)) + ", " + architecture_name(event.architecture);
    return event.get_text().empty() ? std::string(to_string(kind)) : printable(event.get_text());
}

std::string with_boot_file(const Event& event) {
    const std::string file = printable(event.get_text());
    return event.address.to_string() + (file.empty() ? ", no boot file" : ", boot file " + file);
}

std::string file_of(const Event& event) {
    return event.get_text().empty() ? "a file" : printable(event.get_text());
}

std::string completed(const Event& event) {
    std::string out = "sent " + file_of(event) + ", " + human_bytes(event.bytes) + " in " +
                      human_duration(event.duration_ns);
    if (const auto rate = human_rate(event.bytes, event.duration_ns); !rate.empty()) out += " (" + rate + ")";
    if (event.count == 0) return out + ", nothing resent";
    return out + ", " + std::to_string(event.count) + (event.count == 1 ? " block" : " blocks") + " resent";
}

}  // namespace

std::string sentence(const Event& event) {
    switch (event.kind) {
        case EventKind::dataplane_started:
            return "the dataplane started on " + printable(event.get_text());
        case EventKind::dhcp_discover:
            return "asked for an address (" + who(event) + ")";
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
        case EventKind::dhcp_ignored:
            return "not answered: " + std::string(drop_help(event));
        case EventKind::tftp_request:
            return "asked for " + file_of(event) + ", " + human_bytes(event.bytes);
        case EventKind::tftp_complete:
            return completed(event);
        case EventKind::tftp_probe:
            return "asked for the size of " + file_of(event) + " (" + human_bytes(event.bytes) +
                   ") before fetching it";
        case EventKind::tftp_failed:
            return "stopped fetching " + file_of(event) + " after " + human_bytes(event.bytes) + ": " +
                   std::string(failure_help(event));
        case EventKind::tftp_missing:
            return "asked for " + file_of(event) + ", which is not there";
        case EventKind::tftp_write_refused:
            return "tried to write " + file_of(event) + " and was refused";
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
            address();
            text("boot_file");
            break;
        case EventKind::dhcp_ignored:
            out["reason"] = event.detail < kDropReasons.size() ? kDropReasons[event.detail].name : "unknown";
            break;
        case EventKind::tftp_failed:
            out["reason"] =
                event.detail < kTransferFailures.size() ? kTransferFailures[event.detail].name : "unknown";
            [[fallthrough]];
        case EventKind::tftp_complete:
            out["duration_ms"] = event.duration_ns / 1'000'000;
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
            text("file");
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
    // iPXE counts its tries in the upper bits of `secs` and starts at one; all others send seconds. A try or
    // two go unanswered on any network; more were sent into a port that did not forward yet.
    const bool ipxe = client_kind(discover) == ClientKind::ipxe;
    const std::uint32_t tries = discover.count >> 2;
    if (ipxe ? tries <= 2 : discover.count < 4) return {};
    const std::string tried =
        ipxe ? std::to_string(tries) + " tries" : std::to_string(discover.count) + " s of trying";
    return "; heard only after " + tried + ": check that its switch port forwards at once (portfast, LACP)";
}

}  // namespace rouse::events
