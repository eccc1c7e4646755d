#include "mgmt/events/boot_record.hpp"

#include "mgmt/events/text.hpp"
#include "shared/clock.hpp"

#include <algorithm>
#include <array>

namespace rouse::events {
namespace {

bool is_asking(BootStage stage) noexcept {
    return stage == BootStage::discovering || stage == BootStage::offered;
}

// Whether a DISCOVER is the first of a boot, a retry, or the next link of the chain firmware -> iPXE.
std::optional<BootTrigger> discover_trigger(ClientKind client, const BootRecord& boot,
                                            MachineFacts facts) noexcept {
    // An operating system asks for its address in passing; that begins nothing.
    if (client == ClientKind::system) return std::nullopt;
    const bool ipxe = client == ClientKind::ipxe;
    const bool ipxe_seen = boot.has(BootRecord::kIpxeSeen);
    if (is_asking(boot.stage) && ipxe == ipxe_seen) return std::nullopt;  // a retry
    const bool loading = is_under_way(boot.stage) && boot.stage != BootStage::kernel_up;
    if (ipxe && loading && !ipxe_seen) return BootTrigger::chain;
    // Without a boot profile there is nothing to boot: only the address is served.
    return facts.has_profile ? std::optional(BootTrigger::begin) : std::nullopt;
}

// One of several requests that make up a file.
bool is_fragment(const Event& event) noexcept {
    return event.kind == EventKind::http_complete &&
           event.detail == static_cast<std::uint16_t>(HttpPart::part);
}

std::string file_or(const BootRecord& boot, const char* otherwise) {
    return boot.file.empty() ? std::string(otherwise) : std::string(boot.file.view());
}

// A long name by its end, which says more than its directories.
void note_file(BootRecord& boot, std::string_view name) noexcept {
    constexpr std::size_t kRoom = decltype(boot.file)::kMaxLength;
    constexpr std::string_view kCut = "...";
    if (boot.file.assign(name) || name.size() <= kRoom) return;
    std::array<char, kRoom> cut;
    std::copy(kCut.begin(), kCut.end(), cut.begin());
    std::copy(name.end() - (kRoom - kCut.size()), name.end(), cut.begin() + kCut.size());
    static_cast<void>(boot.file.assign({cut.data(), cut.size()}));
}

}  // namespace

ClientKind client_kind(const Event& event) noexcept {
    // A kind that a newer dataplane knows begins no boot here.
    return event.detail < kClientKindNames.size() ? static_cast<ClientKind>(event.detail)
                                                  : ClientKind::system;
}

std::string_view file_of(const Event& event) noexcept {
    return event.get_text();
}

std::optional<BootTrigger> trigger_of(const Event& event, const BootRecord& boot,
                                      MachineFacts facts) noexcept {
    switch (event.kind) {
        case EventKind::dhcp_discover:
            return discover_trigger(client_kind(event), boot, facts);
        case EventKind::dhcp_offer:
            return BootTrigger::offer;
        case EventKind::dhcp_ack:
            return BootTrigger::ack;
        case EventKind::tftp_request:
        case EventKind::http_request:
            return BootTrigger::transfer_begin;
        case EventKind::tftp_probe:
        case EventKind::http_probe:
            return BootTrigger::transfer_probe;
        case EventKind::tftp_complete:
        case EventKind::http_complete:
            return BootTrigger::transfer_end;
        case EventKind::tftp_failed:
        case EventKind::http_failed:
            return BootTrigger::transfer_break;
        case EventKind::tftp_missing:
        case EventKind::http_missing:
            // Loaders search for their configuration by asking; only a real miss means trouble.
            if (event.detail != static_cast<std::uint16_t>(MissKind::real)) return std::nullopt;
            return BootTrigger::file_miss;
        case EventKind::none:
        case EventKind::dataplane_started:
        case EventKind::dhcp_request:
        case EventKind::dhcp_nak:
        case EventKind::dhcp_decline:
        case EventKind::dhcp_release:
        case EventKind::dhcp_lease_wanted:
        case EventKind::dhcp_foreign_server:
        case EventKind::dhcp_ignored:
        case EventKind::tftp_write_refused:
            return std::nullopt;
    }
    return std::nullopt;  // an event of a newer dataplane
}

void note(BootRecord& boot, const Event& event) noexcept {
    const bool asking = is_asking(boot.stage);
    switch (event.kind) {
        case EventKind::dhcp_discover:
            if (client_kind(event) == ClientKind::ipxe) boot.flags |= BootRecord::kIpxeSeen;
            if (client_kind(event) == ClientKind::system)
                boot.flags |= BootRecord::kSystemSeen;
            else
                boot.architecture = event.architecture;
            break;
        case EventKind::dhcp_offer:
        case EventKind::dhcp_ack:
            // Later ones are an operating system's, whose boot file means nothing.
            if (!asking) break;
            boot.address = event.address;
            boot.cause = 0;
            static_cast<void>(boot.file.assign(event.get_text()));
            break;
        case EventKind::dhcp_ignored:
            if (asking) boot.cause = event.detail;
            break;
        case EventKind::tftp_complete:
        case EventKind::http_complete:
            if (!is_fragment(event)) ++boot.files;
            boot.bytes += event.bytes;
            boot.resent += event.count;
            [[fallthrough]];
        case EventKind::tftp_request:
        case EventKind::http_request:
        case EventKind::tftp_failed:
        case EventKind::http_failed:
        case EventKind::tftp_missing:
        case EventKind::http_missing:
            if (trigger_of(event, boot, {}) == BootTrigger::transfer_break) boot.cause = event.detail;
            if (!trigger_of(event, boot, {})) break;  // a loader's habit
            if (!file_of(event).empty()) note_file(boot, file_of(event));
            break;
        default:
            break;
    }
}

void advance(BootRecord& boot, BootTrigger trigger, std::uint64_t now_ns, MachineFacts facts) noexcept {
    if (trigger == BootTrigger::begin) {
        ++boot.number;
        boot.flags = 0;
        boot.started_ns = now_ns;
        boot.bytes = 0;
        boot.files = boot.resent = 0;
        boot.address = {};
        boot.cause = 0;
        boot.file = {};
    }
    // What the profile is now: it may have been given after the machine was switched on.
    boot.flags &= static_cast<std::uint8_t>(~BootRecord::kAgentAwaited);
    if (facts.awaits_agent) boot.flags |= BootRecord::kAgentAwaited;
    boot.stage = next_stage(boot.stage, trigger);
    const auto seconds = info(boot.stage).seconds;
    boot.deadline_ns = seconds == 0 ? 0 : now_ns + seconds * kNanosPerSecond;
}

bool is_under_way(BootStage stage) noexcept {
    return info(stage).seconds != 0;
}

std::string verdict(const BootRecord& boot) {
    const std::string file = printable(file_or(boot, ""));
    const std::string address = boot.address.is_zero() ? "an address" : boot.address.to_string();
    switch (boot.stage) {
        case BootStage::discovering:
            if (boot.cause != 0 && boot.cause < kDropReasons.size())
                return "asked for an address and was not answered: " +
                       std::string(kDropReasons[boot.cause].help);
            return "asked for an address and was made no offer; see whether /health finds the dataplane well";
        case BootStage::offered:
            return "was offered " + address +
                   " and never asked for it; another DHCP server may have answered first, or the offer does "
                   "not reach the machine: check the VLAN and the relay";
        case BootStage::addressed:
            if (file.empty())
                return "took " + address +
                       " and had no file to ask for; give its boot profile a loader for " +
                       architecture_name(boot.architecture);
            return "took " + address + " and never asked for " + file +
                   "; check that nothing between it and the appliance filters UDP port 69";
        case BootStage::transferring:
            return "began to fetch " + file + " and did not finish; check the network and the dataplane";
        case BootStage::transfer_failed: {
            if (boot.cause == static_cast<std::uint16_t>(TransferFailure::not_resident))
                return "could not be sent " + file +
                       ", which is not in memory; raise dataplane.staging_mib or remove images";
            const auto why = boot.cause < kTransferFailures.size() ? kTransferFailures[boot.cause].help : "";
            return "stopped fetching " + file + (why.empty() ? "" : ": " + std::string(why)) +
                   ", and did not try again";
        }
        case BootStage::file_missing:
            return "asked for missing file " + file +
                   "; upload it (rousectl image put) or correct the boot profile";
        case BootStage::delivered:
            if (boot.has(BootRecord::kSystemSeen))
                return "started the operating system that it was sent, but the agent never reported; look at "
                       "its console";
            return "received " + file +
                   " and was not heard of again; look at its console: the kernel did not start, or found no "
                   "network";
        case BootStage::kernel_up:
            return "started its kernel, but the agent never reported home; look at its console";
        case BootStage::idle:
        case BootStage::home:
        case BootStage::handed_over:
        case BootStage::failed:
            break;
    }
    return {};
}

std::string delivery_summary(const BootRecord& boot) {
    return std::to_string(boot.files) + (boot.files == 1 ? " file, " : " files, ") + human_bytes(boot.bytes) +
           (boot.resent == 0 ? ", nothing resent" : ", " + std::to_string(boot.resent) + " blocks resent");
}

}  // namespace rouse::events
