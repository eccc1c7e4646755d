#pragma once
// One machine's current boot: what is kept of it between events, how an event moves it, and the verdict when
// it stops. Pure: time and facts are arguments; recorder.hpp stores the record.

#include "mgmt/events/boot_stage.hpp"
#include "shared/addresses.hpp"
#include "shared/client_kind.hpp"
#include "shared/event.hpp"
#include "shared/fixed_string.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace rouse::events {

// Table `boots`, key: machine id (UUID text, 36 bytes). Also numbers the machine's timeline entries.
struct BootRecord {
    static constexpr std::uint16_t kVersion = 1;
    static constexpr std::uint8_t kIpxeSeen = 1;      // iPXE asked for an address in this boot
    static constexpr std::uint8_t kAgentAwaited = 2;  // its profile boots a kernel whose agent is to report
    static constexpr std::uint8_t kSystemSeen = 4;    // an operating system asked for an address in this boot

    std::uint16_t version = kVersion;
    BootStage stage = BootStage::idle;
    std::uint8_t flags = 0;
    std::uint32_t number = 0;           // of the boot, from 1; 0: none yet
    std::uint64_t last_sequence = 0;    // of the machine's timeline
    std::uint64_t oldest_sequence = 1;  // older entries were dropped
    std::uint64_t started_ns = 0;       // CLOCK_REALTIME, as all times here
    std::uint64_t deadline_ns = 0;      // of the stage; 0: none
    std::uint64_t watched_ns = 0;       // where table `deadlines` has this boot; 0: nowhere
    std::uint64_t bytes = 0;            // received in this boot
    std::uint32_t files = 0;            // received in this boot
    std::uint32_t resent = 0;           // blocks
    IpAddress address{};                // last offered or given
    std::uint16_t architecture = 0;
    std::uint16_t cause = 0;  // discovering: DropReason; transfer_failed: TransferFailure; 0: none
    std::uint32_t reserved = 0;
    FixedString<64> file{};  // last named by an ACK or asked for

    [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
    [[nodiscard]] bool is_valid() const noexcept {
        return version == kVersion && static_cast<std::size_t>(stage) < kBootStages.size() &&
               oldest_sequence <= last_sequence + 1 && file.is_terminated();
    }
};

// What the store knows of the machine at the time of an event.
struct MachineFacts {
    bool has_profile = false;   // only a machine with a boot profile boots from here
    bool awaits_agent = false;  // its profile has a kernel
};

// Who sent the message of a dhcp_discover or dhcp_request.
[[nodiscard]] ClientKind client_kind(const Event& event) noexcept;

// The file that an event of TFTP or HTTP is about, as it stands in the event.
[[nodiscard]] std::string_view file_of(const Event& event) noexcept;

// What EVENT means for the boot; nothing for events that only belong on the timeline.
[[nodiscard]] std::optional<BootTrigger> trigger_of(const Event& event, const BootRecord& boot,
                                                    MachineFacts facts) noexcept;

// Puts what EVENT tells (address, file, figures) into the record; the stage is advance()'s.
void note(BootRecord& boot, const Event& event) noexcept;

// Moves BOOT by TRIGGER at NOW and renews the stage's deadline. `begin` starts a new boot and forgets the
// last one's figures.
void advance(BootRecord& boot, BootTrigger trigger, std::uint64_t now_ns, MachineFacts facts) noexcept;

// True while a boot is under way: it began and neither arrived, nor was handed over, nor failed.
[[nodiscard]] bool is_under_way(BootStage stage) noexcept;

// At which stage a boot stopped, why, and what to do: one sentence about "the machine".
[[nodiscard]] std::string verdict(const BootRecord& boot);

// "3 files, 18.4 MB, nothing resent"
[[nodiscard]] std::string delivery_summary(const BootRecord& boot);

}  // namespace rouse::events
