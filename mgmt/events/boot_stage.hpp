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
// The stages in four letters, so that a row fits a line; `same`: the trigger changes nothing.
inline constexpr auto same = static_cast<BootStage>(0xff);
inline constexpr auto disc = BootStage::discovering, offr = BootStage::offered, addr = BootStage::addressed,
                      xfer = BootStage::transferring, brok = BootStage::transfer_failed,
                      miss = BootStage::file_missing, deld = BootStage::delivered,
                      kern = BootStage::kernel_up, home = BootStage::home, hand = BootStage::handed_over,
                      fail = BootStage::failed;

// One row per stage, one column per trigger, in the order of the lists above. Evidence of progress is
// believed in every stage, a failed boot included: a slow machine recovers by itself. A machine that is idle
// stays idle until a boot begins, whatever it fetches (it has no boot profile).
// clang-format off
inline constexpr std::array<std::array<BootStage, kBootTriggers.size()>, kBootStages.size()> kTransitions{{
//                   beg   chn   off   ack   t_b   t_p   t_e   t_x   mis   krn   hom   exp   unw
/*idle*/            {disc, same, same, same, same, same, same, same, same, kern, home, same, same},
/*discovering*/     {same, same, offr, addr, xfer, same, deld, brok, miss, kern, home, fail, fail},
/*offered*/         {disc, disc, same, addr, xfer, same, deld, brok, miss, kern, home, fail, fail},
/*addressed*/       {disc, disc, same, same, xfer, same, deld, brok, miss, kern, home, fail, fail},
/*transferring*/    {disc, disc, same, same, same, addr, deld, brok, miss, kern, home, fail, fail},
/*transfer_failed*/ {disc, disc, same, same, xfer, same, deld, same, miss, kern, home, fail, fail},
/*file_missing*/    {disc, disc, same, same, xfer, same, deld, brok, same, kern, home, fail, fail},
/*delivered*/       {disc, disc, same, same, xfer, same, same, brok, miss, kern, home, fail, hand},
/*kernel_up*/       {disc, same, same, same, same, same, same, same, same, same, home, fail, fail},
/*home*/            {disc, same, same, same, same, same, same, same, same, kern, same, same, same},
/*handed_over*/     {disc, same, same, same, xfer, same, same, same, same, kern, home, same, same},
/*failed*/          {disc, same, same, addr, xfer, same, deld, same, same, kern, home, same, same},
}};
// clang-format on
}  // namespace detail

// Where TRIGGER leads from STAGE; the same stage when it changes nothing.
[[nodiscard]] constexpr BootStage next_stage(BootStage stage, BootTrigger trigger) noexcept {
    const BootStage next =
        detail::kTransitions[static_cast<std::size_t>(stage)][static_cast<std::size_t>(trigger)];
    return next == detail::same ? stage : next;
}

}  // namespace rouse::events
