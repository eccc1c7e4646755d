#pragma once
// What the REST handlers work with. All of it outlives the routers.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/boot/catalogue.hpp"
#include "mgmt/boot/rack_client.hpp"
#include "mgmt/events/consumer.hpp"
#include "mgmt/http/auth.hpp"
#include "mgmt/ims/audit.hpp"
#include "mgmt/store/writer.hpp"
#include "mgmt/workers/roster.hpp"

#include <string>
#include <type_traits>

#include <boost/asio/thread_pool.hpp>

namespace rouse::ims {

struct Services {
    store::Writer& writer;
    boot::Catalogue& catalogue;
    boot::Appliance& appliance;
    events::Consumer& consumer;
    http::Auth& auth;
    boost::asio::thread_pool& disk;  // for work that waits for a disk: never on an io thread
    std::string rack_interface;      // by name, as configured
    workers::Roster& roster;         // what is known of workers
    boot::NeighbourLookup neighbours{};

    // Runs OPERATION in the writer as REQUEST's: what it does to documents is on the audit log with it. See
    // Writer::submit().
    template <typename F>
    boost::asio::awaitable<std::invoke_result_t<F&, store::Batch&>> change(const http::Request& request,
                                                                           F operation) const {
        const store::Author author = author_of(request);
        request.is_audited = true;
        const auto as_author = [&](store::Batch& batch) {
            const store::Authored authored(batch, author);
            return operation(batch);
        };
        co_return co_await writer.submit(as_author);
    }

    [[nodiscard]] Result<store::Snapshot> snapshot() const { return writer.store().snapshot(); }
};

}  // namespace rouse::ims
