#include "mgmt/o2ims/alarm_judge.hpp"

#include "mgmt/events/text.hpp"
#include "mgmt/o2ims/resource_view.hpp"
#include "mgmt/o2ims/uuid.hpp"
#include "shared/clock.hpp"

#include <utility>

namespace rouse::o2ims {

using events::BootStage;

namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::uint64_t kLeastDisk = std::uint64_t{256} << 20;  // as /health has it
// Parts that are to be free, in hundredths: fewer raise an alarm; more end it.
constexpr std::uint64_t kFewFree = 10;
constexpr std::uint64_t kEnoughFree = 15;

class Assessor {
  public:
    Assessor(const Cloud& cloud, const AlarmFacts& facts, const RaisedAlarms& raised)
        : cloud_(cloud), appliance_(cloud.id.to_string()), facts_(facts), raised_(raised) {}

    Assessment assess() {
        workers();
        dataplane();
        pools();
        profiles();
        servers();
        foreign_servers();
        certificate();
        disk();
        return std::move(out_);
    }

  private:
    void wrong(AlarmName alarm, const std::string& object, const char* object_class, Severity severity,
               std::string text, std::uint64_t seen_ns = 0) {
        add({alarm, object, appliance_type_id(cloud_), object_class, severity, std::move(text), seen_ns});
    }
    void wrong(AlarmName alarm, const std::string& object, const char* object_class, std::string text) {
        wrong(alarm, object, object_class, definition_of(alarm).severity, std::move(text));
    }
    void add(Condition condition) {
        auto key = condition.key();
        out_.wrong.insert_or_assign(std::move(key), std::move(condition));
    }
    // Alarms of this name stay as they are.
    void nothing_known(AlarmName alarm) {
        const std::string prefix = std::string(definition_of(alarm).name) + "/";
        for (auto at = raised_.lower_bound(prefix); at != raised_.end() && at->first.starts_with(prefix);
             ++at)
            out_.unknown.insert(at->first);
    }
    [[nodiscard]] std::uint64_t least_free(AlarmName alarm, const std::string& object) const {
        const bool is_raised = raised_.contains(Condition{.alarm = alarm, .object_id = object}.key());
        return is_raised ? kEnoughFree : kFewFree;
    }

