#pragma once
// Work on many machines that follows from a change of something they share, in steps small enough that other
// writers do not wait. Every step may be repeated.

#include "mgmt/ims/services.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "mgmt/store/id.hpp"

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

namespace rouse::ims {

// Tells the dataplane anew about these machines.
boost::asio::awaitable<Outcome<void>> project_machines(const Services& services,
                                                       std::vector<store::Id> machines);
// Tells it anew about the guests of a pool, or of all pools that name a profile (empty: of all pools).
boost::asio::awaitable<Outcome<void>> project_guests(const Services& services, store::Document pool);
boost::asio::awaitable<Outcome<void>> project_guests_of(const Services& services, std::string profile);
// Gives addresses to the machines that wait for one.
boost::asio::awaitable<Outcome<void>> place_waiting_machines(const Services& services);

// All of it for every machine and guest: completes what a crash cut off, and follows a change of the
// appliance's own address. Writes only what differs.
boost::asio::awaitable<Outcome<void>> project_everything(const Services& services);

}  // namespace rouse::ims
