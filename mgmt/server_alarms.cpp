// What a server does for alarms: it looks again and again whether something is wrong, and forgets alarms that
// were cleared long ago.

#include "mgmt/ims/blocking.hpp"
#include "mgmt/o2ims/alarm_facts.hpp"
#include "mgmt/o2ims/alarm_notifications.hpp"
#include "mgmt/server.hpp"
#include "shared/clock.hpp"

#include <algorithm>
#include <vector>

#include <spdlog/spdlog.h>

namespace rouse::mgmt {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto kLookForAlarms = 3s;
constexpr unsigned kLooksUntilForgetting = 100;  // looks between two at what may be forgotten
constexpr std::size_t kForgottenAtOnce = 500;    // in one transaction

}  // namespace

asio::awaitable<void> Server::watch_for_alarms() {
    o2ims::AlarmFactFinder finder(services(), observation(), *inventory_);
    o2ims::AlarmJudge judge;
    const auto tell = o2ims::tell_subscribers(delivery_->tables(), inventory_->cloud());
    for (unsigned look = 0; co_await pause(alarm_timer_, kLookForAlarms); ++look) {
        // A disk that hangs holds up nobody else.
        const auto decided = co_await ims::run_on(disk_, [&]() -> Result<o2ims::AlarmDecisions> {
            const auto snapshot = store_->snapshot();
            if (!snapshot) return tl::unexpected(snapshot.error());
            const auto raised = o2ims::raised_alarms(*snapshot);
            if (!raised) return tl::unexpected(raised.error());
            const auto facts = finder.gather(*snapshot, *raised, realtime_ns());
            return judge.judge(o2ims::assess(inventory_->cloud(), facts, *raised), *raised, monotonic_ns());
        });
        if (!decided) {
            spdlog::error("nobody is alarmed: {}", decided.error().message);
            continue;
        }
        if (!decided->empty()) {
            for (const auto& condition : decided->raise) spdlog::warn("alarm: {}", condition.text);
            const auto carry_out = [&](store::Batch& batch) {
                return o2ims::carry_out(batch, *decided, tell);
            };
            const auto done = co_await writer_->submit(carry_out);
            delivery_->wake();
            if (!done) spdlog::error("alarms cannot be stored: {}", done.error().message);
            if (done && *done > 0)
                spdlog::error("{} alarms could not be raised: there are {} already", *done,
                              o2ims::kMostAlarms);
        }
        if (look % kLooksUntilForgetting == 0) co_await forget_alarms();
    }
}

asio::awaitable<void> Server::forget_alarms() {
    std::vector<store::Id> ids;
    {
        const auto snapshot = store_->snapshot();
        if (!snapshot) co_return;
        auto found = o2ims::alarms_to_forget(*snapshot, realtime_ns());
        if (!found) spdlog::error("old alarms cannot be found: {}", found.error().message);
        if (found) ids = std::move(*found);
    }
    for (std::size_t done = 0; done < ids.size() && !stopping_; done += kForgottenAtOnce) {
        const auto forget = [&](store::Batch& batch) -> Outcome<void> {
            for (std::size_t i = done; i < std::min(ids.size(), done + kForgottenAtOnce); ++i)
                if (auto gone = store::erase(batch, store::kAlarms, ids[i]); !gone)
                    return pass_on(gone.error());
            return {};
        };
        const auto forgotten = co_await writer_->submit(forget);
        if (!forgotten) {
            spdlog::error("old alarms cannot be forgotten: {}", forgotten.error().message);
            co_return;
        }
    }
}

}  // namespace rouse::mgmt
