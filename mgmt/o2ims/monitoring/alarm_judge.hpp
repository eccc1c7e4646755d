#pragma once
// From facts to alarms, purely: what is wrong now, and what that means for the alarms that are raised. What
// is only so for a moment raises nothing, and what is only better for a moment clears nothing.

#include "mgmt/events/boot_stage.hpp"
#include "mgmt/o2ims/monitoring/alarm_definitions.hpp"
#include "mgmt/store/id.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rouse::o2ims {

// Boots of a server that fail one after another until it is an alarm.
inline constexpr std::uint32_t kBootsUntilAlarm = 3;

// What was found out; of what could not be, nothing is said: alarms about it stay as they are.
struct AlarmFacts {
    struct Worker {
        std::string id, name;
        bool is_lost = false;
    };
    struct Pool {
        std::string id, name;
        std::uint64_t capacity = 0;
        std::uint64_t free = 0;
    };
    struct Profile {
        std::string id, name;
        std::string missing;  // one sentence about an image; empty: all are there
    };
    struct Server {
        std::string resource_id, type_id, name;
        events::BootStage stage = events::BootStage::idle;
        std::uint32_t failures = 0;  // boots that failed since the last that did not
        std::string verdict;         // of the last that failed
    };
    struct Disk {
        std::uint64_t free = 0;
        std::uint64_t total = 0;
    };
    std::optional<std::vector<Worker>> workers;
    std::optional<std::vector<Pool>> pools;
    std::optional<std::vector<Profile>> profiles;  // those that lack an image
    std::optional<std::vector<Server>> servers;    // those that failed to boot, or that an alarm is about
    std::optional<std::string> dataplane;          // what is wrong with it; empty: it polls
    std::map<std::string, std::uint64_t> foreign_servers;  // by address: when it was last seen
    std::optional<std::int64_t> certificate_seconds;       // until the API's ends; nothing: it is plain
    std::optional<Disk> disk;
};

// What is wrong with one thing.
struct Condition {
    AlarmName alarm{};
    std::string object_id, object_type_id, object_class;
    Severity severity = Severity::major;
    std::string text;           // one sentence for a person
    std::uint64_t seen_ns = 0;  // of one that is cleared by hand: when it was last so

    // Identifies it: there is one raised alarm of it at most.
    [[nodiscard]] std::string key() const { return std::string(definition_of(alarm).name) + "/" + object_id; }
};

// An alarm that is raised.
struct RaisedAlarm {
    store::Id id;
    std::string condition;  // Condition::key()
    Severity severity = Severity::major;
    std::string text;
};
using RaisedAlarms = std::map<std::string, RaisedAlarm>;  // by condition

struct Assessment {
    std::map<std::string, Condition> wrong;  // by key()
    std::set<std::string> unknown;           // keys of raised alarms about which nothing is known now
};

// What is wrong by FACTS. RAISED: figures must be a bit better than what raised an alarm to end it.
[[nodiscard]] Assessment assess(const Cloud& cloud, const AlarmFacts& facts, const RaisedAlarms& raised);

struct AlarmDecisions {
    struct ToChange {
        store::Id id;
        Condition now;
    };
    std::vector<Condition> raise;
    std::vector<ToChange> change;  // their severity
    std::vector<store::Id> clear;

    [[nodiscard]] bool empty() const noexcept { return raise.empty() && change.empty() && clear.empty(); }
};

// Remembers since when each thing is as it is. One thread.
class AlarmJudge {
  public:
    // NOW_NS: any clock that only goes forward.
    [[nodiscard]] AlarmDecisions judge(const Assessment& assessment, const RaisedAlarms& raised,
                                       std::uint64_t now_ns);

  private:
    // Whether KEY has been in SINCE for SECONDS; it is from now on.
    static bool has_lasted(std::map<std::string, std::uint64_t>& since, const std::string& key,
                           std::uint32_t seconds, std::uint64_t now_ns);

    std::map<std::string, std::uint64_t> wrong_since_;   // and no alarm is raised yet
    std::map<std::string, std::uint64_t> right_since_;   // though an alarm is raised
    std::map<std::string, std::uint64_t> milder_since_;  // than the alarm says
};

}  // namespace rouse::o2ims
