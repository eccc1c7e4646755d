#pragma once
// What a client is told to boot.

#include "dataplane/dhcp/bounded_text.hpp"
#include "dataplane/dhcp/message.hpp"
#include "shared/store/records.hpp"

namespace rouse::dhcp {

using BootName = BoundedText<store::ImageName::kMaxLength>;

// A name in the catalogue and, for UEFI HTTP boot, the URI it stands at. Empty: nothing to boot.
struct BootFile {
    BootName name;
    BoundedText<255> uri;  // empty unless the client boots by HTTP
};

// Who asks what to boot, over IPv4 or IPv6.
struct BootClient {
    ClientKind kind{};
    std::uint16_t architecture = kArchitectureUnknown;
    MacAddress mac;
};

// Adds to OUT the script for iPXE when the profile has one (its own loader would make it load itself for
// ever), else the profile's loader for the client's architecture, with the machine's own data in place of
// {{mac}},
// {{mac-dashes}}, {{hostname}} and {{ip}}. Nothing for an operating system; OUT reads as empty when the name
// is too long.
void write_boot_name(BootName& out, const BootClient& client, const store::HostRecord& host,
                     const store::ProfileRecord* profile, Quirks quirks) noexcept;

// That name for the sender of MESSAGE, and its URI on SERVER.
[[nodiscard]] BootFile boot_file_for(const Message& message, const store::HostRecord& host,
                                     const store::ProfileRecord* profile, Quirks quirks,
                                     Ipv4Address server) noexcept;

}  // namespace rouse::dhcp
