#pragma once
// rouse-mgmt --check-store: is the store whole, and does it contradict itself?

#include "mgmt/store/check.hpp"
#include "shared/config.hpp"

#include <iosfwd>

namespace rouse::maintenance {

// All checks of STORE and of the images' contents that it names. Blocking.
[[nodiscard]] Result<store::StoreCheck> check_opened(const store::Store& store, const Config& config);

// Reads the store that CONFIG names and changes nothing; rouse-mgmt may run meanwhile. Tells OUT how many
// documents of each kind there are, then what is wrong. The exit code: 0, or 1 when something is wrong.
// A process of its own reads: of a data file that is cut short or overwritten no more than that dies.
[[nodiscard]] int check_store(const Config& config, std::ostream& out, std::ostream& err);

}  // namespace rouse::maintenance
