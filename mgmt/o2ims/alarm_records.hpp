#pragma once
// Alarm records as documents of the store: raised, changed, acknowledged, cleared and forgotten. Every change
// is one of a document, so that whoever follows the feed of changes learns of it.

#include "mgmt/o2ims/alarm_judge.hpp"
#include "mgmt/store/documents.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::o2ims {

// What is kept at most; the oldest cleared ones make room.
inline constexpr std::size_t kMostAlarms = 10'000;
inline constexpr std::uint32_t kAlarmRetentionDays = 14;

// Values of kAlarmByState.
inline constexpr const char* kRaised = "raised";
inline constexpr const char* kCleared = "cleared";

// What happened last to an alarm: "event" of its document, as the standard numbers and names them.
enum class AlarmEvent : std::uint8_t { raised, changed, cleared, acknowledged };
inline constexpr auto kAlarmEvents =
    std::to_array<std::string_view>({"NEW", "CHANGE", "CLEAR", "ACKNOWLEDGE"});

[[nodiscard]] Result<RaisedAlarms> raised_alarms(const store::View& view);

// Tells whoever is to know of what happened to an alarm, in the transaction that stores it.
using AlarmTeller = std::function<Result<void>(store::Batch& batch, const store::Document& alarm)>;

// In an operation of the Writer. What has changed since DECISIONS were made is left alone. Returns how many
// alarms could not be raised because there are too many.
[[nodiscard]] Outcome<std::size_t> carry_out(store::Batch& batch, const AlarmDecisions& decisions,
                                             const AlarmTeller& tell = {});

// In operations of the Writer, on a document as it is stored. A conflict when it is so already, or when an
// alarm is cleared that clears itself.
[[nodiscard]] Outcome<store::Document> acknowledge(store::Batch& batch, store::Document alarm,
                                                   const AlarmTeller& tell = {});
[[nodiscard]] Outcome<store::Document> clear_by_hand(store::Batch& batch, store::Document alarm,
                                                     const AlarmTeller& tell = {});

// How long cleared ones are kept, in days; and the version of that setting, 0 while nobody has set it.
struct Retention {
    std::uint32_t days = kAlarmRetentionDays;
    std::uint64_t revision = 0;
    nlohmann::json extensions = nlohmann::json::object();
};
[[nodiscard]] Outcome<Retention> read_retention(const store::View& view);
[[nodiscard]] Outcome<Retention> write_retention(store::Batch& batch, std::uint32_t days,
                                                 const nlohmann::json& extensions);

// Which records to purge: cleared and acknowledged ones alone.
struct Purge {
    std::optional<std::set<store::Id>> ids;  // of these; nothing: of all
    std::uint64_t from_ns = 0;               // cleared at this time or later
    std::uint64_t to_ns = UINT64_MAX;        // and no later than this
};
// Ids to erase by PURGE.
[[nodiscard]] Result<std::vector<store::Id>> alarms_to_purge(const store::View& view, const Purge& purge);
// Ids of cleared ones whose retention is over.
[[nodiscard]] Result<std::vector<store::Id>> alarms_to_forget(const store::View& view, std::uint64_t now_ns);

}  // namespace rouse::o2ims
