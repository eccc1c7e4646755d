#pragma once
// Finds out what alarms are about: from the store, and from what the appliance knows of itself.

#include "mgmt/ims/observation.hpp"
#include "mgmt/ims/services.hpp"
#include "mgmt/o2ims/inventory/inventory.hpp"
#include "mgmt/o2ims/monitoring/alarm_judge.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace rouse::o2ims {

// One thread. What it is made of outlives it.
class AlarmFactFinder {
  public:
    AlarmFactFinder(const ims::Services& services, const ims::Observation& observation, Inventory& inventory)
        : services_(services), observation_(observation), inventory_(&inventory) {}

    // As they are in VIEW and at NOW_NS (CLOCK_REALTIME). RAISED: servers that alarms are about are looked
    // at, however they do.
    [[nodiscard]] AlarmFacts gather(const store::View& view, const RaisedAlarms& raised,
                                    std::uint64_t now_ns);

  private:
    struct KnownServer {
        std::uint64_t sequence = 0;  // of its timeline, when it was looked at
        AlarmFacts::Server facts;
    };

    [[nodiscard]] Result<std::vector<AlarmFacts::Worker>> workers(const store::View& view) const;
    [[nodiscard]] Result<std::vector<AlarmFacts::Pool>> pools(const store::View& view) const;
    [[nodiscard]] Result<std::vector<AlarmFacts::Profile>> profiles(const store::View& view) const;
    [[nodiscard]] Result<std::vector<AlarmFacts::Server>> servers(const store::View& view,
                                                                  const RaisedAlarms& raised);
    [[nodiscard]] Result<AlarmFacts::Server> look_at(const store::View& view, const store::Document& machine,
                                                     const events::BootRecord& boot);

    ims::Services services_;
    ims::Observation observation_;
    Inventory* inventory_;
    std::map<store::Id, KnownServer> known_;  // by machine: those that failed to boot since
};

}  // namespace rouse::o2ims
