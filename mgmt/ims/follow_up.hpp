#pragma once
// Work on many machines that follows from a change of something they share, in steps small enough that other
// writers do not wait. Every step may be repeated.

#include "mgmt/ims/services.hpp"
#include "mgmt/store/failure.hpp"
#include "mgmt/store/id.hpp"

#include <vector>

#include <boost/asio/awaitable.hpp>

namespace rouse::ims {

// Tells the dataplane anew about these machines.
boost::asio::awaitable<Outcome<void>> project_machines(const Services& services,
                                                       std::vector<store::Id> machines);
// Gives addresses to the machines that wait for one.
boost::asio::awaitable<Outcome<void>> place_waiting_machines(const Services& services);

// All of it for every machine: completes what a crash cut off, and follows a change of the appliance's own
// address. Writes only what differs.
boost::asio::awaitable<Outcome<void>> project_everything(const Services& services);

}  // namespace rouse::ims
