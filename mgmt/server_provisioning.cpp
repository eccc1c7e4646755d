// What a server does for an SMO's provisioning requests: it follows their machines.

#include "mgmt/o2ims/provisioning/provisioner.hpp"
#include "mgmt/server.hpp"
#include "shared/clock.hpp"

#include <vector>

#include <spdlog/spdlog.h>

namespace rouse::mgmt {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto kProvisionEvery = 300ms;  // a look at the machines of open requests

}  // namespace

asio::awaitable<void> Server::provision() {
    const o2ims::Provisioner provisioner(services(), *inventory_);
    while (co_await pause(provision_timer_, kProvisionEvery)) {
        std::vector<store::Id> due;
        {
            const auto snapshot = store_->snapshot();
            if (!snapshot) continue;
            const auto found = provisioner.due_requests(*snapshot, realtime_ns());
            if (!found) spdlog::error("provisioning requests cannot be followed: {}", found.error().message);
            if (found) due = *found;
        }
        for (const auto& id : due) {
            const auto moved =
                co_await writer_->submit([&](store::Batch& batch) { return provisioner.advance(batch, id); });
            if (!moved) spdlog::error("a provisioning request stands still: {}", moved.error().message);
            if (stopping_) break;
        }
    }
}

}  // namespace rouse::mgmt