    void workers() {
        if (!facts_.workers) return nothing_known(AlarmName::worker_lost);
        for (const auto& worker : *facts_.workers)
            if (worker.is_lost)
                wrong(AlarmName::worker_lost, worker.id, "rouse.Worker",
                      "worker " + worker.name + " is not heard of");
    }
    void dataplane() {
        if (!facts_.dataplane) return nothing_known(AlarmName::dataplane_not_polling);
        if (!facts_.dataplane->empty())
            wrong(AlarmName::dataplane_not_polling, appliance_, "rouse.Appliance", *facts_.dataplane);
    }
    void pools() {
        if (!facts_.pools) return nothing_known(AlarmName::pool_exhausted);
        for (const auto& pool : *facts_.pools) {
            if (pool.capacity == 0) continue;
            const bool is_empty = pool.free == 0;
            if (!is_empty &&
                pool.free * 100 >= pool.capacity * least_free(AlarmName::pool_exhausted, pool.id))
                continue;
            wrong(AlarmName::pool_exhausted, pool.id, "rouse.IpPool",
                  is_empty ? Severity::major : Severity::minor,
                  "pool " + pool.name + " has " + std::to_string(pool.free) + " of " +
                      std::to_string(pool.capacity) + " addresses left");
        }
    }
    void profiles() {
        if (!facts_.profiles) return nothing_known(AlarmName::image_missing);
        for (const auto& profile : *facts_.profiles)
            if (!profile.missing.empty())
                wrong(AlarmName::image_missing, profile.id, "rouse.BootProfile",
                      "boot profile " + profile.name + ": " + profile.missing);
    }
    void servers() {
        if (!facts_.servers) return nothing_known(AlarmName::boot_failed);
        for (const auto& server : *facts_.servers) {
            if (server.stage == BootStage::home || server.stage == BootStage::handed_over ||
                server.stage == BootStage::idle)
                continue;
            Condition condition{AlarmName::boot_failed,
                                server.resource_id,
                                server.type_id,
                                "rouse.Server",
                                definition_of(AlarmName::boot_failed).severity,
                                "server " + server.name + " failed to boot " +
                                    std::to_string(server.failures) + " times; " + server.verdict};
            // One that tries again has not booted yet.
            if (server.stage == BootStage::failed && server.failures >= kBootsUntilAlarm)
                add(std::move(condition));
            else
                out_.unknown.insert(condition.key());
        }
    }
    void foreign_servers() {
        for (const auto& [address, seen_ns] : facts_.foreign_servers)
            wrong(AlarmName::foreign_dhcp_server, named_id(cloud_.id, "dhcp-server/" + address).to_string(),
                  "rouse.DhcpServer", definition_of(AlarmName::foreign_dhcp_server).severity,
                  "the DHCP server " + address + " answers machines of the rack", seen_ns);
    }
    void certificate() {
        if (!facts_.certificate_seconds) return;
        const std::int64_t left = *facts_.certificate_seconds;
        if (left > 14 * kDay) return;
        const std::string days = std::to_string(left / kDay);
        wrong(AlarmName::certificate_expiring, appliance_, "rouse.Appliance",
              left <= 0          ? Severity::critical
              : left <= 2 * kDay ? Severity::major
                                 : Severity::minor,
              left <= 0 ? "the API's certificate has ended"
                        : "the API's certificate is good for " + days + " more days");
    }
    void disk() {
        if (!facts_.disk) return nothing_known(AlarmName::disk_filling);
        const auto& disk = *facts_.disk;
        const bool is_full = disk.free < kLeastDisk;
        if (!is_full &&
            disk.free / 100 >= disk.total / 10'000 * least_free(AlarmName::disk_filling, appliance_))
            return;
        wrong(AlarmName::disk_filling, appliance_, "rouse.Appliance",
              is_full ? Severity::critical : Severity::minor,
              events::human_bytes(disk.free) + " of " + events::human_bytes(disk.total) + " are free");
    }

    const Cloud& cloud_;
    std::string appliance_;
    const AlarmFacts& facts_;
    const RaisedAlarms& raised_;
    Assessment out_;
};

// Forgets what is not in KEEP any more.
template <typename Keep>
void forget_others(std::map<std::string, std::uint64_t>& since, Keep&& keep) {
    std::erase_if(since, [&](const auto& entry) { return !keep(entry.first); });
}

}  // namespace

Assessment assess(const Cloud& cloud, const AlarmFacts& facts, const RaisedAlarms& raised) {
    return Assessor(cloud, facts, raised).assess();
}

bool AlarmJudge::has_lasted(std::map<std::string, std::uint64_t>& since, const std::string& key,
                            std::uint32_t seconds, std::uint64_t now_ns) {
    const auto [found, is_new] = since.try_emplace(key, now_ns);
    return now_ns - found->second >= seconds * kNanosPerSecond;
}

AlarmDecisions AlarmJudge::judge(const Assessment& assessment, const RaisedAlarms& raised,
                                 std::uint64_t now_ns) {
    AlarmDecisions out;
    const auto& wrong = assessment.wrong;
    forget_others(wrong_since_,
                  [&](const auto& key) { return wrong.contains(key) && !raised.contains(key); });
    forget_others(right_since_, [&](const auto& key) {
        return raised.contains(key) && !wrong.contains(key) && !assessment.unknown.contains(key);
    });
    forget_others(milder_since_, [&](const auto& key) {
        const auto now = wrong.find(key);
        const auto was = raised.find(key);
        return now != wrong.end() && was != raised.end() && now->second.severity > was->second.severity;
    });
    for (const auto& [key, condition] : wrong) {
        const auto& definition = definition_of(condition.alarm);
        const auto was = raised.find(key);
        if (was == raised.end()) {
            if (has_lasted(wrong_since_, key, definition.raise_seconds, now_ns))
                out.raise.push_back(condition);
        } else if (condition.severity < was->second.severity ||
                   (condition.severity > was->second.severity &&
                    has_lasted(milder_since_, key, definition.clear_seconds, now_ns))) {
            out.change.push_back({was->second.id, condition});
        }
    }
    for (const auto& [key, alarm] : raised) {
        if (wrong.contains(key) || assessment.unknown.contains(key)) continue;
        const auto* definition = find_alarm(std::string_view(key).substr(0, key.find('/')));
        // Nobody would clear one that a former build has raised and this one does not know.
        const bool is_automatic = definition == nullptr || definition->is_automatic;
        if (is_automatic && has_lasted(right_since_, key, definition ? definition->clear_seconds : 0, now_ns))
            out.clear.push_back(alarm.id);
    }
    return out;
}

}  // namespace rouse::o2ims
