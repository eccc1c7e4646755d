#pragma once
// GET /api/events/: what happens, as it happens, by WebSocket or Server-Sent Events (docs/events.md).

#include "mgmt/http/router.hpp"
#include "mgmt/live/hub.hpp"

namespace rouse::ims {

// And POST /api/events/ticket/. After the router's authenticator is installed, which it wraps: a stream's
// client may also show its token in Sec-WebSocket-Protocol, or a ticket. HUB outlives the router.
void add_live_events(http::Router& router, live::Hub& hub);

}  // namespace rouse::ims
