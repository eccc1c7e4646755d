#pragma once
// From the configuration's text to an open port.

#include "dataplane/port/xdp.hpp"

#include <string_view>
#include <variant>

namespace rouse::port {

// Every kind of port that can be opened by name; the worker is chosen once, by std::visit.
using AnyPort = std::variant<XdpPort>;

// SPEC: `xdp:<interface>`, native mode where the driver has it, else generic; `xdp:<interface>,native` or
// `…,generic` insists; `auto:<interface>` takes the fastest kind that works here, and describe() says why.
[[nodiscard]] Result<AnyPort> open_port(std::string_view spec);

}  // namespace rouse::port
