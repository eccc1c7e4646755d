#pragma once
// Files made for one machine: its boot script with its one-time token, in tables `names` and `rendered`.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "shared/addresses.hpp"

#include <string_view>

namespace rouse::boot {

// Makes the machine's script say what machine and profile say. A script that says so already keeps its token;
// otherwise it gets a new one. The old script stays readable for kRenderedGraceSeconds and its token good
// until one of them is spent, so a boot under way completes.
[[nodiscard]] Outcome<void> render_script(store::Batch& batch, const Appliance& appliance,
                                          const store::Document& machine, const store::Document& profile);
// The machine has no script any more.
[[nodiscard]] Outcome<void> remove_script(store::Batch& batch, const MacAddress& mac);

// The machine has shown TOKEN: neither it nor an older one is good any more, and the next render_script()
// makes a new one.
[[nodiscard]] Outcome<void> retire_token(store::Batch& batch, store::Id machine, std::string_view token);
[[nodiscard]] Outcome<void> remove_token(store::Batch& batch, store::Id machine);

}  // namespace rouse::boot
