#pragma once
// The state machine of a boot: stages, what moves a machine between them, how long it may stay in each, and
// what each means for the machine's status (IMS.md 3). Pure tables; boot_record.hpp applies them.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rouse::events {

// X(stage, seconds it may last before a verdict (0: for ever), status, health); an empty status or health
// leaves the machine's as it is.
#define ROUSE_BOOT_STAGES(X)                       \
    X(idle, 0, "", "")                             \
    X(discovering, 60, "DEPLOYING", "UNKNOWN")     \
    X(offered, 60, "DEPLOYING", "UNKNOWN")         \
    X(addressed, 60, "DEPLOYING", "UNKNOWN")       \
    X(transferring, 1800, "DEPLOYING", "UNKNOWN")  \
    X(transfer_failed, 60, "DEPLOYING", "WARNING") \
    X(file_missing, 30, "DEPLOYING", "WARNING")    \
    X(delivered, 300, "DEPLOYING", "UNKNOWN")      \
    X(kernel_up, 300, "DEPLOYING", "UNKNOWN")      \
    X(home, 0, "ACTIVE", "HEALTHY")                \
    X(handed_over, 0, "ACTIVE", "UNKNOWN")         \
    X(failed, 0, "ERROR", "CRITICAL")

// X(trigger, what happened)
#define ROUSE_BOOT_TRIGGERS(X)                                     \
    X(begin, "a DISCOVER of a machine that was powered on")        \
    X(chain, "a DISCOVER of the iPXE that the firmware loaded")    \
    X(offer, "an OFFER went out")                                  \
    X(ack, "an ACK went out")                                      \
    X(transfer_begin, "a transfer began")                          \
    X(transfer_probe, "the client only asked for a size")          \
    X(transfer_end, "a transfer ended well")                       \
    X(transfer_break, "a transfer ended early")                    \
    X(file_miss, "a file was asked for that nobody serves")        \
    X(kernel_report, "the ramdisk's kernel is up")                 \
    X(home_report, "the ramdisk's agent reported home")            \
    X(expiry, "the stage lasted too long; an agent was to report") \
    X(expiry_unwatched, "the stage lasted too long; no agent would report")

enum class BootStage : std::uint8_t {
#define X(name, seconds, status, health) name,
    ROUSE_BOOT_STAGES(X)
#undef X
};

enum class BootTrigger : std::uint8_t {
#define X(name, help) name,
    ROUSE_BOOT_TRIGGERS(X)
#undef X
};

struct BootStageInfo {
    std::string_view name;
    std::uint64_t seconds;
    std::string_view status;
    std::string_view health;
};

inline constexpr auto kBootStages = std::to_array<BootStageInfo>({
#define X(name, seconds, status, health) {#name, seconds, status, health},
    ROUSE_BOOT_STAGES(X)
#undef X
});

inline constexpr auto kBootTriggers = std::to_array<std::string_view>({
#define X(name, help) #name,
    ROUSE_BOOT_TRIGGERS(X)
#undef X
});

[[nodiscard]] constexpr const BootStageInfo& info(BootStage stage) noexcept {
    return kBootStages[static_cast<std::size_t>(stage)];
}

namespace detail {
using BootTransitionRow = std::array<BootStage, kBootTriggers.size()>;
using enum BootStage;

// One row per stage, one column per trigger, in the order of the lists above. Evidence of progress is
// believed in every stage, a failed boot included: a slow machine recovers by itself. A machine that is idle
// stays idle until a boot begins, whatever it fetches (it has no boot profile).
// clang-format off
inline constexpr std::array<BootTransitionRow, kBootStages.size()> kBootTransitions{{
//                    begin        chain            offer            ack              transfer_begin   transfer_probe   transfer_end     transfer_break   file_miss        kernel_report  home   expiry        unwatched
/*idle*/            { discovering, idle,            idle,            idle,            idle,            idle,            idle,            idle,            idle,            kernel_up,     home,  idle,         idle         },
/*discovering*/     { discovering, discovering,     offered,         addressed,       transferring,    discovering,     delivered,       transfer_failed, file_missing,    kernel_up,     home,  failed,       failed       },
/*offered*/         { discovering, discovering,     offered,         addressed,       transferring,    offered,         delivered,       transfer_failed, file_missing,    kernel_up,     home,  failed,       failed       },
/*addressed*/       { discovering, discovering,     addressed,       addressed,       transferring,    addressed,       delivered,       transfer_failed, file_missing,    kernel_up,     home,  failed,       failed       },
/*transferring*/    { discovering, discovering,     transferring,    transferring,    transferring,    addressed,       delivered,       transfer_failed, file_missing,    kernel_up,     home,  failed,       failed       },
/*transfer_failed*/ { discovering, discovering,     transfer_failed, transfer_failed, transferring,    transfer_failed, delivered,       transfer_failed, file_missing,    kernel_up,     home,  failed,       failed       },
/*file_missing*/    { discovering, discovering,     file_missing,    file_missing,    transferring,    file_missing,    delivered,       transfer_failed, file_missing,    kernel_up,     home,  failed,       failed       },
/*delivered*/       { discovering, discovering,     delivered,       delivered,       transferring,    delivered,       delivered,       transfer_failed, file_missing,    kernel_up,     home,  failed,       handed_over  },
/*kernel_up*/       { discovering, kernel_up,       kernel_up,       kernel_up,       kernel_up,       kernel_up,       kernel_up,       kernel_up,       kernel_up,       kernel_up,     home,  failed,       failed       },
/*home*/            { discovering, home,            home,            home,            home,            home,            home,            home,            home, kernel_up    ,          home,  home,         home         },
/*handed_over*/     { discovering, handed_over,     handed_over,     handed_over,     transferring,    handed_over,     handed_over,     handed_over,     handed_over,     kernel_up,     home,  handed_over,  handed_over  },
/*failed*/          { discovering, failed,          failed,          addressed,       transferring,    failed,          delivered,       failed,          failed,          kernel_up,     home,  failed,       failed       },
}};
// clang-format on
}  // namespace detail

// Where TRIGGER leads from STAGE; the same stage when it changes nothing.
[[nodiscard]] constexpr BootStage next_stage(BootStage stage, BootTrigger trigger) noexcept {
    return detail::kBootTransitions[static_cast<std::size_t>(stage)][static_cast<std::size_t>(trigger)];
}

}  // namespace rouse::events
