// What a server does for measurement jobs: it has them collect.

#include "mgmt/ims/blocking.hpp"
#include "mgmt/server.hpp"
#include "shared/clock.hpp"

#include <spdlog/spdlog.h>

namespace rouse::mgmt {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto kMeasureEvery =
    250ms;  // a look at which jobs are due; none may be due more often than each 1 s

}  // namespace

// Readings of a whole rack take a while: not on an io thread.
asio::awaitable<void> Server::measure() {
    while (co_await pause(measure_timer_, kMeasureEvery)) {
        const auto turned = co_await ims::run_on(disk_, [this] { return collector_->turn(realtime_ns()); });
        if (!turned) spdlog::error("nothing can be measured: {}", turned.error().message);
    }
}

}  // namespace rouse::mgmt
