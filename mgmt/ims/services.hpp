#pragma once
// What the REST handlers work with. All of it outlives the routers.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/boot/catalogue.hpp"
#include "mgmt/boot/rack_client.hpp"
#include "mgmt/events/consumer.hpp"
#include "mgmt/http/auth.hpp"
#include "mgmt/store/writer.hpp"

#include <string>

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
    boot::NeighbourLookup neighbours{};

    [[nodiscard]] Result<store::Snapshot> snapshot() const { return writer.store().snapshot(); }
};

}  // namespace rouse::ims
