#pragma once
// Every alarm that there can be, in one table: the dictionaries, the records and docs/o2ims-alarms.md are
// made of it. The standard defines alarms of clusters alone (O2IMS 1.12); those of bare servers and of the
// appliance are ours.

#include "mgmt/o2ims/cloud.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

// As the standard numbers them.
enum class Severity : std::uint8_t { critical, major, minor, warning, indeterminate, cleared };

// What alarms are about; each has a dictionary and is a resource type, or stands for several.
enum class AlarmSubject : std::uint8_t { server, appliance };
inline constexpr auto kAlarmSubjects = std::to_array<std::string_view>({"server", "appliance"});

enum class AlarmName : std::uint8_t {
    worker_lost,
    dataplane_not_polling,
    pool_exhausted,
    image_missing,
    boot_failed,
    foreign_dhcp_server,
    certificate_expiring,
    disk_filling,
};

struct AlarmDefinition {
    std::string_view name;  // ids follow from it: never changed
    AlarmSubject subject = AlarmSubject::appliance;
    Severity severity = Severity::major;  // unless what happened is worse or milder
    std::string_view cause;               // a probable cause code of the standard's
    std::string_view event_type;          // likewise
    bool is_automatic = true;             // it is cleared when it is so no longer; else by somebody
    std::uint32_t raise_seconds = 0;      // for how long it must be so
    std::uint32_t clear_seconds = 0;      // for how long it must not be so any more
    std::string_view description;
    std::string_view repair;
};

inline constexpr std::size_t kAlarmDefinitions = 8;
// In the order of AlarmName.
extern const std::array<AlarmDefinition, kAlarmDefinitions> kAlarmTable;

[[nodiscard]] inline const AlarmDefinition& definition_of(AlarmName name) {
    return kAlarmTable[static_cast<std::size_t>(name)];
}
// Null: this build knows none of that name.
[[nodiscard]] const AlarmDefinition* find_alarm(std::string_view name) noexcept;

// Ids that follow from names.
[[nodiscard]] std::string alarm_definition_id(const Cloud& cloud, std::string_view name);
[[nodiscard]] std::string probable_cause_id(const Cloud& cloud, std::string_view code);
[[nodiscard]] std::string alarm_dictionary_id(const Cloud& cloud, AlarmSubject subject);

// AlarmDictionary (O2IMS 1.4).
[[nodiscard]] nlohmann::json alarm_dictionary(const Cloud& cloud, AlarmSubject subject);

}  // namespace rouse::o2ims
