#pragma once
// What the dataplane's events mean for leases, guests' above all.

#include "mgmt/boot/guest_leases.hpp"
#include "shared/event.hpp"

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace rouse::events {

class LeaseKeeper {
  public:
    LeaseKeeper(store::Batch& batch, const boot::Appliance& appliance) noexcept
        : batch_(batch), appliance_(appliance), leases_(batch, appliance) {}

    enum class Effect {
        none,
        guest,    // its sender has a lease as a guest now
        refused,  // it asked for one and could not have it
    };
    // Fails only with the store.
    [[nodiscard]] Result<Effect> follow(const Event& event, bool is_registered);

    // What was done about a registered machine's DECLINE, for its timeline.
    struct Replacement {
        bool replaced = false;
        std::string text;
    };
    [[nodiscard]] Result<Replacement> replace_declined(const Event& event, const store::Id& machine);

  private:
    store::Batch& batch_;
    const boot::Appliance& appliance_;
    boot::GuestLeases leases_;
};

}  // namespace rouse::events
