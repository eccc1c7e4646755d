#pragma once
// Every route of the API's listener, as rouse-mgmt has them.

#include "mgmt/events/dataplane_counters.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/routes.hpp"
#include "tests/unit/ims/api_fixture.hpp"

namespace rouse::ims {

class WholeApiTest : public ApiTest {
  protected:
    WholeApiTest() {
        mgmt::add_api_routes(whole_, *services_, *observation_, live_, {inventory_, collector_, delivery_});
        mgmt::add_rack_routes(whole_rack_, *services_, *observation_, *transfers_);
        whole_.authenticate_with([this](const http::Request&) -> http::OrProblem<http::Principal> {
            return http::Principal{"tester", role_};
        });
    }

    events::DataplaneCounters dataplane_{run_dir_};
    RequestCounts requests_;
    http::RateLimiter limiter_{http::RateLimits{}};
    o2ims::Inventory inventory_{*store_, consumer_->tables(), o2ims::Cloud{}};
    o2ims::Delivery delivery_{
        *writer_,
        writer_->run([](store::Batch& batch) { return o2ims::OutboxTables::open(batch); }).value(),
        {}};
    o2ims::Collector collector_{*store_, [] { return std::vector<o2ims::Reading>{}; }};
    std::optional<Observation> observation_{
        Observation{*writer_, *consumer_, dataplane_, appliance_, requests_, *transfers_, limiter_, audit_,
                    [] { return std::nullopt; }, directory_.path(), services_->neighbours}};
    live::Hub live_{*writer_, consumer_->tables(), visible};
    http::Router whole_;
    http::Router whole_rack_;
};

}  // namespace rouse::ims
