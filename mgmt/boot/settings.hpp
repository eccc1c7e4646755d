#pragma once
// What an operator switches for the whole dataplane: one document, and the SwitchRecord that says it to the
// dataplane.

#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "shared/store/records.hpp"

#include <cstdint>

namespace rouse::boot {

struct Settings {
    bool dhcp = true;
    bool proxy = false;  // pools that say nothing of their own: another server gives the addresses
    bool tftp = true;
    std::uint16_t block_size = store::SwitchRecord{}.max_block_size;  // RFC 2348, at most

    friend bool operator==(const Settings&, const Settings&) noexcept = default;
};

// Defaults while nobody has switched anything.
[[nodiscard]] Outcome<Settings> read_settings(const store::View& view);
// Takes effect with the dataplane's next burst.
[[nodiscard]] Outcome<void> write_settings(store::Batch& batch, const Settings& settings);

}  // namespace rouse::boot
