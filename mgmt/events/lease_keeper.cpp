#include "mgmt/events/lease_keeper.hpp"

#include "mgmt/boot/machine.hpp"

#include <spdlog/spdlog.h>

namespace rouse::events {
namespace {

template <typename T>
tl::unexpected<Error> store_error(const Outcome<T>& outcome) {
    return fail(outcome.error().message);
}

}  // namespace

Result<LeaseKeeper::Effect> LeaseKeeper::follow(const Event& event, bool is_registered) {
    const auto address = event.address.v4();
    if (!address) return Effect::none;
    Outcome<void> done;
    switch (event.kind) {
        case EventKind::dhcp_lease_wanted: {
            const auto wish = leases_.offer(event.mac, *address);
            if (!wish) return store_error(wish);
            if (*wish == boot::GuestLeases::Wish::registered) return Effect::none;
            return *wish == boot::GuestLeases::Wish::granted ? Effect::guest : Effect::refused;
        }
        case EventKind::dhcp_ack: {
            const auto own = leases_.confirm(event.mac, *address, event.time_ns / kNanosPerSecond,
                                             event.duration_ns / kNanosPerSecond);
            if (!own) return store_error(own);
            if (!*own)
                spdlog::error("{} was given to {}, but is leased to another machine: end one of the two",
                              address->to_string(), event.mac.to_string());
            return Effect::none;
        }
        case EventKind::dhcp_release:
            done = leases_.give_back(event.mac, *address);
            break;
        case EventKind::dhcp_decline:
            if (!is_registered) done = leases_.decline(event.mac, *address);
            break;
        default:
            break;
    }
    if (!done) return store_error(done);
    return Effect::none;
}

Result<LeaseKeeper::Replacement> LeaseKeeper::replace_declined(const Event& event, const store::Id& machine) {
    const auto document = store::find(batch_, store::kMachines, machine);
    if (!document) return tl::unexpected(document.error());
    const auto address = event.address.v4();
    if (!*document || !address || (*document)->text("ip") != address->to_string()) return Replacement{};
    const std::string old = address->to_string();
    const auto changed = boot::replace_declined(batch_, appliance_, **document, *address);
    if (!changed) return store_error(changed);
    const std::string now = changed->text("ip");
    if (now == old)
        return Replacement{false, "keeps " + old +
                                      ", which something else uses: take it away there, or change "
                                      "this machine's ip"};
    return Replacement{true, old + " is set aside, because something else uses it; " +
                                 (now.empty() ? "no pool has another address, so the machine waits for one"
                                              : "the machine gets " + now + " now")};
}

}  // namespace rouse::events
