#pragma once
// What is made for one machine from its profile: its boot line with a one-time token, which the profile's
// loader configurations are frames around, and the files of those of the profile's own templates that differ
// between machines. The other files are the profile's: see project_profile().

#include "mgmt/boot/appliance.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "shared/addresses.hpp"
#include "shared/store/records.hpp"

#include <string_view>

namespace rouse::boot {

// Makes the machine's line and files say what machine and profile say, and HOST name the line (the caller
// stores it). While they say so already they keep their token; otherwise they get a new one. What they
// replace stays readable for kRenderedGraceSeconds and its token good until one of them is spent, so a boot
// under way completes.
[[nodiscard]] Outcome<void> render_machine(store::Batch& batch, const Appliance& appliance,
                                           const store::Document& machine, const store::Document& profile,
                                           store::HostRecord& host);
// The machine has no line and no files any more.
[[nodiscard]] Outcome<void> remove_rendered(store::Batch& batch, const MacAddress& mac,
                                            store::HostRecord& host);

// The machine has shown TOKEN: neither it nor an older one is good any more, and the next render_machine()
// makes a new one.
[[nodiscard]] Outcome<void> retire_token(store::Batch& batch, store::Id machine, std::string_view token);
// The next render_machine() makes a new token; the one before stays good until then, and one boot longer.
// False: the machine has none.
[[nodiscard]] Outcome<bool> let_token_go(store::Batch& batch, store::Id machine);
[[nodiscard]] Outcome<void> remove_token(store::Batch& batch, store::Id machine);

}  // namespace rouse::boot
