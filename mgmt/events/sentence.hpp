#pragma once
// The dataplane's events as people read them: one sentence, and the figures behind it.

#include "shared/event.hpp"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace rouse::events {

// "offered 10.77.0.9, boot file undionly.kpxe". The machine is the subject and is not named. Bytes from the
// wire are made printable. Any event gives a sentence, one that this build does not know included.
[[nodiscard]] std::string sentence(const Event& event);

// The event's figures by name: only those that its kind has.
[[nodiscard]] nlohmann::ordered_json details(const Event& event);

// The name of its kind; "unknown" for one that this build does not know.
[[nodiscard]] std::string_view event_name(const Event& event) noexcept;

// A remark for the first DISCOVER of a boot that came late ("…; check that the switch port forwards at once
// (portfast)"), else empty. By the client's own `secs` (RFC 2131 table 1).
[[nodiscard]] std::string late_start_hint(const Event& discover);

}  // namespace rouse::events
