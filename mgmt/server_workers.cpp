// What a server does as one of many appliances: a centre watches its workers and gives the racks of lost ones
// to others; a worker follows its centre.

#include "mgmt/await.hpp"
#include "mgmt/ims/follow_up.hpp"
#include "mgmt/ims/worker_access.hpp"
#include "mgmt/server.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <spdlog/spdlog.h>

namespace rouse::mgmt {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto kCoordinateEvery = 500ms;

}  // namespace

asio::awaitable<void> Server::coordinate() {
    const workers::Centre centre{appliance_, *roster_, consumer_->tables()};
    std::uint64_t looked_at = UINT64_MAX;
    while (co_await pause(coordinate_timer_, kCoordinateEvery)) {
        if (const auto last = writer_->changes().last(); last != looked_at) {
            learn_others();
            looked_at = last;
        }
        bool due = false;
        {
            const auto snapshot = store_->snapshot();
            const auto any = snapshot ? workers::anything_due(*snapshot, centre, realtime_ns())
                                      : tl::unexpected(snapshot.error());
            if (!any) spdlog::error("the workers cannot be watched: {}", any.error().message);
            due = any && *any;
        }
        if (!due) continue;
        auto decided = co_await writer_->submit(
            [&centre](store::Batch& batch) { return workers::decide_all(batch, centre); });
        if (decided)
            co_await carry_out(std::move(*decided));
        else
            spdlog::error("what becomes of the racks cannot be stored: {}", decided.error().message);
    }
}

asio::awaitable<void> Server::carry_out(workers::Decisions decisions) {
    for (const auto& worker : decisions.lost)
        spdlog::warn("worker {} is lost: no heartbeat for 30 s", worker);
    for (const auto& worker : decisions.returned) spdlog::info("worker {} is there", worker);
    for (const auto& rack : decisions.racks) {
        const std::string holder = rack.holder.empty() ? appliance_.id() : rack.holder;
        if (rack.state == workers::AssignmentState::orphaned)
            spdlog::error("cluster {} is served by {}, which is lost, and no standby is there", rack.name,
                          holder);
        else if (rack.holder != rack.before)
            spdlog::warn("cluster {} is served by {} now (epoch {}), before by {}", rack.name, holder,
                         rack.epoch, rack.before.empty() ? appliance_.id() : rack.before);
        std::vector<store::Id> machines;
        {
            const auto snapshot = store_->snapshot();
            auto found = snapshot
                             ? store::ids_by(*snapshot, store::kMachineByCluster, rack.cluster.to_string())
                             : tl::unexpected(snapshot.error());
            if (found) machines = std::move(*found);
        }
        const ims::Services known = services();
        const auto projected = co_await ims::project_machines(known, std::move(machines));
        if (!projected)
            spdlog::error("the dataplane cannot be told of cluster {}: {}", rack.name,
                          projected.error().message);
    }
}

// No machine may have another appliance's address.
void Server::learn_others() {
    const auto snapshot = store_->snapshot();
    if (!snapshot) return;
    std::vector<Ipv4Address> addresses;
    const auto listed =
        store::for_each(*snapshot, store::kWorkers, std::nullopt, [&](const store::Document& one) {
            if (const auto address = Ipv4Address::parse(one.text("rack_address")))
                addresses.push_back(*address);
            return true;
        });
    if (listed) appliance_.set_others(std::move(addresses));
}

void Server::follow_centre() {
    workers::FollowerOptions options{.centre = {config_.worker.centre, config_.worker.ca},
                                     .enrolment_token_file = config_.worker.enrolment_token_file,
                                     .netns = config_.api.netns,
                                     .state = [this] { return ims::self_report(observation()); }};
    follower_ = std::make_unique<workers::Follower>(std::move(options), *writer_, *catalogue_, appliance_,
                                                    *consumer_);
    follower_->start();
}

}  // namespace rouse::mgmt
