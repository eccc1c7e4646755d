#pragma once
// What a client is told to boot.

#include "dataplane/dhcp/bounded_text.hpp"
#include "dataplane/dhcp/message.hpp"
#include "shared/store/records.hpp"

namespace rouse::dhcp {

// A name in the catalogue and, for UEFI HTTP boot, the URI it stands at. Empty: nothing to boot.
struct BootFile {
    BoundedText<store::ImageName::kMaxLength> name;
    BoundedText<255> uri;  // empty unless the client boots by HTTP
};

// The script for iPXE when the profile has one (its own loader would make it load itself for ever), else the
// profile's loader for the client's architecture, with the machine's own data in place of {{mac}},
// {{mac-dashes}},
// {{hostname}} and {{ip}}. Empty for an operating system, and when the expanded name is too long.
[[nodiscard]] BootFile boot_file_for(const Message& message, const store::HostRecord& host,
                                     const store::ProfileRecord* profile, Quirks quirks,
                                     Ipv4Address server) noexcept;

}  // namespace rouse::dhcp
