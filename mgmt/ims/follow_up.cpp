#include "mgmt/ims/follow_up.hpp"

#include "mgmt/boot/boot_profile.hpp"
#include "mgmt/boot/guest_leases.hpp"
#include "mgmt/boot/machine.hpp"
#include "mgmt/store/documents.hpp"

#include <algorithm>
#include <span>

namespace rouse::ims {

using store::Batch;
using store::Id;

namespace {

constexpr std::size_t kStep = 128;
constexpr std::size_t kGuestStep = 512;

Outcome<void> project_step(Batch& batch, const boot::Appliance& appliance, std::span<const Id> ids) {
    for (const Id& id : ids) {
        auto machine = store::find(batch, store::kMachines, id);
        if (!machine) return pass_on(machine.error());
        if (!*machine) continue;
        if (auto refreshed = boot::refresh_machine(batch, appliance, std::move(**machine)); !refreshed)
            return refreshed;
    }
    return {};
}

Outcome<void> project_profiles(Batch& batch) {
    std::vector<store::Document> profiles;
    const auto listed = store::for_each(batch, store::kBootProfiles, std::nullopt, [&](store::Document one) {
        profiles.push_back(std::move(one));
        return true;
    });
    if (!listed) return pass_on(listed.error());
    for (const auto& profile : profiles)
        if (auto projected = boot::project_profile(batch, profile); !projected) return projected;
    return {};
}

}  // namespace

boost::asio::awaitable<Outcome<void>> project_machines(const Services& services, std::vector<Id> machines) {
    const std::span<const Id> all(machines);
    for (std::size_t at = 0; at < all.size(); at += kStep) {
        const auto step = all.subspan(at, std::min(kStep, all.size() - at));
        const auto done = co_await services.writer.submit(
            [&](Batch& batch) { return project_step(batch, services.appliance, step); });
        if (!done) co_return done;
    }
    co_return Outcome<void>{};
}

boost::asio::awaitable<Outcome<void>> project_guests(const Services& services, store::Document pool) {
    std::optional<Ipv4Address> from;
    do {
        const auto next = co_await services.writer.submit([&](Batch& batch) {
            return boot::project_guests(batch, services.appliance, pool, from, kGuestStep);
        });
        if (!next) co_return pass_on(next.error());
        from = *next;
    } while (from);
    co_return Outcome<void>{};
}

boost::asio::awaitable<Outcome<void>> project_guests_of(const Services& services, std::string profile) {
    std::vector<store::Document> pools;
    {
        const auto snapshot = services.snapshot();
        if (!snapshot) co_return pass_on(snapshot.error());
        const auto listed =
            store::for_each(*snapshot, store::kIpPools, std::nullopt, [&](store::Document pool) {
                if (profile.empty() || pool.text("boot_profile") == profile) pools.push_back(std::move(pool));
                return true;
            });
        if (!listed) co_return pass_on(listed.error());
    }
    for (const auto& pool : pools)
        if (auto projected = co_await project_guests(services, pool); !projected) co_return projected;
    co_return Outcome<void>{};
}

boost::asio::awaitable<Outcome<void>> place_waiting_machines(const Services& services) {
    std::optional<Id> after;
    do {
        const auto last = co_await services.writer.submit(
            [&](Batch& batch) { return boot::place_waiting(batch, services.appliance, after, kStep); });
        if (!last) co_return pass_on(last.error());
        after = *last;
    } while (after);
    co_return Outcome<void>{};
}

boost::asio::awaitable<Outcome<void>> project_everything(const Services& services) {
    auto profiles = co_await services.writer.submit([](Batch& batch) { return project_profiles(batch); });
    if (!profiles) co_return profiles;
    auto placed = co_await place_waiting_machines(services);
    if (!placed) co_return placed;
    if (auto guests = co_await project_guests_of(services, ""); !guests) co_return guests;
    std::vector<Id> machines;
    {
        const auto snapshot = services.snapshot();
        if (!snapshot) co_return pass_on(snapshot.error());
        const auto listed = store::for_each_key(*snapshot, store::kMachines, [&machines](Id id) {
            machines.push_back(id);
            return true;
        });
        if (!listed) co_return pass_on(listed.error());
    }
    co_return co_await project_machines(services, std::move(machines));
}

}  // namespace rouse::ims
